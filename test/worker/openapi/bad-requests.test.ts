import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { errorAnswer } from '../../../lib/answers.ts';
import { openAiErrorAnswer } from '../../../lib/completions.ts';
import { buildDocument } from '../../../worker/openapi/document.ts';
import { type Answer, type Served, serveApp, TOKEN } from '../served-app.ts';
import { badRequests } from './bad-requests.ts';
import { listOperations } from './openapi-rules.ts';

/** Far above what any answer takes here, far below what a hang would. */
const PATIENCE_MS = 15_000;

/** Endless by their nature; their own tests have them. */
const STREAMS = ['GET /api/events'];

function listTargets({ productRoutes }: Served) {
  const document = buildDocument(productRoutes);
  return listOperations(document).filter(({ name }) => !STREAMS.includes(name));
}

function expectKnownError(path: string, { status, body, text }: Answer): void {
  if (status < 400) return;
  const schema = path.startsWith('/v1/') ? openAiErrorAnswer : errorAnswer;
  expect(v.safeParse(schema, body).success, `${status} ${text}`).toBe(true);
}

describe('a request that is wrong in any way', () => {
  it('is answered as the document says: never with 500, never with silence', async () => {
    const app = await serveApp();
    const targets = fc.constantFrom(...listTargets(app));
    const requests = targets.chain((target) => badRequests(target.operation).map((request) => ({ target, request })));
    await fc.assert(
      fc.asyncProperty(requests, async ({ target: { name, path, operation }, request }) => {
        const filled = path.replace(/[{](\w+)[}]/g, (_match, key: string) => encode(request.segments[key] ?? ''));
        const method = name.split(' ')[0] ?? '';
        const answer = await withPatience(app.call(method, `${filled}?${request.query}`, request.body), name);
        // A model that fails is no fault of the request; here none does.
        expect(answer.status, `${name} ${answer.text}`).toBeLessThan(500);
        expectKnownError(path, answer);
        // Dots are resolved by the client, so that it is another path that was asked for.
        if (filled === new URL(filled, app.url).pathname)
          expect(Object.keys(operation.responses), `${name} ${answer.text}`).toContain(String(answer.status));
      }),
      { numRuns: 400 },
    );
    expect(Object.hasOwn(Object.prototype, 'x')).toBe(false);
  });

  it('in its body is a 4xx at every route that takes one', async () => {
    const app = await serveApp();
    const json = new TextEncoder().encode('{}');
    const deep = `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`;
    const cases: [what: string, body: string | Uint8Array, headers: Record<string, string>, status: number][] = [
      ['cut off', '{"message":', {}, 400],
      ['nested without end', deep, {}, 400],
      ['with a key of the prototype', '{"__proto__":{"x":1}}', {}, 400],
      ['a list', '[]', {}, 400],
      ['nothing but text', '"x"', {}, 400],
      ['with a byte that is no UTF-8', new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), {}, 400],
      ['called compressed', json, { 'content-encoding': 'gzip' }, 400],
      ['compressed and cut off', gzipSync('{"message":"hello"}').subarray(0, 15), { 'content-encoding': 'gzip' }, 400],
      ['compressed in an unknown way', json, { 'content-encoding': 'zstd' }, 415],
      ['of another type', json, { 'content-type': 'text/xml' }, 415],
      ['of another charset', json, { 'content-type': 'application/json; charset=utf-16' }, 415],
      ['too large', `{"filler":"${'x'.repeat(1024 * 1024)}"}`, {}, 413],
      [
        'too large once unpacked',
        gzipSync(`{"filler":"${'x'.repeat(4_000_000)}"}`),
        { 'content-encoding': 'gzip' },
        413,
      ],
    ];
    for (const { path, body: schema, method } of app.routes.filter((route) => route.body !== undefined)) {
      if (schema === undefined) continue;
      for (const [what, body, headers, status] of cases) {
        const answer = await withPatience(app.call(method, path, toSent(body), headers), what);
        expect([answer.status, what, path], answer.text).toEqual([status, what, path]);
        expectKnownError(path, answer);
      }
    }
  });

  it('below HTTP is refused, and the others are served on', async () => {
    const app = await serveApp();
    const head = `Host: localhost\r\nX-Api-Key: ${TOKEN}\r\nContent-Type: application/json\r\nConnection: close\r\n`;
    for (const [what, status] of [
      [`POST /api/agent HTTP/1.1\r\n${head}Content-Length: 5\r\nContent-Length: 6\r\n\r\n{}`, 400],
      [`POST /api/agent HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, 400],
      [`GET /api/sessions/%E0%A4%A HTTP/1.1\r\n${head}\r\n`, 400],
      [`GET /api/sessions?search=%E0%A4%A HTTP/1.1\r\n${head}\r\n`, 200],
      [`GET /${'x'.repeat(20_000)} HTTP/1.1\r\n${head}\r\n`, 431],
      ['nonsense\r\n\r\n', 400],
    ] as const) {
      expect(await app.raw(what), what.slice(0, 60)).toContain(`HTTP/1.1 ${status}`);
    }
    expect((await app.call('GET', '/health')).status).toBe(200);
  });
});

/** A lone surrogate has no form in a URL. */
function encode(text: string): string {
  return encodeURIComponent(Buffer.from(text).toString());
}

function toSent(body: string | Uint8Array): string | Uint8Array {
  return typeof body === 'string' ? body : new Uint8Array(body);
}

async function withPatience<T>(answer: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`No answer: ${what}`)), PATIENCE_MS);
  });
  try {
    return await Promise.race([answer, silence]);
  } finally {
    clearTimeout(timer);
  }
}
