import type { Reply } from '../core/exchange.ts';
import type { FaultRule } from '../core/faults.ts';
import { ApiError, tooManyRequests } from './api-error.ts';

const jsonType = { 'content-type': 'application/json' };

/** The envelope of a success. */
export function renderResult(result: unknown): Reply {
  return { status: 200, headers: jsonType, body: JSON.stringify({ ok: true, result }) };
}

/** The envelope of an error; 429 also says `Retry-After`. */
export function renderError({ code, description, parameters }: ApiError): Reply {
  const retryAfter = parameters?.retry_after;
  return {
    status: code,
    headers: retryAfter === undefined ? jsonType : { ...jsonType, 'retry-after': String(retryAfter) },
    body: JSON.stringify({
      ok: false,
      error_code: code,
      description,
      ...(parameters === undefined ? {} : { parameters }),
    }),
  };
}

/** An injected error in the look of the real server. */
export function renderInjected(status: number, rule: FaultRule): Reply {
  if (status === 429) return renderError(tooManyRequests(rule.retryAfter ?? 1));
  return renderError(new ApiError(status, describe(status)));
}

function describe(status: number): string {
  switch (status) {
    case 400:
      return 'Bad Request: injected fault';
    case 401:
      return 'Unauthorized';
    case 403:
      return 'Forbidden: injected fault';
    case 404:
      return 'Not Found';
    case 409:
      return 'Conflict: terminated by other getUpdates request; make sure that only one bot instance is running';
    case 502:
      return 'Bad Gateway';
    case 504:
      return 'Gateway Timeout';
    default:
      return 'Internal Server Error';
  }
}
