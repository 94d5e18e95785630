import { expect, it } from 'vitest';
import { GatewayError } from '../../../lib/errors.ts';
import type { HttpPush } from '../../../worker/channels/plugin.ts';
import { createScriptedChannel } from '../scripted-channel.ts';
import { type Served, serveApp } from '../served-app.ts';

const STRANGER = { authorization: '' };
const KNOWN = { ...STRANGER, 'x-proof': 'right' };
const MEBIBYTE = 1024 * 1024;

/** The application with a channel that takes what proves itself with a header; `takeIn` is what it does with the body. */
async function serve(
  takeIn: (body: Buffer, request: HttpPush) => Promise<void> = async () => undefined,
): Promise<Served> {
  const channel = createScriptedChannel();
  channel.receiveHttp = async (request) => {
    if (request.header('x-proof') !== 'right') throw new GatewayError('UNAUTHORIZED', 'Not allowed.');
    const body = await request.rawBody();
    await takeIn(body, request);
    return { taken: body.length };
  };
  return serveApp({ channel });
}

it('what a platform pushes needs no credential of ours, and reaches the channel as it came', async () => {
  const seen: [string, string | undefined][] = [];
  const { call } = await serve(async (body, { accountId }) => void seen.push([body.toString(), accountId]));
  const answer = await call('POST', '/api/webhook/test', '{ "a" : 1 }', KNOWN);
  expect(answer).toMatchObject({ status: 200, body: { taken: 11 } });
  await call('POST', '/api/webhook/test/work', '{}', KNOWN);
  expect(seen).toEqual([
    ['{ "a" : 1 }', undefined],
    ['{}', 'work'],
  ]);
});

it('a channel that is not there or takes none is answered alike', async () => {
  const { call } = await serve();
  const answers = await Promise.all(
    ['none', 'webchat', 'webchat/work'].map((path) => call('POST', `/api/webhook/${path}`, '{}', KNOWN)),
  );
  expect(answers.map(({ status }) => status)).toEqual([404, 404, 404]);
  expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
  expect(answers[0]?.body).toMatchObject({ error: { code: 'CHANNEL_NOT_FOUND' } });
});

it('other methods and other paths are not open', async () => {
  const { call } = await serve();
  expect((await call('GET', '/api/webhook/test', undefined, KNOWN)).status).toBe(401);
  expect((await call('GET', '/api/webhook/test')).status).toBe(405);
  expect((await call('POST', '/api/webhook/test/work/more', '{}', KNOWN)).status).toBe(401);
  expect((await call('POST', '/api/message', '{}', KNOWN)).status).toBe(401);
});

it('who does not prove itself is refused before the body is read (CVE-2026-32980)', async () => {
  const { raw } = await serve();
  const head = `POST /api/webhook/test HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n`;
  const refused = await raw(`${head}\r\n`);
  expect(refused).toMatch(/^HTTP\/1\.1 401 /);
  expect(refused).toMatch(/^connection: close/im);
  expect(refused).toContain('"Not allowed."');
});

it('what cannot be taken in is asked for again, without a word of why', async () => {
  const { call, requests } = await serve(async () => {
    throw new Error('canary: disk full');
  });
  const answer = await call('POST', '/api/webhook/test', '{}', KNOWN);
  expect(answer.status).toBe(503);
  expect(answer.headers.get('retry-after')).toBe('1');
  expect(answer.text).not.toContain('canary');
  expect(requests.find(({ level }) => level === 'warn')?.fields['err']).toMatchObject({ message: 'canary: disk full' });
});

it('a body has its limit, its type and its time', async () => {
  const { call, raw } = await serve();
  expect((await call('POST', '/api/webhook/test', ' '.repeat(MEBIBYTE), KNOWN)).body).toEqual({ taken: MEBIBYTE });
  expect((await call('POST', '/api/webhook/test', ' '.repeat(MEBIBYTE + 1), KNOWN)).status).toBe(413);
  const typed = (headers: Record<string, string>) => call('POST', '/api/webhook/test', '{}', { ...KNOWN, ...headers });
  expect((await typed({ 'content-type': 'text/plain' })).status).toBe(415);
  expect((await typed({ 'content-encoding': 'gzip' })).status).toBe(415);
  const head = `POST /api/webhook/test HTTP/1.1\r\nHost: x\r\nX-Proof: right\r\nContent-Type: application/json\r\n`;
  const chunk = `${MEBIBYTE.toString(16)}\r\n${' '.repeat(MEBIBYTE)}\r\n`;
  expect(await raw(`${head}Transfer-Encoding: chunked\r\n\r\n${chunk}${chunk}`)).toMatch(/^HTTP\/1\.1 413 /);
});
