import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { startProxy, type TestProxy } from '../fixtures/http-proxy.ts';
import { runXopc, startGateway, stopAll } from './gateway.ts';
import { createHome } from './home.ts';
import { startWorld, type World } from './world.ts';

const PASSWORD = 'canary-of-the-proxy';

let world: World;
let proxy: TestProxy;

beforeAll(async () => {
  world = await startWorld();
});
afterEach(async () => {
  await stopAll();
  await proxy.stop();
});
afterAll(() => world.stop());

const reachesTelegram = (): boolean =>
  proxy.tunnels.some(({ target, isOpen }) => isOpen && target === new URL(world.telegram.url).host);

it('a message and its answer go through the configured proxy, whose password is in no log', async () => {
  proxy = await startProxy({ credentials: `ann:${PASSWORD}` });
  const bot = await world.createBot();
  const config = world.configure(bot, { proxy: `http://ann:${PASSWORD}@127.0.0.1:${proxy.port}` });
  const gateway = await startGateway({ config });
  await bot.say(11, 'hello');
  expect(await bot.texts(11, 1)).toEqual(['echo: hello']);
  expect(reachesTelegram()).toBe(true);
  expect(gateway.home.readLog()).not.toContain(PASSWORD);
  // The model is reached directly: the proxy is that of the channel.
  expect(proxy.tunnels.some(({ target }) => target === new URL(world.llm.url).host)).toBe(false);
});

it('a message and its answer go through the proxy of the environment, unless it excepts the server', async () => {
  proxy = await startProxy();
  const bot = await world.createBot();
  const gateway = await startGateway({ config: world.configure(bot), env: { HTTP_PROXY: proxy.url } });
  await bot.say(12, 'hello');
  expect(await bot.texts(12, 1)).toEqual(['echo: hello']);
  expect(reachesTelegram()).toBe(true);
  await gateway.stop();
  const made = proxy.tunnels.length;
  const other = await world.createBot();
  await startGateway({ config: world.configure(other), env: { HTTP_PROXY: proxy.url, NO_PROXY: '127.0.0.1' } });
  await other.say(13, 'hello');
  expect(await other.texts(13, 1)).toEqual(['echo: hello']);
  expect(proxy.tunnels).toHaveLength(made);
});

it('a SOCKS proxy is a mistake of the configuration', async () => {
  proxy = await startProxy();
  const bot = await world.createBot();
  const home = createHome(world.configure(bot, { proxy: 'socks5://127.0.0.1:1080' }));
  const { code, stderr } = await runXopc(home, ['gateway']);
  expect(code).toBe(78);
  expect(stderr).toContain('channels.telegram.proxy: names a SOCKS proxy, which cannot be used');
});
