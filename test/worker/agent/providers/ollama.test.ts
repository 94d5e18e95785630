import { createServer } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { detectLocalServer } from '../../../../worker/agent/providers/ollama.ts';
import { createOpenAiProvider } from '../../../../worker/agent/providers/openai.ts';
import { type LlmEmulator, startLlmEmulator } from '../../../emulators/start.ts';
import { closedPort } from './closed-port.ts';
import { ask, collect, textOf } from './request.ts';

let llm: LlmEmulator;
let port: string;
beforeAll(async () => {
  llm = await startLlmEmulator();
  port = new URL(llm.url).port;
});
afterAll(() => llm.stop());

const detect = (host: string, signal = new AbortController().signal) =>
  detectLocalServer({ OLLAMA_HOST: host }, signal);

it.each([
  ['host and port', () => `127.0.0.1:${port}`],
  ['a URL', () => `http://localhost:${port}/`],
  ['a port', () => `:${port}`],
  ['the address a server listens on', () => `0.0.0.0:${port}`],
])('finds a server named by %s', async (_what, host) => {
  const found = await detect(host());
  expect(found?.baseUrl).toMatch(new RegExp(`^http://(127\\.0\\.0\\.1|localhost):${port}/v1$`));
  expect(found?.models).toEqual(['emu-small', 'emu-large']);
});

it('finds what the OpenAI-compatible provider can talk to', async () => {
  const found = await detect(`127.0.0.1:${port}`);
  const provider = createOpenAiProvider({ id: 'ollama', baseUrl: found?.baseUrl ?? '', requestTimeoutMs: 2_000 });
  expect(textOf(await collect(provider, ask('hello')))).toContain('hello');
});

it('gives up at once when nobody listens', async () => {
  const started = performance.now();
  expect(await detect(`127.0.0.1:${await closedPort()}`)).toBeUndefined();
  expect(performance.now() - started).toBeLessThan(250);
});

it('gives up after 300 ms on something that never answers', async () => {
  const silent = createServer();
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const address = silent.address();
  const started = performance.now();
  expect(await detect(`127.0.0.1:${typeof address === 'object' ? address?.port : ''}`)).toBeUndefined();
  expect(performance.now() - started).toBeLessThan(600);
  silent.close();
});

it.each(['192.168.1.10:11434', 'example.com', 'https://ollama.example', 'not a url', 'http://[::2]:1'])(
  'does not go to %s',
  async (host) => {
    const started = performance.now();
    expect(await detect(host)).toBeUndefined();
    expect(performance.now() - started).toBeLessThan(200);
  },
);

it('stops when told and does not throw', async () => {
  expect(await detect(`127.0.0.1:${port}`, AbortSignal.abort())).toBeUndefined();
});
