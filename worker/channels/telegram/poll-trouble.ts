import { NoAnswer } from '../../../lib/deadline.ts';
import { errorMessage } from '../../../lib/errors.ts';
import { describeTransportError, isApiError, readRetryAfterMs } from './errors.ts';
import { WebhookTaken } from './keep-webhook.ts';
import type { PollTiming } from './timing.ts';

/** What a failed poll means: what to tell, and what to do next. */
export type PollTrouble =
  | { kind: 'unauthorized'; text: string }
  | { kind: 'webhook'; text: string; waitMs: number }
  | { kind: 'conflict'; text: string; waitMs: number }
  | { kind: 'retry'; text: string; waitMs: number };

/** Diagnoses the error of a poll; `failures` counts the failed ones in a row, this one included. */
export function diagnosePoll(error: unknown, failures: number, timing: PollTiming): PollTrouble {
  const waitMs = backOff(failures, timing.retryMinMs, timing.retryMaxMs);
  const conflictMs = backOff(failures, timing.conflictMinMs, timing.conflictMaxMs);
  if (error instanceof WebhookTaken) return { kind: 'conflict', text: error.message, waitMs: conflictMs };
  if (!isApiError(error)) return { kind: 'retry', text: describeFailure(error), waitMs };
  const answer = `${error.description} (${error.error_code})`;
  switch (error.error_code) {
    // The public server answers 404 to a token that is not even shaped like one.
    case 401:
    case 404:
      return { kind: 'unauthorized', text: `Telegram refuses the bot token: ${answer}.` };
    case 409:
      if (error.description.includes('webhook')) {
        const text = `A webhook is set for this bot: ${answer}. Removing it, because this gateway polls.`;
        return { kind: 'webhook', text, waitMs: failures === 1 ? 0 : waitMs };
      }
      return {
        kind: 'conflict',
        text: `Another program, most likely on another machine, polls with the same bot token: ${answer}. Stop it, or give one of the two a bot of its own. Trying again by itself.`,
        waitMs: conflictMs,
      };
    case 429:
      return { kind: 'retry', text: `Telegram asks to wait: ${answer}.`, waitMs: readRetryAfterMs(error) };
    default:
      return { kind: 'retry', text: `Telegram answers: ${answer}. Trying again by itself.`, waitMs };
  }
}

function describeFailure(error: unknown): string {
  if (error instanceof NoAnswer) return `Telegram cannot be reached: ${error.message}. Trying again by itself.`;
  if (error instanceof Error && error.name === 'HttpError') {
    return `Telegram cannot be reached: ${describeTransportError(error)}. Trying again by itself.`;
  }
  return `Messages could not be taken in: ${errorMessage(error)}. Telegram keeps them; trying again by itself.`;
}

/** Doubles with every failure; the upper half is random, so that several programs do not stay in step. */
function backOff(failures: number, minimumMs: number, maximumMs: number): number {
  const full = Math.min(minimumMs * 2 ** Math.min(failures, 20), maximumMs);
  return Math.max(minimumMs, full * (0.5 + Math.random() / 2));
}
