import { errorCode, errorMessage } from '../../lib/errors.ts';

/** The innermost cause of an error: fetch keeps that of the socket in `cause`. */
export function findRootCause(error: unknown): unknown {
  let current = error;
  while (current instanceof Error && current.cause !== undefined) current = current.cause;
  return current;
}

/** A root cause in a few words. */
export function describeCause(cause: unknown): string {
  if (cause instanceof SyntaxError) return 'the answer was not JSON (a proxy in between, or the server is down)';
  const code = errorCode(cause);
  return code === undefined ? errorMessage(cause) : `${errorMessage(cause)} (${code})`;
}

/** True when no connection came about, so that the request certainly never left. */
export function isBeforeRequest(cause: unknown): boolean {
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
