import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createJob, readRuns, type ToldRun, untilRuns } from '../e2e/cron-jobs.ts';
import { eventually } from '../e2e/eventually.ts';
import { type Gateway, startGateway, stopAll } from '../e2e/gateway.ts';
import { type Bot, startWorld, type World } from '../e2e/world.ts';
import { type Victim, whileSending } from './scene.ts';

const MARK = '\n\n(possible repeat after an interruption)';
const CHAT = 301;

let world: World;

beforeAll(async () => {
  world = await startWorld();
});
afterAll(async () => {
  await stopAll();
  await world.stop();
});

describe.each<Victim>(['worker', 'tree'])('after kill -9 of the %s', (victim) => {
  let bot: Bot;
  let gateway: Gateway;

  beforeEach(async () => {
    bot = await world.createBot();
    gateway = await startGateway({ config: world.configure(bot, {}, { gateway: { crashLimit: 0 } }) });
    await bot.say(CHAT, 'hello');
    await bot.texts(CHAT, 1);
  });
  afterEach(() => gateway.kill('tree'));

  /** A job that comes once, in so many milliseconds. */
  async function order(ms: number, message: string): Promise<string> {
    return createJob(gateway, {
      schedule: { kind: 'at', at: new Date(Date.now() + ms).toISOString() },
      message,
      session: 'isolated',
      delivery: { channel: 'telegram', chat_id: String(CHAT) },
    });
  }

  async function strike(): Promise<void> {
    const previous = gateway.workerPid();
    await gateway.kill(victim);
    if (victim === 'worker') await gateway.nextWorker(previous);
    else gateway = await startGateway({ home: gateway.home });
  }

  /** What became of the job, and what its chat was told. */
  async function outcome(id: string, words: string): Promise<{ runs: ToldRun[]; told: string[] }> {
    const runs = await untilRuns(gateway, id, 1);
    // What comes now comes too often.
    await sleep(1_200);
    expect(await readRuns(gateway, id)).toEqual(runs);
    const told = (await bot.answers(CHAT)).map(({ text }) => text).filter((text) => text.startsWith(words));
    return { runs, told };
  }

  const RAN_ONCE = [expect.objectContaining({ state: 'ok', attempt: 1, delivery: 'sent' })];

  it('before its slot, or while nobody was there, it runs once', async () => {
    const id = await order(150, '[[say=early]]');
    await strike();
    const { runs, told } = await outcome(id, 'early');
    expect(runs).toEqual(RAN_ONCE);
    expect(told.map((text) => text.replace(MARK, ''))).toEqual(['early']);
  });

  it.each([-20, 0, 10, 30])('%i ms from its slot, it runs once', async (ms) => {
    const id = await order(400, '[[say=around]]');
    await sleep(400 + ms);
    await strike();
    const { runs, told } = await outcome(id, 'around');
    expect(runs).toEqual(RAN_ONCE);
    // It may have been on the wire already.
    expect(new Set(told.map((text) => text.replace(MARK, '')))).toEqual(new Set(['around']));
    expect(told.filter((text) => !text.endsWith(MARK)).length).toBeLessThanOrEqual(1);
  });

  it('while the agent thinks, the same run is answered by the next worker', async () => {
    const id = await order(100, '[[delay=1500]][[say=thought]]');
    await eventually('the turn', async () => (await readRuns(gateway, id))[0]?.state === 'running');
    await strike();
    expect(await outcome(id, 'thought')).toEqual({ runs: RAN_ONCE, told: ['thought'] });
  });

  it('after the turn and before its delivery, it is delivered and marked', async () => {
    const match = { method: 'sendMessage', token: bot.token };
    await world.telegram.addFault({ match, action: 'slow', effect: 'before', delayMs: 3_000 });
    const id = await order(100, '[[say=finished]]');
    await whileSending(world, bot, 'finished');
    expect((await readRuns(gateway, id))[0]?.state).toBe('answered');
    await strike();
    const { runs, told } = await outcome(id, 'finished');
    expect(runs).toEqual(RAN_ONCE);
    expect(told.at(-1)).toBe(`finished${MARK}`);
  });
});

it('a job that ends the worker twice is given up with a word to its chat, and is not tried again', async () => {
  const bot = await world.createBot();
  const gateway = await startGateway({ config: world.configure(bot, {}, { gateway: { crashLimit: 0 } }) });
  await bot.say(CHAT, 'hello');
  await bot.texts(CHAT, 1);
  const id = await createJob(gateway, {
    schedule: '0 0 1 1 *',
    message: '[[delay=30000]]poison',
    delivery: { channel: 'telegram', chat_id: String(CHAT) },
  });
  await gateway.request('/api/cron/trigger', { method: 'POST', body: { job_id: id } });
  for (let count = 1; count <= 2; count += 1) {
    await eventually('the model thinks', async () => {
      const calls = (await world.llm.calls()).filter(({ body }) => JSON.stringify(body).includes('poison'));
      return calls.length === count && calls.at(-1)?.outcome === 'pending';
    });
    const previous = gateway.workerPid();
    await gateway.kill('worker');
    await gateway.nextWorker(previous);
  }
  expect(await untilRuns(gateway, id, 1)).toMatchObject([{ state: 'error', outcome: 'aborted', attempt: 1 }]);
  expect((await bot.texts(CHAT, 2))[1]).toContain('given up');
  await gateway.stop();
});
