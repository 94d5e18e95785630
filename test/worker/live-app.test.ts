import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import type { Credential } from '../../worker/identify.ts';
import { createLiveApp, type LiveApp } from '../../worker/live-app.ts';

const secret = (name: string): Credential => ({ mode: 'token', secret: name, source: 'test' });

/** Answers with the secret that the application asks for. */
const build =
  (credential: Credential): RequestListener =>
  (_request, response) =>
    void response.end(credential.mode === 'none' ? 'none' : credential.secret);

async function serve(app: LiveApp): Promise<(token?: string) => Promise<string>> {
  const server = createServer(app.listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return async (token) => {
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return (await fetch(`http://127.0.0.1:${port}`, { headers })).text();
  };
}

it('a changed credential counts at once, and the old one for as long as was agreed', async () => {
  const app = createLiveApp(build, secret('old'));
  const ask = await serve(app);
  expect(await ask('new')).toBe('old');
  app.rotate(secret('new'), 300);
  expect(await ask('new')).toBe('new');
  expect(await ask('old')).toBe('old');
  expect(await ask('other')).toBe('new');
  expect(await ask()).toBe('new');
  await sleep(310);
  expect(await ask('old')).toBe('new');
});

it('without grace the old credential is worth nothing from then on', async () => {
  const app = createLiveApp(build, secret('old'));
  const ask = await serve(app);
  app.rotate(secret('new'), 0);
  expect(await ask('old')).toBe('new');
});
