import { type CompletionRequest, completionAnswer, completionRequest, modelListAnswer } from '../../lib/completions.ts';
import type { Config } from '../../lib/config/schema.ts';
import { GatewayError } from '../../lib/errors.ts';
import { listModelRefs } from '../agent/model-refs.ts';
import { parseModelRef } from '../agent/models.ts';
import type { Provider } from '../agent/providers/provider.ts';
import { toOpenAiError } from '../middleware/openai-error.ts';
import type { Context } from '../middleware/state.ts';
import { defaultAgentId, isAgentEnabled, listAgentIds } from '../sessions/route.ts';
import { closedSignal } from './ask.ts';
import { type Choice, type CompletionOptions, complete } from './completion.ts';
import { createCompletionId, type Step, toAnswer, toChunk, toUsage } from './completion-answer.ts';
import { defineRoute, type Route } from './route.ts';
import { openEventStream } from './sse.ts';

/** What OpenAI's clients call: the agents and models of the gateway under OpenAI's names. */
export function openAiRoutes(options: CompletionOptions): Route[] {
  const { config, providers } = options;
  return [
    defineRoute({
      method: 'POST',
      path: '/v1/chat/completions',
      scope: 'operator.write',
      tag: 'OpenAI',
      summary: 'One turn of an agent, in the terms of OpenAI',
      description:
        'Stateless: the messages are the conversation, after the system prompt of the agent. With "user" the gateway keeps the conversation in a session of that name and only the last message counts. Tools, images and further settings of OpenAI are refused, never dropped in silence.',
      body: completionRequest,
      example: { model: 'main', messages: [{ role: 'user', content: 'What is 2+2?' }] },
      answers: { 200: completionAnswer },
      media: ['text/event-stream'],
      errors: ['NOT_FOUND', 'CONFLICT', 'AGENT_ERROR'],
      async handle({ ctx, body }) {
        const choice = choose(config, providers, body.model);
        if (body.stream === true) return streamCompletion(options, ctx, { body, choice });
        const signal = closedSignal(ctx);
        const completion = await complete(options, { ctx, body, choice, signal, onText: () => undefined });
        return toAnswer(createCompletionId(body.model), completion);
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/v1/models',
      scope: 'operator.read',
      tag: 'OpenAI',
      summary: 'Lists the agents and models',
      description: 'A provider that does not answer within three seconds is left out.',
      answers: { 200: modelListAnswer },
      async handle({ ctx }) {
        const agents = listAgentIds(config).map((id) => ({ id, owner: 'xopc' }));
        const models = await listModelRefs(providers, ctx.state.log);
        const data = [...agents, ...models.map(({ ref, provider }) => ({ id: ref, owner: provider }))];
        return {
          object: 'list' as const,
          data: data.map(({ id, owner }) => ({ id, object: 'model' as const, created: 0, owned_by: owner })),
        };
      },
    }),
  ];
}

function choose(config: Config, providers: ReadonlyMap<string, Provider>, name: string): Choice {
  if (isAgentEnabled(config, name)) return { agentId: name };
  const ref = parseModelRef(name);
  if (ref !== undefined && providers.has(ref.provider)) return { agentId: defaultAgentId(config), model: name };
  throw new GatewayError('NOT_FOUND', `There is no agent or model "${name}". GET /v1/models lists them.`, {
    details: [{ path: 'model', message: 'is no agent and no model' }],
  });
}

type Asked = { body: CompletionRequest; choice: Choice };

/** Sends the answer as it grows; what goes wrong from here on comes as the last event. */
function streamCompletion(options: CompletionOptions, ctx: Context, { body, choice }: Asked): undefined {
  const events = openEventStream(ctx);
  const id = createCompletionId(body.model);
  const send = (step: Step): void => events.sendText(toChunk(id, step));
  send({ type: 'start' });
  const turn = { ctx, body, choice, signal: events.closed, onText: (text: string) => send({ type: 'text', text }) };
  void complete(options, turn)
    .then((completion) => {
      send({ type: 'end', isCut: completion.isCut });
      const usage = toUsage(completion);
      if (body.stream_options?.include_usage === true && usage !== undefined) send({ type: 'usage', usage });
      events.sendText('[DONE]');
    })
    .catch((error: unknown) => events.sendText(JSON.stringify(toOpenAiError(explain(ctx, error)))))
    .finally(() => events.end());
  return undefined;
}

function explain(ctx: Context, error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  ctx.state.log.error({ err: error, request_id: ctx.state.requestId }, 'A completion failed unexpectedly');
  return new GatewayError('INTERNAL_ERROR', 'Something went wrong in the gateway; its log has the details.');
}
