import { isUtf8 } from 'node:buffer';
import type { Middleware } from 'koa';
import { errorMessage, GatewayError } from '../../lib/errors.ts';
import type { Context } from './state.ts';

/** The longest body. */
export const LIMIT_BYTES = 1024 * 1024;

let parser: Middleware | undefined;

/**
 * Reads a JSON body of at most 1 MiB. Throws UNSUPPORTED_MEDIA_TYPE for another content type or charset, PAYLOAD_TOO_LARGE, and
 * INVALID_REQUEST for what is no JSON. An empty body is undefined. The parser is loaded with the first body.
 */
export async function readJsonBody(ctx: Context): Promise<unknown> {
  if (!hasBody(ctx)) return undefined;
  assertJson(ctx);
  parser ??= (await import('koa-body')).koaBody({
    multipart: false,
    urlencoded: false,
    text: false,
    json: true,
    jsonLimit: LIMIT_BYTES,
  }) as Middleware;
  const bytes: Buffer[] = [];
  const collect = (chunk: Buffer): void => {
    bytes.push(chunk);
  };
  // The parser puts a mark in the place of bytes that are no UTF-8; what is compressed it unpacks unseen.
  if (ctx.get('Content-Encoding') === '') ctx.req.on('data', collect);
  try {
    await parser(ctx as never, async () => undefined);
  } catch (error) {
    // The parser stops reading; what is still on its way would stand before the next request of the connection.
    ctx.req.resume();
    throw explain(error);
  } finally {
    ctx.req.off('data', collect);
  }
  if (!isUtf8(Buffer.concat(bytes))) throw new GatewayError('INVALID_REQUEST', 'The body is not valid UTF-8.');
  const { body } = ctx.request as unknown as { body?: unknown };
  assertPlain(body);
  return body;
}

const MAX_DEPTH = 32;

/** Refuses what no honest client sends, with INVALID_REQUEST: endless nesting, and keys that reach for the prototype. */
export function assertPlain(value: unknown, depth = 0): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth >= MAX_DEPTH)
    throw new GatewayError('INVALID_REQUEST', `The body is nested deeper than ${MAX_DEPTH} levels.`);
  for (const [key, item] of Object.entries(value)) {
    if (key === '__proto__') throw new GatewayError('INVALID_REQUEST', 'The body holds the key "__proto__".');
    assertPlain(item, depth + 1);
  }
}

function hasBody(ctx: Context): boolean {
  const length = ctx.get('Content-Length');
  return ctx.get('Transfer-Encoding') !== '' || (length !== '' && length !== '0');
}

/** Throws UNSUPPORTED_MEDIA_TYPE unless the request says that its body is JSON in UTF-8. */
export function assertJson(ctx: Context): void {
  const type = ctx.get('Content-Type');
  const [mediaType = '', ...parameters] = type
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  if (mediaType !== 'application/json') {
    throw new GatewayError(
      'UNSUPPORTED_MEDIA_TYPE',
      `Send the body as application/json, not ${mediaType === '' ? 'without a Content-Type' : mediaType}.`,
    );
  }
  const charset = parameters
    .find((parameter) => parameter.startsWith('charset='))
    ?.slice(8)
    .replaceAll('"', '');
  if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8') {
    throw new GatewayError('UNSUPPORTED_MEDIA_TYPE', `JSON is read as UTF-8, not ${charset}.`);
  }
}

/** The parser answers odd codes: 500 for a body that is not what its Content-Encoding says, and raw V8 messages. */
function explain(error: unknown): GatewayError {
  const status = error instanceof Error && 'status' in error ? error.status : undefined;
  if (status === 413)
    return new GatewayError('PAYLOAD_TOO_LARGE', `The body is larger than ${LIMIT_BYTES} bytes.`, { cause: error });
  if (status === 415)
    return new GatewayError('UNSUPPORTED_MEDIA_TYPE', 'The Content-Encoding is not supported.', { cause: error });
  return new GatewayError('INVALID_REQUEST', `The body is not valid JSON: ${errorMessage(error)}`, { cause: error });
}
