import type { OpenAiErrorBody } from '../../lib/completions.ts';
import type { GatewayError } from '../../lib/errors.ts';

/** Whether clients of OpenAI's API call this path and expect its manners. */
export function isOpenAiPath(path: string): boolean {
  return path === '/v1' || path.startsWith('/v1/');
}

/** An error as clients of OpenAI's API read it. */
export function toOpenAiError({ code, message, status, details }: GatewayError): OpenAiErrorBody {
  return {
    error: { message, type: nameType(status), param: details?.[0]?.path ?? null, code: code.toLowerCase() },
  };
}

function nameType(status: number): string {
  if (status >= 500) return 'server_error';
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  return status === 429 ? 'rate_limit_error' : 'invalid_request_error';
}
