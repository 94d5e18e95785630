import type { ModelEvent, ModelRequest, Provider } from '../../worker/agent/providers/provider.ts';

/** One answer: its text, an error, or a stream. */
export type Answer = string | Error | ((request: ModelRequest, signal: AbortSignal) => AsyncIterable<ModelEvent>);

export type ScriptedProvider = Provider & {
  /** Answers of the next requests; without one the question comes back. */
  answers: Answer[];
  requests: ModelRequest[];
};

/** A provider that answers as the test says. */
export function createScriptedProvider(id = 'scripted', ...answers: Answer[]): ScriptedProvider {
  const requests: ModelRequest[] = [];
  return {
    id,
    answers,
    requests,
    models: async () => ['model'],
    async *stream(request, signal) {
      requests.push(request);
      const answer = answers.shift() ?? `echo: ${request.messages.at(-1)?.text}`;
      if (answer instanceof Error) throw answer;
      if (typeof answer === 'function') {
        yield* answer(request, signal);
        return;
      }
      yield { type: 'text', text: answer };
      yield { type: 'usage', usage: { inputTokens: 3, outputTokens: 5 } };
      yield { type: 'done', reason: 'stop' };
    },
  };
}

/** Streams texts, then waits until the turn is aborted. */
export function endless(...texts: string[]): Answer {
  return async function* stream(_request, signal) {
    for (const text of texts) yield { type: 'text', text };
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    signal.throwIfAborted();
  };
}
