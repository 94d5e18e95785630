import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { serveApp, TOKEN } from '../served-app.ts';

describe('a body', () => {
  const post = { message: 'hello', session: 'default' };

  it.each([
    ['text/plain', 415],
    ['', 415],
    ['application/x-www-form-urlencoded', 415],
    ['multipart/form-data; boundary=x', 415],
    ['application/json; charset=latin1', 415],
    ['application/json; charset=utf-8', 200],
    ['Application/JSON;charset="UTF-8"', 200],
  ])('sent as "%s" is answered with %i', async (type, status) => {
    const { call } = await serveApp();
    const body = new TextEncoder().encode(JSON.stringify(post));
    const answer = await call('POST', '/api/agent', body, { 'content-type': type });
    expect(answer.status).toBe(status);
    if (status === 415) expect(answer.body).toMatchObject({ error: { code: 'UNSUPPORTED_MEDIA_TYPE' } });
  });

  it.each([
    ['{', 400],
    ['nonsense', 400],
    ['"text"', 400],
    ['12', 400],
    ['null', 400],
    ['[]', 400],
    ['{"message":"a"} trailing', 400],
    ['\u0000', 400],
    [`${'['.repeat(50_000)}${']'.repeat(50_000)}`, 400],
    [`{"message":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}`, 400],
  ])('that is no JSON object of the expected form is 400 (case %#)', async (body, status) => {
    const { call } = await serveApp();
    const answer = await call('POST', '/api/agent', body);
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ error: { code: 'INVALID_REQUEST', message: expect.any(String) } });
  });

  it('of 1 MiB is read, and one byte more is 413', async () => {
    const { call } = await serveApp();
    const filler = (bytes: number): string => {
      const head = '{"message":"hi","filler":"';
      return `${head}${'x'.repeat(bytes - head.length - 2)}"}`;
    };
    expect((await call('POST', '/api/agent', filler(1024 * 1024))).status).toBe(200);
    const answer = await call('POST', '/api/agent', filler(1024 * 1024 + 1));
    expect(answer).toMatchObject({ status: 413, body: { error: { code: 'PAYLOAD_TOO_LARGE' } } });
  });

  it('in UTF-8 is read as it is, also the mark that stands for what is none; broken bytes are 400', async () => {
    const { call } = await serveApp();
    const answer = await call('POST', '/api/agent', { message: 'é 日本 💥 \ufffd' });
    expect(answer.body).toMatchObject({ reply: 'echo: é 日本 💥 \ufffd' });
    for (const bytes of [[0xff], [0xc3], [0xe2, 0x82], [0xed, 0xa0, 0x80], [0xc0, 0xaf]]) {
      const body = Buffer.concat([Buffer.from('{"message":"'), Buffer.from(bytes), Buffer.from('"}')]);
      expect(await call('POST', '/api/agent', new Uint8Array(body))).toMatchObject({
        status: 400,
        body: { error: { message: expect.stringContaining('UTF-8') } },
      });
    }
  });

  it('that is too large and of no announced length is 413, and the connection goes on', async () => {
    const { raw } = await serveApp();
    const head = `Host: localhost\r\nX-Api-Key: ${TOKEN}\r\nContent-Type: application/json\r\n`;
    const chunk = `${(256 * 1024).toString(16)}\r\n${'x'.repeat(256 * 1024)}\r\n`;
    const answers = await raw(
      `POST /api/agent HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(8)}0\r\n\r\nGET /health/live HTTP/1.1\r\n${head}Connection: close\r\n\r\n`,
    );
    expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 413', 'HTTP/1.1 200']);
  });

  it('that is compressed is unpacked; a bomb is 413, what is not gzip is 400, an unknown coding 415', async () => {
    const { call } = await serveApp();
    const send = (bytes: Uint8Array, encoding: string) =>
      call('POST', '/api/agent', new Uint8Array(bytes), { 'content-encoding': encoding });
    expect((await send(gzipSync(JSON.stringify(post)), 'gzip')).status).toBe(200);
    expect((await send(gzipSync(`{"message":"${'x'.repeat(5_000_000)}"}`), 'gzip')).status).toBe(413);
    expect((await send(new TextEncoder().encode(JSON.stringify(post)), 'gzip')).status).toBe(400);
    expect((await send(gzipSync(JSON.stringify(post)).subarray(0, 20), 'gzip')).status).toBe(400);
    expect((await send(new TextEncoder().encode(JSON.stringify(post)), 'compress')).status).toBe(415);
  });

  it('with keys of the prototype changes nothing in the program and is never a 500', async () => {
    const { call } = await serveApp();
    for (const body of [
      '{"__proto__":{"polluted":1},"message":"hi"}',
      '{"constructor":{"prototype":{"polluted":1}},"message":"hi"}',
      '{"__proto__":null}',
    ]) {
      const { status } = await call('POST', '/api/agent', body);
      expect([200, 400]).toContain(status);
    }
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  it('with several wrong fields is answered with all of them', async () => {
    const { call } = await serveApp();
    const answer = await call('POST', '/api/message', {
      channel: '  ',
      chat_id: 7,
      silent: 'yes',
      idempotency_key: 'x'.repeat(300),
    });
    expect(answer.status).toBe(400);
    const { details } = answer.body['error'] as { details: { path: string; message: string }[] };
    expect(details.map(({ path }) => path).sort()).toEqual([
      'channel',
      'chat_id',
      'content',
      'idempotency_key',
      'silent',
    ]);
    for (const { message } of details) expect(message).not.toBe('');
    expect(details.find(({ path }) => path === 'content')?.message).toContain('must not be empty');
  });

  it('that is missing is answered with the fields that it must have', async () => {
    const { call } = await serveApp();
    expect(await call('POST', '/api/agent')).toMatchObject({
      status: 400,
      body: { error: { code: 'INVALID_REQUEST', details: [{ path: 'message', message: 'is required' }] } },
    });
  });

  it('of any kind is never answered with 500', async () => {
    const app = await serveApp();
    const paths = app.routes
      .filter(({ method, path }) => method === 'POST' && path !== '/api/broken')
      .map(({ path }) => path);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), fc.json({ maxDepth: 3 }), async (path, body) => {
        const { status } = await app.call('POST', path, body);
        expect(status).toBeLessThan(500);
      }),
      { numRuns: 60 },
    );
  });
});
