import { randomUUID } from 'node:crypto';
import { abortedAnswer, agentAnswer } from '../../lib/answers.ts';
import { agentAbortRequest, agentRequest } from '../../lib/api.ts';
import { GatewayError } from '../../lib/errors.ts';
import { assertModelRef } from '../agent/model-refs.ts';
import type { RunEvent, RunResult } from '../agent/runs.ts';
import type { Context } from '../middleware/state.ts';
import { isAgentEnabled, resolveNamedSession } from '../sessions/route.ts';
import type { InboxPayload } from '../store/inbox-row.ts';
import { type AgentOptions, addressOf, ask, closedSignal, idempotencyKeyOf, type Question, submit } from './ask.ts';
import { defineRoute, type Route } from './route.ts';
import { openEventStream } from './sse.ts';

/** `POST /api/agent` and its abort. */
export function agentRoutes(options: AgentOptions): Route[] {
  const { config, runs } = options;
  return [
    defineRoute({
      method: 'POST',
      path: '/api/agent',
      scope: 'operator.write',
      tag: 'Agent',
      summary: 'Asks an agent and waits for its answer',
      description:
        'With "stream": true or Accept: text/event-stream the answer comes as events: status, token, reasoning, then result or error. The turn goes on if the caller leaves.',
      body: agentRequest,
      example: { message: 'What is the weather?', session: 'default' },
      answers: { 200: agentAnswer },
      media: ['text/event-stream'],
      errors: ['SESSION_NOT_FOUND', 'CONFLICT', 'AGENT_ERROR'],
      async handle({ ctx, body }) {
        const { agent_id: agentId, session, message, model } = body;
        if (agentId !== undefined && !isAgentEnabled(config, agentId)) {
          throw new GatewayError('INVALID_REQUEST', `agent_id "${agentId}" is no enabled agent.`, {
            details: [{ path: 'agent_id', message: 'is no enabled agent' }],
          });
        }
        if (model !== undefined) assertModelRef(model, options.providers);
        const sessionKey = resolveNamedSession(config, session, agentId);
        const payload: InboxPayload = {
          ...addressOf(sessionKey),
          senderId: 'api',
          text: message,
          deliver: true,
          ...(model === undefined ? {} : { model }),
        };
        const question = {
          sessionKey,
          payload,
          idempotencyKey: idempotencyKeyOf(ctx, body),
          signal: closedSignal(ctx),
        };
        if (body.stream || ctx.accepts('json', 'text/event-stream') === 'text/event-stream')
          return streamAnswer(options, ctx, question, session);
        const { reply, runId } = await ask(options, question);
        return { status: 'ok' as const, reply, session, run_id: runId };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/agent/abort',
      scope: 'operator.write',
      tag: 'Agent',
      summary: 'Stops a turn',
      description: 'Names it by its run or by its session. What was said so far is kept.',
      body: agentAbortRequest,
      example: { session: 'default' },
      answers: { 200: abortedAnswer },
      errors: ['NOT_FOUND', 'SESSION_NOT_FOUND'],
      handle({ body }) {
        const target =
          body.run_id === undefined
            ? { sessionKey: resolveNamedSession(config, body.session ?? 'default') }
            : { runId: body.run_id };
        if (!runs.abort(target)) throw new GatewayError('NOT_FOUND', 'No such run is active.');
        return { status: 'ok' as const, aborted: true as const };
      },
    }),
  ];
}

async function streamAnswer(
  options: AgentOptions,
  ctx: Context,
  question: Question,
  session: string,
): Promise<undefined> {
  const stream = openEventStream(ctx);
  const runId = randomUUID();
  stream.send({ type: 'status', data: { type: 'status', status: 'accepted', run_id: runId, session } });
  void submit(options, { ...question, onEvent: (event) => sendEvent(stream, event) }, runId)
    .then(({ result, runId: actual }) => stream.send(describeEnd(result, actual, session)))
    .catch((error: unknown) => stream.send({ type: 'error', data: describeFailure(error) }))
    .finally(() => stream.end());
  return undefined;
}

function sendEvent(stream: ReturnType<typeof openEventStream>, event: RunEvent): void {
  // The end is sent once the run has settled, with the session's name in it.
  if (event.type !== 'result' && event.type !== 'error') stream.send({ type: event.type, data: event });
}

function describeEnd(result: RunResult, runId: string, session: string): { type: string; data: unknown } {
  if (result.status === 'error')
    return { type: 'error', data: { type: 'error', code: result.code, message: result.message, run_id: runId } };
  return {
    type: 'result',
    data: { type: 'result', status: result.status, reply: result.reply, session, run_id: runId },
  };
}

function describeFailure(error: unknown): Record<string, unknown> {
  if (error instanceof GatewayError) return { type: 'error', code: error.code, message: error.message };
  return {
    type: 'error',
    code: 'INTERNAL_ERROR',
    message: 'Something went wrong in the gateway; its log has the details.',
  };
}
