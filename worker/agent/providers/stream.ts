import { toProviderError } from './failure.ts';
import { createIdleTimer } from './idle-timer.ts';
import type { ChatMessage, ModelEvent, ModelRequest } from './provider.ts';
import type { LanguageModel, RemoteSettings } from './remote.ts';

type StreamOptions = {
  settings: RemoteSettings;
  /** Returns the model object of an id. */
  open(model: string): Promise<LanguageModel>;
  request: ModelRequest;
  signal: AbortSignal;
};

/**
 * Asks a model and yields its answer as it comes. Throws ProviderError, or the signal's reason when that aborted. Leaving
 * the loop early ends the request.
 */
export async function* streamModel({ settings, open, request, signal }: StreamOptions): AsyncGenerator<ModelEvent> {
  signal.throwIfAborted();
  const idle = createIdleTimer(settings.requestTimeoutMs, signal);
  let isDone = false;
  let isComplete = false;
  try {
    const model = await open(request.model);
    const { stream } = await model.doStream({ ...toCall(request), abortSignal: idle.signal });
    for await (const part of stream) {
      idle.touch();
      isDone ||= part.type === 'finish';
      yield* readPart(part);
    }
    isComplete = true;
    if (!isDone) throw new Error(CUT);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw toProviderError(error, { settings, model: request.model, isIdle: idle.isExpired() });
  } finally {
    idle.end(isComplete);
  }
}

const CUT = 'the answer ended in the middle';

type Call = Parameters<LanguageModel['doStream']>[0];
type StreamPart =
  Awaited<ReturnType<LanguageModel['doStream']>>['stream'] extends ReadableStream<infer Part> ? Part : never;

function toCall(request: ModelRequest): Call {
  return {
    prompt: request.messages.map(toPromptMessage),
    includeRawChunks: false,
    ...(request.maxTokens === undefined ? {} : { maxOutputTokens: request.maxTokens }),
    ...(request.temperature === undefined ? {} : { temperature: request.temperature }),
  };
}

function toPromptMessage({ role, text }: ChatMessage): Call['prompt'][number] {
  switch (role) {
    case 'system':
      return { role, content: text };
    case 'user':
    case 'assistant':
      return { role, content: [{ type: 'text', text }] };
  }
}

function* readPart(part: StreamPart): Generator<ModelEvent> {
  switch (part.type) {
    case 'text-delta':
      if (part.delta !== '') yield { type: 'text', text: part.delta };
      return;
    case 'reasoning-delta':
      if (part.delta !== '') yield { type: 'reasoning', text: part.delta };
      return;
    case 'error':
      throw part.error;
    case 'finish':
      yield* readFinish(part);
      return;
    // Tools, files and sources are not asked for; the rest is bookkeeping of the library.
    default:
      return;
  }
}

function* readFinish({ usage, finishReason }: Extract<StreamPart, { type: 'finish' }>): Generator<ModelEvent> {
  // The library ends a stream that was cut between two events as if it were complete; only the reason is missing.
  if (finishReason.raw === undefined) throw new Error(CUT);
  const { total: inputTokens } = usage.inputTokens;
  const { total: outputTokens } = usage.outputTokens;
  if (inputTokens !== undefined || outputTokens !== undefined) {
    yield { type: 'usage', usage: { inputTokens: inputTokens ?? 0, outputTokens: outputTokens ?? 0 } };
  }
  const { unified } = finishReason;
  yield { type: 'done', reason: unified === 'stop' || unified === 'length' ? unified : 'other' };
}
