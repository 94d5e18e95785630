import type { GrammyError, HttpError } from 'grammy/web';
import { errorCode, errorMessage } from '../../../lib/errors.ts';
import { RateLimited, Rejected, Unknown, Unreachable } from '../plugin.ts';

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
  const cause = rootCause(error);
  if (cause instanceof SyntaxError) return 'the answer was not JSON (a proxy in between, or the server is down)';
  const code = errorCode(cause);
  return code === undefined ? errorMessage(cause) : `${errorMessage(cause)} (${code})`;
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
  let current = isTransportError(error) ? error.error : error;
  while (current instanceof Error && current.cause !== undefined) current = current.cause;
  return current;
}

function isTransportError(error: unknown): error is HttpError {
  return error instanceof Error && error.name === 'HttpError' && 'error' in error;
}

/** True when no connection came about, so that the request certainly never left. */
function isBeforeRequest(cause: unknown): boolean {
  const code = errorCode(cause);
  if (code !== undefined && BEFORE_REQUEST.has(code)) return true;
  if (code !== undefined && TLS_FAILURE.test(code)) return true;
  if (cause instanceof Error && NO_CONNECTION.some((text) => cause.message.includes(text))) return true;
  return typeof cause === 'object' && cause !== null && 'syscall' in cause && cause.syscall === 'connect';
}

const BEFORE_REQUEST = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
]);
/** From Node, and from undici for a proxy that makes no tunnel. */
const NO_CONNECTION = ['before secure TLS connection was established', '!== 200 when HTTP Tunneling'];
const TLS_FAILURE = /^(CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH)/;
