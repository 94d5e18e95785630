import type { ProviderErrorKind } from './provider.ts';

/** A refusal as the server sent it; one that came inside a stream has no status. */
export type Answer = { status?: number; body: string; headers: Readonly<Record<string, string>> };

/** Sorts a refusal by what can be done about it. The body counts where the status is ambiguous. */
export function judgeAnswer({ status, body }: Answer): ProviderErrorKind {
  if (QUOTA.test(body)) return 'quota';
  if (CONTEXT.test(body)) return 'context';
  if (status === undefined) return judgeStreamError(body);
  switch (status) {
    case 401:
    case 403:
      return 'auth';
    case 402:
      return 'quota';
    case 408:
    case 504:
      return 'timeout';
    case 429:
      return 'rate';
    default:
      return status >= 500 ? 'overload' : 'invalid';
  }
}

/** How long the server asks to wait, in milliseconds: `retry-after-ms`, or `retry-after` as seconds or as a date. */
export function readRetryAfterMs({ headers }: Answer): number | undefined {
  const exact = Number(headers['retry-after-ms']);
  if (Number.isFinite(exact)) return Math.max(0, exact);
  const text = headers['retry-after'];
  if (text === undefined) return undefined;
  const waitMs = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
  return Number.isFinite(waitMs) ? Math.max(0, Math.round(waitMs)) : undefined;
}

const QUOTA = /insufficient_quota|exceeded your current quota|credit balance is too low|billing_hard_limit/i;
const CONTEXT =
  /context_length_exceeded|maximum context length|context window|prompt is too long|input is too long|too many (input )?tokens/i;

function judgeStreamError(body: string): ProviderErrorKind {
  if (/rate_limit/i.test(body)) return 'rate';
  if (/authentication_error|invalid_api_key|permission_error/i.test(body)) return 'auth';
  return /invalid_request/i.test(body) ? 'invalid' : 'overload';
}
