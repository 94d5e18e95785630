export type ChatMessage = { role: 'system' | 'user' | 'assistant'; text: string };

export type ModelRequest = {
  /** Model id without the provider. */
  model: string;
  messages: readonly ChatMessage[];
  maxTokens?: number;
  temperature?: number;
  /** Names the conversation, for providers that keep state per user or cache. */
  sessionKey: string;
};

export type Usage = { inputTokens: number; outputTokens: number };

/** What a model sends while it answers. A stream ends with exactly one `done`, or throws. */
export type ModelEvent =
  | { type: 'text'; text: string }
  | { type: 'reasoning'; text: string }
  | { type: 'usage'; usage: Usage }
  | { type: 'done'; reason: 'stop' | 'length' | 'other' };

/** A source of model answers. Errors are ProviderError. */
export type Provider = {
  id: string;
  /** Ids of the models it offers; may ask the server. */
  models(signal: AbortSignal): Promise<readonly string[]>;
  stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelEvent>;
  /** Loads what the first request would wait for. */
  warm?(): Promise<void>;
};

export type ProviderErrorKind = 'auth' | 'quota' | 'rate' | 'overload' | 'timeout' | 'context' | 'network' | 'invalid';

/** Why a provider did not answer, in a form that decides what to do next: another model, a later try, or a person. */
export class ProviderError extends Error {
  override readonly name = 'ProviderError';
  readonly kind: ProviderErrorKind;
  readonly retryAfterMs: number | undefined;

  constructor(kind: ProviderErrorKind, message: string, options: { cause?: unknown; retryAfterMs?: number } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.retryAfterMs = options.retryAfterMs;
  }
}
