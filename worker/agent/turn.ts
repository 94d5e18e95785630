import { NoAnswer, withDeadline } from '../../lib/deadline.ts';
import { errorMessage } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import { type AgentProfile, parseModelRef } from './models.ts';
import { type ChatMessage, type ModelRequest, type Provider, ProviderError, type Usage } from './providers/provider.ts';

export type TurnRequest = {
  profile: AgentProfile;
  /** References to try in order; never empty. */
  models: readonly string[];
  sessionKey: string;
  history: readonly ChatMessage[];
  text: string;
  timeoutMs: number;
  /** Aborts the turn at once. */
  signal: AbortSignal;
  onText(text: string): void;
  onReasoning(text: string): void;
};

export type TurnOutcome = {
  text: string;
  model: string;
  usage?: Usage;
  isAborted: boolean;
  /** The model had more to say than it was allowed to. */
  isCut?: true;
};

/** No model of the chain answered. The message is fit for the user, the cause for the operator. */
export class TurnFailed extends Error {
  override readonly name = 'TurnFailed';
  readonly isTimeout: boolean;

  constructor(message: string, options: { cause: unknown; isTimeout: boolean }) {
    super(message, { cause: options.cause });
    this.isTimeout = options.isTimeout;
  }
}

/**
 * Runs one turn: the conversation to the first model that answers, its text to `onText` as it comes. Another model is tried
 * only while nothing was shown yet. Throws TurnFailed when none answers in time (ERR-1).
 */
export async function runTurn(
  request: TurnRequest,
  providers: ReadonlyMap<string, Provider>,
  log: Logger,
): Promise<TurnOutcome> {
  if (request.signal.aborted) return { text: '', model: request.models[0] ?? '', isAborted: true };
  try {
    return await withDeadline(request.signal, request.timeoutMs, (signal) =>
      tryModels({ request, providers, signal }, log),
    );
  } catch (failure) {
    const isTimeout = failure instanceof NoAnswer || (failure instanceof ProviderError && failure.kind === 'timeout');
    throw new TurnFailed(explainFailure(failure, isTimeout), { cause: failure, isTimeout });
  }
}

async function tryModels(turn: Omit<Attempt, 'ref' | 'attempt'>, log: Logger): Promise<TurnOutcome> {
  const { request, signal } = turn;
  let failure: unknown;
  for (const ref of request.models) {
    const attempt = { text: '' };
    try {
      return await tryModel({ ...turn, ref, attempt });
    } catch (error) {
      failure = error;
      if (request.signal.aborted) return { text: attempt.text, model: ref, isAborted: true };
      log.warn({ err: error, model: ref, session: request.sessionKey }, 'A model did not answer');
      if (signal.aborted || attempt.text !== '') break;
    }
  }
  throw failure;
}

type Attempt = {
  ref: string;
  request: TurnRequest;
  providers: ReadonlyMap<string, Provider>;
  signal: AbortSignal;
  /** Filled as the answer comes, so that an aborted turn keeps what was shown. */
  attempt: { text: string };
};

async function tryModel({ ref, request, providers, signal, attempt }: Attempt): Promise<TurnOutcome> {
  const { provider, model } = findProvider(ref, providers);
  let usage: Usage | undefined;
  let isCut = false;
  for await (const event of provider.stream(buildRequest(request, model), signal)) {
    switch (event.type) {
      case 'text':
        attempt.text += event.text;
        request.onText(event.text);
        break;
      case 'reasoning':
        request.onReasoning(event.text);
        break;
      case 'usage':
        usage = event.usage;
        break;
      case 'done':
        isCut = event.reason === 'length';
        break;
    }
  }
  signal.throwIfAborted();
  if (attempt.text.trim() === '') throw new ProviderError('invalid', `${ref} returned an empty answer`);
  return {
    text: attempt.text,
    model: ref,
    isAborted: false,
    ...(usage === undefined ? {} : { usage }),
    ...(isCut ? { isCut } : {}),
  };
}

function findProvider(ref: string, providers: ReadonlyMap<string, Provider>): { provider: Provider; model: string } {
  const parsed = parseModelRef(ref);
  if (parsed === undefined) throw new ProviderError('invalid', `"${ref}" is no model reference; write provider/model`);
  const provider = providers.get(parsed.provider);
  if (provider !== undefined) return { provider, model: parsed.model };
  const known = [...providers.keys()].join(', ');
  throw new ProviderError(
    'invalid',
    `The provider "${parsed.provider}" of ${ref} is not configured (configured: ${known})`,
  );
}

function buildRequest({ profile, history, text, sessionKey }: TurnRequest, model: string): ModelRequest {
  const system: ChatMessage[] =
    profile.systemPrompt === undefined ? [] : [{ role: 'system', text: profile.systemPrompt }];
  return {
    model,
    messages: [...system, ...history, { role: 'user', text }],
    maxTokens: profile.maxTokens,
    sessionKey,
    ...(profile.temperature === undefined ? {} : { temperature: profile.temperature }),
  };
}

function explainFailure(failure: unknown, isTimeout: boolean): string {
  if (isTimeout) return 'The model did not answer in time. Please try again.';
  if (!(failure instanceof ProviderError)) return `The agent failed: ${errorMessage(failure)}`;
  switch (failure.kind) {
    case 'auth':
      return `The model provider refused the credential: ${failure.message}`;
    case 'quota':
      return `The model provider's quota is used up: ${failure.message}`;
    case 'rate':
    case 'overload':
      return 'The model provider is overloaded. Please try again in a moment.';
    case 'context':
      return 'The conversation has become too long for the model. Start a new session.';
    case 'timeout':
    case 'network':
      return 'The model provider cannot be reached. Please try again in a moment.';
    case 'invalid':
      return `The model cannot answer: ${failure.message}`;
  }
}
