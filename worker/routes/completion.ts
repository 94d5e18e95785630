import { randomUUID } from 'node:crypto';
import type { CompletionRequest } from '../../lib/completions.ts';
import { GatewayError } from '../../lib/errors.ts';
import type { FallbackModel } from '../agent/fallback-model.ts';
import { readAgentProfile } from '../agent/models.ts';
import type { ChatMessage, Usage } from '../agent/providers/provider.ts';
import { runTurn, TurnFailed, type TurnOutcome } from '../agent/turn.ts';
import type { Context } from '../middleware/state.ts';
import { formatSessionKey } from '../sessions/key.ts';
import { type AgentOptions, addressOf, ask, idempotencyKeyOf } from './ask.ts';

export type CompletionOptions = AgentOptions & { fallbackModel: FallbackModel };

/** Who answers: an agent, and the model instead of its own. */
export type Choice = { agentId: string; model?: string };

export type CompletionTurn = {
  ctx: Context;
  body: CompletionRequest;
  choice: Choice;
  signal: AbortSignal;
  onText(text: string): void;
};

export type Completion = { text: string; usage?: Usage; isCut: boolean };

/**
 * Runs the turn that a chat completion asks for. With `user` it is a turn like any other in a session of that name; without,
 * the caller keeps the conversation and nothing is stored. Throws AGENT_ERROR when no model answers.
 */
export async function complete(options: CompletionOptions, turn: CompletionTurn): Promise<Completion> {
  const { user } = turn.body;
  return typeof user === 'string' ? continueSession(options, turn, user) : answerOnce(options, turn);
}

async function continueSession(options: CompletionOptions, turn: CompletionTurn, user: string): Promise<Completion> {
  const { ctx, body, choice, signal } = turn;
  const { agentId, model } = choice;
  const sessionKey = formatSessionKey({
    agentId,
    channel: 'webchat',
    accountId: 'default',
    peerKind: 'direct',
    peerId: user,
  });
  const { reply, runId } = await ask(options, {
    sessionKey,
    payload: {
      ...addressOf(sessionKey),
      senderId: 'api',
      text: textOf(body.messages.at(-1)),
      deliver: true,
      settings: readSettings(body),
      ...(model === undefined ? {} : { model }),
    },
    idempotencyKey: idempotencyKeyOf(ctx, {}),
    onEvent: (event) => event.type === 'token' && turn.onText(event.content),
    signal,
  });
  const stored = await options.store.sessions.reply(sessionKey, runId);
  return { text: reply, isCut: false, ...(stored?.usage === undefined ? {} : { usage: stored.usage }) };
}

async function answerOnce(options: CompletionOptions, turn: CompletionTurn): Promise<Completion> {
  const { config, runs, providers } = options;
  if (runs.active >= config.agents.maxConcurrentTurns) {
    throw new GatewayError('RATE_LIMITED', 'As many turns run as agents.maxConcurrentTurns allows.', {
      headers: { 'Retry-After': '1' },
    });
  }
  const runId = randomUUID();
  const { ctx, body, choice, signal, onText } = turn;
  const { agentId, model } = choice;
  const ended = AbortSignal.any([signal, runs.begin(runId, runId)]);
  try {
    const profile = { ...readAgentProfile(config, agentId), ...readSettings(body) };
    const chosen = model === undefined ? profile.models : [model];
    const outcome = await runTurn(
      {
        profile,
        models: chosen.length > 0 ? chosen : [await options.fallbackModel.find()],
        sessionKey: runId,
        history: listHistory(body),
        text: textOf(body.messages.at(-1)),
        timeoutMs: config.agents.turnTimeout,
        signal: ended,
        onText,
        onReasoning: () => undefined,
      },
      providers,
      ctx.state.log,
    );
    return describe(outcome);
  } catch (error) {
    if (!(error instanceof TurnFailed)) throw error;
    throw new GatewayError('AGENT_ERROR', error.message, { cause: error, ...(error.isTimeout ? { status: 504 } : {}) });
  } finally {
    runs.end(runId);
  }
}

function describe({ text, usage, isCut }: TurnOutcome): Completion {
  return { text, isCut: isCut === true, ...(usage === undefined ? {} : { usage }) };
}

/** What is said before the last message. Providers want all of the system's words first. */
function listHistory({ messages }: CompletionRequest): ChatMessage[] {
  const earlier = messages.slice(0, -1).map((message): ChatMessage => {
    const { role } = message;
    return { role: role === 'developer' ? 'system' : role, text: textOf(message) };
  });
  const isSystem = ({ role }: ChatMessage): boolean => role === 'system';
  return [...earlier.filter(isSystem), ...earlier.filter((message) => !isSystem(message))];
}

function textOf(message: CompletionRequest['messages'][number] | undefined): string {
  if (message === undefined) return '';
  const { content } = message;
  return typeof content === 'string' ? content : content.map(({ text }) => text).join('\n');
}

function readSettings(body: CompletionRequest): { maxTokens?: number; temperature?: number } {
  const maxTokens = body.max_completion_tokens ?? body.max_tokens;
  const { temperature } = body;
  return {
    ...(typeof maxTokens === 'number' ? { maxTokens } : {}),
    ...(typeof temperature === 'number' ? { temperature } : {}),
  };
}
