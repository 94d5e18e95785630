import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createJob, readRuns, untilRuns } from './cron-jobs.ts';
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
  // A bot may only write to who has written to it.
  await bot.say(11, 'hello');
  await bot.texts(11, 1);
});
afterAll(async () => {
  await stopAll();
  await world.stop();
});

const TO_CHAT = { delivery: { channel: 'telegram', chat_id: '11' }, session: 'isolated' };

/** A date so many milliseconds from now. */
function soon(ms: number): { kind: 'at'; at: string } {
  return { kind: 'at', at: new Date(Date.now() + ms).toISOString() };
}

/** What the bot wrote in the chat that holds these words. */
async function told(words: string): Promise<string[]> {
  return (await bot.answers(11)).map(({ text }) => text).filter((text) => text.includes(words));
}

describe('a job by the clock', () => {
  it('asks the agent at its time, delivers the answer to Telegram, and is told by events', async () => {
    const events = await gateway.events('/api/events?types=cron.run');
    const id = await createJob(gateway, { ...TO_CHAT, schedule: soon(500), message: 'good morning' });
    const [run] = await untilRuns(gateway, id, 1);
    expect(run).toMatchObject({ state: 'ok', outcome: 'ok', delivery: 'sent' });
    expect(await told('good morning')).toEqual(['echo: good morning']);
    const { body } = await gateway.request(`/api/cron/${id}`);
    expect(body['job']).toMatchObject({ enabled: false, last_state: 'ok' });
    await events.find('cron.run', ({ state }) => state === 'ok');
    const states = events.events.filter(({ type }) => type === 'cron.run').map(({ data }) => data['state']);
    expect(states).toEqual(['waiting', 'running', 'ok']);
    events.close();
  });

  it('tells a text as it is', async () => {
    const payload = { kind: 'systemEvent', text: 'Drink some water' };
    const id = await createJob(gateway, { ...TO_CHAT, schedule: soon(300), payload });
    await untilRuns(gateway, id, 1);
    expect(await told('water')).toEqual(['Drink some water']);
  });

  it('ends in an error text in the chat when the model fails for the last time, and in its history', async () => {
    const message = '[[status=400]] fail please';
    const id = await createJob(gateway, { ...TO_CHAT, schedule: soon(300), message, max_retries: 0 });
    const [run] = await untilRuns(gateway, id, 1);
    expect(run).toMatchObject({ state: 'error', outcome: 'error', delivery: 'sent', reason: expect.any(String) });
    expect(await told(run?.reason ?? '?')).toHaveLength(1);
  });

  it('that has nothing to say says nothing, with a line in the log', async () => {
    const message = '[[say=NO_REPLY]]';
    const before = (await bot.answers(11)).length;
    const id = await createJob(gateway, { ...TO_CHAT, schedule: soon(300), message });
    const [run] = await untilRuns(gateway, id, 1);
    expect(run).toMatchObject({ state: 'ok', outcome: 'silent', delivery: 'none' });
    expect((await bot.answers(11)).length).toBe(before);
    expect(gateway.home.readLog()).toContain('A job tells nothing');
  });

  it('that cannot be delivered has not gone well', async () => {
    const delivery = { channel: 'telegram', chat_id: '404404' };
    const id = await createJob(gateway, { delivery, session: 'isolated', schedule: soon(300), message: 'anybody?' });
    const [run] = await untilRuns(gateway, id, 1);
    expect(run).toMatchObject({
      state: 'error',
      outcome: 'ok',
      delivery: 'failed',
      reason: expect.stringContaining('chat not found'),
    });
  });

  it('is triggered by hand as the manual says', async () => {
    const id = await createJob(gateway, { ...TO_CHAT, schedule: '0 0 1 1 *', message: 'by hand', enabled: false });
    const { status, body } = await gateway.request('/api/cron/trigger', { method: 'POST', body: { job_id: id } });
    expect([status, body]).toMatchObject([200, { status: 'ok', message: 'Task triggered' }]);
    await untilRuns(gateway, id, 1);
    expect(await told('by hand')).toEqual(['echo: by hand']);
  });
});

describe('while workers are replaced', () => {
  it('each second runs once, whoever was there, and none is missing without a reason', async () => {
    const everyMs = 1_000;
    const payload = { kind: 'systemEvent', text: 'tick' };
    const id = await createJob(gateway, {
      ...TO_CHAT,
      schedule: { kind: 'every', everyMs },
      payload,
      misfire: 'all',
      overlap: 'queue',
    });
    for (let count = 0; count < 2; count += 1) {
      const pid = gateway.workerPid();
      gateway.signal('SIGUSR1');
      await gateway.nextWorker(pid);
    }
    await eventually('some runs', async () => (await readRuns(gateway, id)).length >= 4);
    await gateway.request(`/api/cron/${id}/toggle`, { method: 'POST', body: { enabled: false } });
    const runs = (await untilRuns(gateway, id, 4)).reverse();
    const slots = runs.map(({ slot = '' }) => Date.parse(slot));
    expect(slots).toEqual(slots.map((_slot, index) => (slots[0] ?? 0) + index * everyMs));
    expect(new Set(runs.map(({ state }) => state))).toEqual(new Set(['ok']));
    expect(await told('tick')).toHaveLength(runs.length);
  });

  it('a run that began before goes on in the old one, and its slot is not run again', async () => {
    const message = '[[delay=1500]][[say=patience]]';
    const id = await createJob(gateway, { ...TO_CHAT, schedule: soon(200), message });
    await eventually('the turn', async () => (await readRuns(gateway, id))[0]?.state === 'running');
    const pid = gateway.workerPid();
    gateway.signal('SIGUSR1');
    await gateway.nextWorker(pid);
    expect(await untilRuns(gateway, id, 1)).toMatchObject([{ state: 'ok', delivery: 'sent', attempt: 1 }]);
    expect(await told('patience')).toEqual(['patience']);
  });
});
