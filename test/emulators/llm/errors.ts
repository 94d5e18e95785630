import type { Reply } from '../core/exchange.ts';

/** Whose error format to speak. */
export type Dialect = 'openai' | 'anthropic';

/** An error to be answered in either dialect. */
export interface LlmError {
  readonly status: number;
  readonly message: string;
  readonly code?: string;
  readonly param?: string;
  readonly retryAfter?: number;
}

/** Renders an error as OpenAI's or Anthropic's JSON, with `retry-after` where it applies. */
export function renderLlmError(dialect: Dialect, error: LlmError): Reply {
  const retry = error.retryAfter === undefined ? {} : { 'retry-after': String(error.retryAfter) };
  const headers = { 'content-type': 'application/json', ...retry };
  if (dialect === 'anthropic') {
    const body = { type: 'error', error: { type: anthropicType(error.status), message: error.message } };
    return { status: error.status, headers, body: JSON.stringify(body) };
  }
  const detail = {
    message: error.message,
    type: openAiType(error.status),
    param: error.param ?? null,
    code: error.code ?? null,
  };
  return { status: error.status, headers, body: JSON.stringify({ error: detail }) };
}

/** The usual message of an HTTP status or of a well-known error code. */
export function describeError(status: number, code: string | undefined): string {
  if (code === 'context_length_exceeded') {
    return "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens. Please reduce the length of the messages.";
  }
  switch (status) {
    case 401:
      return 'Incorrect API key provided.';
    case 404:
      return 'The requested resource does not exist.';
    case 429:
      return 'Rate limit reached. Please try again later.';
    case 503:
    case 529:
      return 'The engine is currently overloaded, please try again later.';
    default:
      return status >= 500 ? 'The server had an error while processing your request.' : 'Invalid request.';
  }
}

function openAiType(status: number): string {
  if (status === 429) return 'rate_limit_error';
  return status >= 500 ? 'server_error' : 'invalid_request_error';
}

function anthropicType(status: number): string {
  switch (status) {
    case 401:
      return 'authentication_error';
    case 403:
      return 'permission_error';
    case 404:
      return 'not_found_error';
    case 413:
      return 'request_too_large';
    case 429:
      return 'rate_limit_error';
    case 529:
      return 'overloaded_error';
    default:
      return status >= 500 ? 'api_error' : 'invalid_request_error';
  }
}
