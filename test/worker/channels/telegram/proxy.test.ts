import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { parseProxy } from '../../../../lib/proxy.ts';
import { startTelegramEmulator, type TelegramEmulator } from '../../../emulators/start.ts';
import { startProxy, type TestProxy } from '../../../fixtures/http-proxy.ts';
import { createSession, NEVER, type Session } from './harness.ts';

let telegram: TelegramEmulator;
let open: (Session | TestProxy)[] = [];
beforeAll(async () => {
  telegram = await startTelegramEmulator();
});
afterAll(() => telegram.stop());
afterEach(async () => {
  await Promise.all(open.map((item) => ('channel' in item ? item.channel.stop() : item.stop())));
  open = [];
});

async function begin(url: string): Promise<Session> {
  const session = await createSession(telegram, { account: { proxy: parseProxy(url) } });
  open.push(session);
  return session;
}

async function beginProxy(credentials?: string): Promise<TestProxy> {
  const proxy = await startProxy(credentials === undefined ? {} : { credentials });
  open.push(proxy);
  return proxy;
}

const state = (session: Session) => session.channel.status()[0]?.state;

it('everything goes through the proxy, in tunnels, with its credentials', async () => {
  const proxy = await beginProxy('ann:canary/word');
  const session = await begin(`http://ann:canary%2Fword@127.0.0.1:${proxy.port}`);
  await session.channel.start(NEVER);
  await telegram.userMessage({ token: session.token, chat: 42, from: 42, text: 'hello' });
  await expect.poll(session.texts).toEqual(['hello']);
  await session.send();
  const made = proxy.tunnels.length;
  expect(made).toBeGreaterThan(1);
  expect(new Set(proxy.tunnels.map(({ target, isOpen }) => `${target} ${isOpen}`))).toEqual(
    new Set([`${new URL(telegram.url).host} true`]),
  );
  expect(proxy.forwarded).toEqual([]);
  await session.channel.stop();
  expect(session.logged.join('\n')).not.toContain('canary/word');
});

it('a proxy that lets nobody through is told, and nothing that was to be sent is in doubt', async () => {
  const proxy = await beginProxy('ann:word');
  const session = await begin(proxy.url);
  await session.channel.start(NEVER);
  await expect.poll(() => state(session)).toBe('degraded');
  expect(session.lastError()).toContain('Proxy response (407)');
  await expect(session.send()).rejects.toMatchObject({ name: 'Unreachable' });
});

it('a proxy that is not there is told, too', async () => {
  const gone = await startProxy();
  await gone.stop();
  const session = await begin(gone.url);
  await session.channel.start(NEVER);
  await expect.poll(() => state(session)).toBe('degraded');
  expect(session.lastError()).toContain('ECONNREFUSED');
  await expect(session.send()).rejects.toMatchObject({ name: 'Unreachable' });
});

it('a stop ends a poll that is held at the other end of a tunnel', async () => {
  const proxy = await beginProxy();
  const session = await begin(proxy.url);
  await session.channel.start(NEVER);
  await expect.poll(async () => (await telegram.calls({ token: session.token, method: 'getUpdates' })).length).toBe(2);
  const startedAt = performance.now();
  await session.channel.stop();
  expect(performance.now() - startedAt).toBeLessThan(2_000);
});

it('a proxy that cannot be used takes the account down, and says what to change', async () => {
  const session = await begin('socks5://127.0.0.1:1080');
  await session.channel.start(NEVER);
  expect(state(session)).toBe('down');
  expect(session.lastError()).toContain('names a SOCKS proxy');
  expect(session.lastError()).toContain('channels.telegram.proxy');
  await expect(session.send()).rejects.toMatchObject({ name: 'Unreachable' });
});
