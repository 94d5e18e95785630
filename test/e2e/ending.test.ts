import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from './eventually.ts';
import { type Gateway, startGateway, stopAll } from './gateway.ts';
import { findProcesses } from './processes.ts';
import { type Bot, startWorld, type World } from './world.ts';

let world: World;

beforeAll(async () => {
  world = await startWorld();
});
afterAll(async () => {
  await stopAll();
  await world.stop();
});

const start = async (): Promise<{ bot: Bot; gateway: Gateway }> => {
  const bot = await world.createBot();
  return { bot, gateway: await startGateway({ config: world.configure(bot) }) };
};

/** Nobody listens any more; the kernel may need a moment to clear a killed process away. */
const isRefused = (gateway: Gateway): Promise<unknown> =>
  eventually(
    'a free port',
    () =>
      gateway.request('/health').then(
        () => false,
        (error: unknown) => String(error).includes('ECONNREFUSED'),
      ),
    1_000,
  );

/** Waits until the model works on something that contains this text. */
const whileThinking = (text: string): Promise<unknown> =>
  eventually(`the model thinks about ${text}`, async () =>
    (await world.llm.calls()).some(({ outcome, body }) => outcome === 'pending' && JSON.stringify(body).includes(text)),
  );

it('SIGTERM ends an idle gateway with 0 within seconds, and lets go of everything', async () => {
  const { gateway } = await start();
  const startedAt = Date.now();
  expect(await gateway.stop()).toEqual({ code: 0, signal: null });
  expect(Date.now() - startedAt).toBeLessThan(5_000);
  expect(findProcesses(gateway.home.path)).toEqual([]);
  expect(gateway.home.readLock()).toBeUndefined();
  await isRefused(gateway);
});

it('a stop lets turns that run finish, and delivers their answers', async () => {
  const { bot, gateway } = await start();
  await bot.say(123, '[[delay=1800]] last words');
  const asked = gateway.request('/api/agent', { method: 'POST', body: { message: '[[delay=1500]] of the API' } });
  await whileThinking('last words');
  await whileThinking('of the API');
  expect(await gateway.stop()).toEqual({ code: 0, signal: null });
  expect(await asked).toMatchObject({ status: 200, body: { reply: 'echo: of the API' } });
  expect(await bot.texts(123, 1, 0)).toEqual(['echo: last words']);
});

it('a message that comes while the gateway stops is answered after the next start', async () => {
  const { bot, gateway } = await start();
  await bot.say(123, '[[delay=1500]] first');
  await whileThinking('first');
  gateway.signal('SIGTERM');
  await eventually('the drain', () => gateway.home.readLog().includes('"Draining"'));
  await bot.say(123, 'second');
  await gateway.ended;
  expect(await bot.texts(123, 1, 0)).toEqual(['echo: first']);
  const next = await startGateway({ home: gateway.home });
  expect(await bot.texts(123, 2)).toEqual(['echo: first', 'echo: second']);
  await next.kill('tree');
});

it('a second SIGINT ends it at once with 130; what was not finished is answered after the next start', async () => {
  const { bot, gateway } = await start();
  await bot.say(123, '[[delay=2500]] unfinished');
  await whileThinking('unfinished');
  gateway.signal('SIGINT');
  await eventually('the drain', () => gateway.home.readLock()?.phase === 'draining');
  const startedAt = Date.now();
  gateway.signal('SIGINT');
  expect(await gateway.ended).toEqual({ code: 130, signal: null });
  expect(Date.now() - startedAt).toBeLessThan(1_000);
  expect(findProcesses(gateway.home.path)).toEqual([]);
  const next = await startGateway({ home: gateway.home });
  expect(await bot.texts(123, 1)).toEqual(['echo: unfinished']);
  await next.kill('tree');
});

it('kill -9 of the supervisor takes the worker along and frees the port within a second; the next start takes over', async () => {
  const { bot, gateway } = await start();
  await gateway.kill('supervisor');
  await eventually('the end of the worker', () => findProcesses(gateway.home.path).length === 0, 1_000);
  await isRefused(gateway);
  const next = await startGateway({ home: gateway.home, args: ['--port', String(gateway.port)] });
  expect(next.port).toBe(gateway.port);
  await bot.say(123, 'hello');
  expect(await bot.texts(123, 1)).toEqual(['echo: hello']);
  await next.kill('tree');
});

it('the token is the same for clients that come back after a crash', async () => {
  const { gateway } = await start();
  await gateway.kill('tree');
  const next = await startGateway({ home: gateway.home });
  expect((await next.request('/api/sessions', { token: gateway.token })).status).toBe(200);
  await next.kill('tree');
});

it('a turn that does not end in time is begun again at the next start, however often that happens', async () => {
  const bot = await world.createBot();
  const config = world.configure(bot);
  const hurried = { ...config, gateway: { ...config.gateway, drainTimeout: '300ms' } };
  await world.llm.configure({ firstDelayMs: 30_000 });
  let gateway = await startGateway({ config: hurried });
  await bot.say(123, 'patience');
  for (let stops = 0; stops < 3; stops += 1) {
    await whileThinking('patience');
    expect(await gateway.stop()).toEqual({ code: 0, signal: null });
    if (stops === 2) await world.llm.configure({ firstDelayMs: 0 });
    gateway = await startGateway({ home: gateway.home });
  }
  expect(await bot.texts(123, 1)).toEqual(['echo: patience']);
  await gateway.stop();
});

it('a worker that fails by a mistake of its own leaves the reason in the log and is replaced', async () => {
  const mistake = "setTimeout(() => { throw new Error('planted mistake') }, 1200)";
  const preload = `if (process.argv[1]?.endsWith('worker/index.js')) ${mistake}`;
  const env = { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(preload)}` };
  const gateway = await startGateway({ config: {}, env });
  const first = gateway.workerPid();
  await gateway.nextWorker(first);
  expect(gateway.home.readLog()).toMatch(/"level":60.*planted mistake/);
  expect(await gateway.stop()).toMatchObject({ code: 0 });
});
