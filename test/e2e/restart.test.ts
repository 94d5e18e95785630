import { afterAll, beforeAll, expect, it } from 'vitest';
import { startLoad } from '../supervisor/http-load.ts';
import { isRunning } from '../supervisor/running-supervisor.ts';
import { eventually } from './eventually.ts';
import { type Gateway, startGateway, stopAll } from './gateway.ts';
import { type Bot, startWorld, type World } from './world.ts';

let world: World;
let bot: Bot;
let gateway: Gateway;

beforeAll(async () => {
  world = await startWorld();
  bot = await world.createBot();
  gateway = await startGateway({ config: world.configure(bot) });
});
afterAll(async () => {
  await stopAll();
  await world.stop();
});

/** Restarts by signal and waits for the worker that takes over. */
const restart = async (): Promise<number> => {
  const previous = gateway.workerPid();
  gateway.signal('SIGUSR1');
  return gateway.nextWorker(previous);
};

it('three restarts under 40 clients fail no request, and each brings a new worker', async () => {
  const load = startLoad(gateway.port, 40, '/health');
  const pids = [gateway.workerPid()];
  for (let round = 0; round < 3; round += 1) {
    pids.push(await restart());
    await eventually('the end of the old worker', () => !isRunning(pids.at(-2) ?? 0));
  }
  const { total, failures, generations } = await load.stop();
  expect(failures).toEqual([]);
  expect(generations).toEqual([1, 2, 3, 4]);
  expect(total).toBeGreaterThan(100);
  expect(new Set(pids).size).toBe(4);
});

it('turns that run in the old worker are answered once, and new ones do not wait for them', async () => {
  const previous = gateway.workerPid();
  await bot.say(11, '[[delay=2500]] slow');
  const api = gateway.request('/api/agent', { method: 'POST', body: { message: '[[delay=2000]] slow API' } });
  const stream = await gateway.events('/api/agent', {
    method: 'POST',
    body: { message: '[[chunks=8]][[gap=250]] a slow stream', session: 'stream' },
  });
  await stream.find('token');
  await eventually('both turns', async () => {
    const running = (await world.llm.calls()).filter(({ outcome }) => outcome === 'pending');
    return running.length === 3;
  });
  await restart();
  await bot.say(12, 'quick');
  expect(await bot.texts(12, 1, 1_500)).toEqual(['echo: quick']);
  expect(await bot.answers(11)).toEqual([]);
  expect(await api).toMatchObject({ status: 200, body: { reply: 'echo: slow API' } });
  expect((await stream.find('result')).data).toMatchObject({ reply: 'echo: a slow stream' });
  expect(await bot.texts(11, 1)).toEqual(['echo: slow']);
  await eventually('the end of the old worker', () => !isRunning(previous));
  await bot.say(11, 'next');
  expect(await bot.texts(11, 2)).toEqual(['echo: slow', 'echo: next']);
});

it('a message that waits behind a turn of the old worker is answered after it, in order', async () => {
  await bot.say(13, '[[delay=1500]] one');
  await eventually('the turn', async () => (await world.llm.calls()).some(({ outcome }) => outcome === 'pending'));
  await bot.say(13, 'two');
  await restart();
  await bot.say(13, 'three');
  expect(await bot.texts(13, 3)).toEqual(['echo: one', 'echo: two', 'echo: three']);
});

it('watchers are told, sent away and welcome at the new worker', async () => {
  const first = await gateway.events();
  await gateway.request('/api/agent', { method: 'POST', body: { message: 'before' } });
  const { id = '' } = await first.find('message.received');
  await restart();
  await first.find('gateway.draining');
  expect(await first.ended).toBe('end');
  expect(first.retry()).toBeLessThanOrEqual(1_000);
  const second = await gateway.events('/api/events', { headers: { 'Last-Event-ID': id } });
  await second.find('connected');
  await gateway.request('/api/agent', { method: 'POST', body: { message: 'after' } });
  await second.find('message.received', ({ content }) => content === 'after');
  second.close();
});

it('two workers never poll at the same time', async () => {
  const polls = await world.telegram.calls({ token: bot.token, method: 'getUpdates' });
  expect(polls.filter(({ pollsInFlight, outcome }) => pollsInFlight !== 1 || outcome === 409)).toEqual([]);
});

it('a restart is refused when the configuration says so', async () => {
  const { home } = gateway;
  home.configure(world.configure(bot, {}, { commands: { restart: false } }));
  const previous = gateway.workerPid();
  gateway.signal('SIGUSR1');
  await eventually('the refusal', () => home.readLog().includes('Restart refused'));
  expect(gateway.workerPid()).toBe(previous);
});

it('a restart into a broken configuration leaves the old worker serving', async () => {
  const { home } = gateway;
  const previous = gateway.workerPid();
  home.configure({ agents: { maxConcurrentTurns: 0 } });
  gateway.signal('SIGUSR1');
  await eventually('the failure', () => home.readLog().includes('The new worker failed'));
  expect(gateway.workerPid()).toBe(previous);
  expect(isRunning(previous)).toBe(true);
  await bot.say(14, 'still there?');
  expect(await bot.texts(14, 1)).toEqual(['echo: still there?']);
});
