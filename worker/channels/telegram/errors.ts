import type { GrammyError, HttpError } from 'grammy/web';
import { RateLimited, Rejected, Unknown, Unreachable } from '../plugin.ts';
import { describeCause, findRootCause, isBeforeRequest } from '../transport-error.ts';

/** The Bot API gave a definite answer: not ok. */
export function isApiError(error: unknown): error is GrammyError {
  return error instanceof Error && error.name === 'GrammyError' && 'error_code' in error;
}

/** Says what became of a send, in the terms of the outbox. */
export function toDeliveryError(error: unknown): Rejected | Unreachable | Unknown | RateLimited {
  if (isApiError(error)) return judgeAnswer(error);
  const cause = rootCause(error);
  const text = `Telegram: ${describeTransportError(error)}`;
  return isBeforeRequest(cause) ? new Unreachable(text, { cause: error }) : new Unknown(text, { cause: error });
}

/** How long the platform asks us to wait, in milliseconds. */
export function readRetryAfterMs(error: GrammyError): number {
  return (error.parameters.retry_after ?? DEFAULT_RETRY_AFTER_S) * 1_000;
}

/** Why a request had no answer that can be read, in a few words. */
export function describeTransportError(error: unknown): string {
  return describeCause(rootCause(error));
}

const DEFAULT_RETRY_AFTER_S = 5;

function judgeAnswer(error: GrammyError): Rejected | Unreachable | Unknown | RateLimited {
  const text = `Telegram: ${error.description} (${error.error_code})`;
  if (error.error_code === 429) return new RateLimited(text, readRetryAfterMs(error), { cause: error });
  // A server that fails half-way may have posted the message already.
  if (error.error_code >= 500) return new Unknown(text, { cause: error });
  // A revoked token is not the message's fault: it waits for a new one.
  if (error.error_code === 401 || error.error_code === 404) return new Unreachable(text, { cause: error });
  return new Rejected(text, { cause: error, isPeerGone: isPeerGone(error) });
}

/** Blocked, thrown out or closed (403), or never met: nothing else for this peer will arrive either. */
function isPeerGone({ error_code, description }: GrammyError): boolean {
  return error_code === 403 || (error_code === 400 && description.includes('chat not found'));
}

/** grammY keeps the error of fetch in `error`, fetch that of the socket in `cause`. */
function rootCause(error: unknown): unknown {
  return findRootCause(isTransportError(error) ? error.error : error);
}

function isTransportError(error: unknown): error is HttpError {
  return error instanceof Error && error.name === 'HttpError' && 'error' in error;
}
