import { setTimeout as sleep } from 'node:timers/promises';
import { GatewayError } from '../../lib/errors.ts';
import { assertJson, LIMIT_BYTES } from './body.ts';
import type { Context } from './state.ts';

/**
 * Reads a JSON body of at most 1 MiB as it came, for signatures. Throws UNSUPPORTED_MEDIA_TYPE, PAYLOAD_TOO_LARGE, and
 * INVALID_REQUEST when it does not come within 5 seconds.
 */
export async function readRawBody(ctx: Context): Promise<Buffer> {
  assertJson(ctx);
  const encoding = ctx.get('Content-Encoding');
  if (encoding !== '' && encoding !== 'identity')
    throw new GatewayError('UNSUPPORTED_MEDIA_TYPE', 'The Content-Encoding is not supported.');
  if (Number(ctx.get('Content-Length')) > LIMIT_BYTES) throw tooLarge();
  const ending = new AbortController();
  const late = sleep(READ_MS, undefined, { signal: ending.signal }).then(() => {
    throw new GatewayError('INVALID_REQUEST', 'The body did not come in time.', { headers: CLOSE });
  });
  try {
    return await Promise.race([collect(ctx), late]);
  } finally {
    ending.abort();
    late.catch(() => undefined);
    ctx.req.removeAllListeners('data').pause();
  }
}

const READ_MS = 5_000;

/** What was not read must not be waited for. */
const CLOSE = { Connection: 'close' };

function tooLarge(): GatewayError {
  return new GatewayError('PAYLOAD_TOO_LARGE', `The body is larger than ${LIMIT_BYTES} bytes.`, { headers: CLOSE });
}

/** By its events: leaving an iteration early would cut off the answer together with the request. */
function collect({ req }: Context): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    req.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > LIMIT_BYTES) reject(tooLarge());
      else chunks.push(chunk);
    });
    req.once('end', () => resolve(Buffer.concat(chunks)));
    req.once('error', reject);
    req.once('close', () => reject(new GatewayError('INVALID_REQUEST', 'The body broke off.')));
  });
}
