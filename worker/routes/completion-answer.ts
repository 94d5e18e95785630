import { randomUUID } from 'node:crypto';
import type { CompletionAnswer, CompletionUsage } from '../../lib/completions.ts';
import type { Completion } from './completion.ts';

/** What names a completion in all of its parts. */
export type CompletionId = { id: string; model: string; created: number };

/** One step of a streamed answer. */
export type Step =
  | { type: 'start' }
  | { type: 'text'; text: string }
  | { type: 'end'; isCut: boolean }
  | { type: 'usage'; usage: CompletionUsage };

/** A new id; `model` is what the caller asked for. */
export function createCompletionId(model: string): CompletionId {
  return { id: `chatcmpl-${randomUUID()}`, model, created: Math.floor(Date.now() / 1_000) };
}

/** The whole answer at once. */
export function toAnswer({ id, model, created }: CompletionId, completion: Completion): CompletionAnswer {
  const { text, isCut } = completion;
  const usage = toUsage(completion);
  return {
    id,
    object: 'chat.completion',
    created,
    model,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: text, refusal: null },
        finish_reason: isCut ? 'length' : 'stop',
        logprobs: null,
      },
    ],
    ...(usage === undefined ? {} : { usage }),
  };
}

/** One chunk of a streamed answer, as JSON. */
export function toChunk({ id, model, created }: CompletionId, step: Step): string {
  const head = { id, object: 'chat.completion.chunk', created, model };
  const choice = (delta: unknown, finish: 'stop' | 'length' | null): string =>
    JSON.stringify({ ...head, choices: [{ index: 0, delta, finish_reason: finish, logprobs: null }] });
  switch (step.type) {
    case 'start':
      return choice({ role: 'assistant', content: '' }, null);
    case 'text':
      return choice({ content: step.text }, null);
    case 'end':
      return choice({}, step.isCut ? 'length' : 'stop');
    case 'usage':
      return JSON.stringify({ ...head, choices: [], usage: step.usage });
  }
}

/** Undefined when the model did not count. */
export function toUsage({ usage }: Completion): CompletionUsage | undefined {
  if (usage === undefined) return undefined;
  const { inputTokens, outputTokens } = usage;
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
  };
}
