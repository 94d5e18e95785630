import { STATUS_CODES } from 'node:http';
import type { ErrorBody } from '../lib/answers.ts';
import type { ErrorCode } from '../lib/errors.ts';
import { SECURITY_HEADERS } from '../lib/security-headers.ts';

export type RawAnswer = { status: number; code: ErrorCode; message: string; retryAfterS?: number };

/** The headers and body of an answer that is given outside the application, in the same form as inside; it closes the connection. */
export function formatAnswer({ code, message, retryAfterS }: RawAnswer): {
  headers: Record<string, string>;
  body: string;
} {
  const content: ErrorBody = { error: { code, message } };
  const body = JSON.stringify(content);
  const headers = {
    ...SECURITY_HEADERS,
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(body)),
    Connection: 'close',
    ...(retryAfterS === undefined ? {} : { 'Retry-After': String(retryAfterS) }),
  };
  return { headers, body };
}

/** The same as bytes, for a connection on which no request could be read. */
export function formatBytes(answer: RawAnswer): string {
  const { headers, body } = formatAnswer(answer);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}\r\n${lines.join('\r\n')}\r\n\r\n${body}`;
}

/** The answer to what the parser of HTTP gave up on, by the code of its error. */
export function explainParseError(code: string | undefined): RawAnswer {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return { status: 431, code: 'INVALID_REQUEST', message: 'The headers of the request are too large.' };
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return { status: 413, code: 'PAYLOAD_TOO_LARGE', message: 'The chunk extensions of the body are too large.' };
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { status: 408, code: 'INVALID_REQUEST', message: 'The request took too long to arrive.' };
    default:
      return { status: 400, code: 'INVALID_REQUEST', message: 'This is no valid HTTP request.' };
  }
}
