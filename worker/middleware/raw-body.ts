import { setTimeout as sleep } from 'node:timers/promises';
import { GatewayError } from '../../lib/errors.ts';
import { assertJson, LIMIT_BYTES } from './body.ts';
import type { Context } from './state.ts';

/**
 * Reads a JSON body of at most `maxBytes` as it came, for signatures. Throws UNSUPPORTED_MEDIA_TYPE, PAYLOAD_TOO_LARGE, and
 * INVALID_REQUEST when it does not come within 5 seconds.
 */
export async function readRawBody(ctx: Context, maxBytes = LIMIT_BYTES): Promise<Buffer> {
  assertJson(ctx);
  const encoding = ctx.get('Content-Encoding');
  if (encoding !== '' && encoding !== 'identity')
    throw new GatewayError('UNSUPPORTED_MEDIA_TYPE', 'The Content-Encoding is not supported.');
  if (Number(ctx.get('Content-Length')) > maxBytes) throw tooLarge(maxBytes);
  const ending = new AbortController();
  const late = sleep(READ_MS, undefined, { signal: ending.signal }).then(() => {
    throw new GatewayError('INVALID_REQUEST', 'The body did not come in time.', { headers: CLOSE });
  });
  try {
    return await Promise.race([collect(ctx, maxBytes), late]);
  } finally {
    ending.abort();
    late.catch(() => undefined);
    ctx.req.removeAllListeners('data').pause();
  }
}

const READ_MS = 5_000;

/** What was not read must not be waited for. */
const CLOSE = { Connection: 'close' };

function tooLarge(maxBytes: number): GatewayError {
  return new GatewayError('PAYLOAD_TOO_LARGE', `The body is larger than ${maxBytes} bytes.`, { headers: CLOSE });
}

/** By its events: leaving an iteration early would cut off the answer together with the request. */
function collect({ req }: Context, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    req.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxBytes) reject(tooLarge(maxBytes));
      else chunks.push(chunk);
    });
    req.once('end', () => resolve(Buffer.concat(chunks)));
    req.once('error', reject);
    req.once('close', () => reject(new GatewayError('INVALID_REQUEST', 'The body broke off.')));
  });
}
