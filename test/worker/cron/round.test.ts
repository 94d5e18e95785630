import { describe, expect, it, vi } from 'vitest';
import { Rejected } from '../../../worker/channels/plugin.ts';
import type { CronJob } from '../../../worker/store/cron-row.ts';
import { LeaseLost } from '../../../worker/store/lease.ts';
import { createGate } from '../scripted-channel.ts';
import { endless } from '../scripted-provider.ts';
import { createCronBench, HOUR, HOURLY, NOON } from './cron-bench.ts';

describe('a slot', () => {
  it('is waited for with a timer of half a minute at most, and runs when it is due', async () => {
    const bench = await createCronBench();
    const job = await bench.add();
    bench.clock.now = NOON - 50_000;
    expect(await bench.settle()).toBe(30_000);
    expect(await bench.settle(NOON - 10_000)).toBe(10_000);
    expect(await bench.history(job.id)).toEqual([]);
    await bench.settle(NOON);
    expect(bench.gateway.channel.textsOf('7')).toEqual(['echo: report']);
    const [run] = await bench.history(job.id);
    expect(run).toMatchObject({
      slotAt: NOON,
      state: 'ok',
      outcome: 'ok',
      delivery: 'sent',
      summary: 'echo: report',
      attempt: 1,
    });
    expect((await bench.store.cronJobs.get(job.id))?.next).toEqual({ slotAt: NOON + HOUR, dueAt: NOON + HOUR });
  });

  it('tells by events what becomes of it', async () => {
    const bench = await createCronBench();
    const job = await bench.add();
    await bench.settle(NOON);
    const told = bench.gateway.seen.filter(({ type }) => type === 'cron.run').map(({ data }) => data);
    expect(told).toMatchObject([
      { job_id: job.id, state: 'waiting', slot: '2026-06-01T12:00:00.000Z', trigger: 'schedule' },
      {
        job_id: job.id,
        state: 'running',
        session: expect.stringMatching(`^main:cron:default:direct:${job.id}:thread:`),
      },
      { job_id: job.id, state: 'ok', delivery: 'sent' },
    ]);
  });

  it('runs over 60 days each day, though no timer is longer than half a minute', async () => {
    const bench = await createCronBench();
    const job = await bench.add({ schedule: { kind: 'cron', expr: '0 12 1 8 *', timezone: 'UTC' } });
    const august = Date.UTC(2026, 7, 1, 12);
    for (let now = NOON; now < august; now += 24 * HOUR) expect(await bench.round(now)).toBe(30_000);
    await bench.settle(august);
    expect(await bench.states(job.id)).toEqual(['ok']);
  });

  it('that the machine slept over is made up for or passed over, and each has its row', async () => {
    const bench = await createCronBench();
    const job = await bench.add();
    await bench.settle(NOON + 5 * HOUR + 60_000);
    expect(await bench.history(job.id)).toMatchObject([
      { state: 'skipped', slotAt: NOON, slotEnd: NOON + 4 * HOUR, reason: expect.stringContaining('missed') },
      { state: 'ok', slotAt: NOON + 5 * HOUR },
    ]);
  });

  it('comes twice when the clock is set back, and runs once', async () => {
    const bench = await createCronBench();
    const job = await bench.add();
    await bench.settle(NOON);
    bench.clock.now = NOON - 600_000;
    await bench.rewind();
    expect((await bench.store.cronJobs.get(job.id))?.next?.slotAt).toBe(NOON);
    await bench.settle(NOON);
    expect(await bench.states(job.id)).toEqual(['ok']);
    expect((await bench.store.cronJobs.get(job.id))?.next?.slotAt).toBe(NOON + HOUR);
  });

  it('is waited for anew when the clock was years ahead', async () => {
    const bench = await createCronBench();
    bench.clock.now = Date.UTC(2031, 0, 1);
    const job = await bench.add();
    await bench.settle(Date.UTC(2031, 0, 1, 2));
    bench.clock.now = NOON - 1_000;
    await bench.rewind();
    expect((await bench.store.cronJobs.get(job.id))?.next?.slotAt).toBe(NOON);
  });
});

describe('while the run before is not over', () => {
  it('a slot is passed over, or waits for it, as the job says', async () => {
    const bench = await createCronBench();
    bench.gateway.provider.answers.push(endless('x'), endless('x'));
    const skipping = await bench.add();
    const queueing = await bench.add({ overlap: 'queue' });
    await bench.round(NOON);
    await vi.waitFor(() => expect(bench.gateway.provider.requests).toHaveLength(2));
    await bench.round(NOON + HOUR);
    expect(await bench.states(skipping.id)).toEqual(['running', 'skipped']);
    expect(await bench.states(queueing.id)).toEqual(['running', 'waiting']);
    for (const id of [skipping.id, queueing.id]) {
      const [run] = await bench.history(id);
      bench.gateway.runs.abort({ runId: run?.runId ?? '' });
    }
    await bench.settle();
    expect(await bench.states(skipping.id)).toEqual(['error', 'skipped']);
    expect(await bench.states(queueing.id)).toEqual(['error', 'ok']);
    expect((await bench.history(skipping.id))[1]?.reason).toBe('the run before was not over');
    expect((await bench.history(skipping.id))[0]?.reason).toContain('it was stopped');
  });

  it('no more runs begin than the configuration allows, in the order they came', async () => {
    const bench = await createCronBench({
      config: {
        cron: { maxConcurrentJobs: 2 },
        gateway: { heartbeat: { enabled: false } },
        agents: { defaults: { model: 'scripted/model' } },
      },
    });
    bench.gateway.provider.answers.push(endless(), endless());
    const jobs: CronJob[] = [];
    for (let index = 0; index < 4; index += 1)
      jobs.push(await bench.add({ schedule: { kind: 'every', everyMs: HOUR, anchorMs: NOON + index } }));
    await bench.round(NOON + 10);
    await vi.waitFor(() => expect(bench.gateway.provider.requests).toHaveLength(2));
    expect(await bench.round()).toBe(1_000);
    const states = async (): Promise<string[][]> => Promise.all(jobs.map(({ id }) => bench.states(id)));
    expect(await states()).toEqual([['running'], ['running'], ['waiting'], ['waiting']]);
    for (const job of jobs.slice(0, 2))
      bench.gateway.runs.abort({ runId: (await bench.history(job.id))[0]?.runId ?? '' });
    await bench.settle();
    expect(await states()).toEqual([['error'], ['error'], ['ok'], ['ok']]);
  });
});

describe('a run that fails', () => {
  it('is tried again after half a minute, then a minute; only the last failure is told', async () => {
    const bench = await createCronBench();
    const broken = new Error('no such model');
    bench.gateway.provider.answers.push(broken, broken, broken);
    const job = await bench.add({ maxRetries: 2 });
    await bench.settle(NOON);
    expect(await bench.states(job.id)).toEqual(['error', 'waiting']);
    expect(bench.gateway.channel.textsOf('7')).toEqual([]);
    expect(await bench.settle(NOON + 20_000)).toBe(10_000);
    await bench.settle(NOON + 30_000);
    expect(await bench.settle(NOON + 80_000)).toBe(10_000);
    await bench.settle(NOON + 90_000);
    expect(await bench.states(job.id)).toEqual(['error', 'error', 'error']);
    expect(bench.gateway.channel.textsOf('7')).toEqual([expect.stringContaining('no such model')]);
    expect((await bench.store.cronJobs.get(job.id))?.failures).toBe(3);
    await bench.settle(NOON + HOUR);
    expect((await bench.store.cronJobs.get(job.id))?.failures).toBe(0);
  });

  it('is not tried again once the next slot has come', async () => {
    const bench = await createCronBench();
    bench.gateway.provider.answers.push(new Error('down'));
    const job = await bench.add({ maxRetries: 3, schedule: { kind: 'every', everyMs: 10_000, anchorMs: NOON } });
    await bench.settle(NOON);
    await bench.settle(NOON + 10_000);
    expect(await bench.history(job.id)).toMatchObject([
      { state: 'error', attempt: 1 },
      { state: 'skipped', attempt: 2, reason: expect.stringContaining('next slot') },
      { state: 'ok', slotAt: NOON + 10_000 },
    ]);
  });

  it('is told to the owner once it is not tried again', async () => {
    const owner = { channel: 'test', chatId: '99' };
    const bench = await createCronBench({
      config: { alerts: { owner }, agents: { defaults: { model: 'scripted/model' } } },
    });
    bench.gateway.provider.answers.push(new Error('down'));
    await bench.add({ name: 'Report' });
    await bench.settle(NOON);
    await vi.waitFor(() => expect(bench.gateway.channel.textsOf('99')).toEqual([expect.stringContaining('"Report"')]));
  });
});

describe('the delivery of an answer', () => {
  it('is part of the result', async () => {
    const bench = await createCronBench();
    bench.gateway.channel.script.set('7', [new Rejected('chat not found')]);
    const job = await bench.add();
    await bench.settle(NOON);
    expect(await bench.history(job.id)).toMatchObject([
      { state: 'error', outcome: 'ok', delivery: 'failed', reason: 'not delivered: chat not found' },
    ]);
  });

  it('does not hold up the next slot while it waits', async () => {
    const bench = await createCronBench();
    const gate = createGate();
    bench.gateway.channel.script.set('7', [gate.step]);
    const job = await bench.add();
    await bench.round(NOON);
    await vi.waitFor(() => expect(gate.isReached()).toBe(true));
    await bench.round(NOON + HOUR);
    await vi.waitFor(async () => expect(await bench.states(job.id)).toEqual(['answered', 'answered']));
    gate.pass();
    await bench.settle();
    expect(await bench.states(job.id)).toEqual(['ok', 'ok']);
  });

  it('of an answer that says nothing is left out, and the conversation stays as it was', async () => {
    const bench = await createCronBench();
    bench.gateway.provider.answers.push('NO_REPLY');
    const job = await bench.add({ session: 'main' });
    await bench.settle(NOON);
    expect(bench.gateway.channel.sent).toEqual([]);
    expect(await bench.history(job.id)).toMatchObject([
      { state: 'ok', outcome: 'silent', delivery: 'none', summary: 'NO_REPLY' },
    ]);
    expect(await bench.store.sessions.get('main:test:default:direct:7')).toBeUndefined();
    expect(bench.gateway.logged.some(({ message }) => message === 'A job tells nothing')).toBe(true);
  });
});

describe('the conversation of a job', () => {
  it('is that of its chat when it is the main one, and what was said there is known', async () => {
    const bench = await createCronBench();
    await bench.add({ session: 'main' });
    await bench.settle(NOON);
    await bench.settle(NOON + HOUR);
    expect(bench.gateway.provider.requests[1]?.messages.map(({ text }) => text)).toEqual([
      'report',
      'echo: report',
      'report',
    ]);
  });

  it('is another one for each run when it is isolated', async () => {
    const bench = await createCronBench();
    const job = await bench.add();
    await bench.settle(NOON);
    await bench.settle(NOON + HOUR);
    expect(bench.gateway.provider.requests[1]?.messages.map(({ text }) => text)).toEqual(['report']);
    const keys = (await bench.history(job.id)).map(({ sessionKey }) => sessionKey);
    expect(new Set(keys).size).toBe(2);
  });

  it('is the web chat when there is no other chat', async () => {
    const bench = await createCronBench();
    const { target: _none, ...rest } = HOURLY;
    const id = 'without';
    const next = { slotAt: NOON, dueAt: NOON };
    await bench.store.cronJobs.insert({ id, definition: { ...rest, session: 'main' }, enabled: true, next });
    await bench.settle(NOON);
    expect(await bench.history(id)).toMatchObject([
      { state: 'ok', delivery: 'sent', sessionKey: 'main:webchat:default:direct:default' },
    ]);
  });
});

describe('a job that tells a text', () => {
  it('delivers it as it is, without a model, and the agent knows of it', async () => {
    const bench = await createCronBench();
    const job = await bench.add({ session: 'main', payload: { kind: 'systemEvent', text: 'Drink water' } });
    await bench.settle(NOON);
    expect(bench.gateway.channel.textsOf('7')).toEqual(['Drink water']);
    expect(bench.gateway.provider.requests).toEqual([]);
    expect(await bench.states(job.id)).toEqual(['ok']);
    const messages = await bench.store.sessions.messages('main:test:default:direct:7', { limit: 10 });
    expect(messages).toMatchObject([{ role: 'assistant', text: 'Drink water' }]);
  });
});

describe('a job that is removed', () => {
  it('while it is being answered is not heard of again', async () => {
    const bench = await createCronBench();
    bench.gateway.provider.answers.push(endless('half a'));
    const job = await bench.add({ session: 'main' });
    await bench.round(NOON);
    await vi.waitFor(() => expect(bench.gateway.provider.requests).toHaveLength(1));
    await bench.gateway.jobs.remove(job.id);
    await vi.waitFor(async () => expect(await bench.store.inbox.count()).toBe(0));
    expect(bench.gateway.channel.sent).toEqual([]);
    expect(await bench.store.cronJobs.get(job.id)).toBeUndefined();
    expect(await bench.history(job.id)).toEqual([]);
    await bench.settle(NOON + HOUR);
  });
});

describe('what cannot be read', () => {
  it('stops that job alone', async () => {
    const bench = await createCronBench();
    const gone = await bench.add({ schedule: { kind: 'every', everyMs: HOUR, anchorMs: NOON } });
    const schedule = { kind: 'cron', expr: '0 * * * *', timezone: 'Mars/Base' } as const;
    await bench.store.cronJobs.update(gone.id, 1, {
      definition: { ...HOURLY, schedule },
      enabled: true,
      next: { slotAt: NOON, dueAt: NOON },
    });
    const other = await bench.add();
    await bench.settle(NOON);
    expect(await bench.states(other.id)).toEqual(['ok']);
    expect(await bench.history(gone.id)).toMatchObject([
      { state: 'skipped', reason: expect.stringContaining("'Mars/Base' is no time zone") },
    ]);
    expect((await bench.store.cronJobs.get(gone.id))?.enabled).toBe(false);
  });

  it('such as a message that got lost ends its run as failed', async () => {
    const bench = await createCronBench();
    bench.gateway.provider.answers.push(endless());
    const job = await bench.add();
    await bench.round(NOON);
    await vi.waitFor(() => expect(bench.gateway.provider.requests).toHaveLength(1));
    const [run] = await bench.history(job.id);
    const row = (await bench.store.inbox.ofSession(run?.sessionKey ?? ''))[0];
    if (row !== undefined) await bench.store.turns.finish({ row, owner: 'w1', messages: [], outbox: [] });
    await bench.round();
    expect(await bench.history(job.id)).toMatchObject([{ state: 'error', reason: 'its message was lost' }]);
    bench.gateway.runs.abortAll();
  });

  it('such as an agent that is gone passes the slot over with the reason', async () => {
    const bench = await createCronBench();
    const job = await bench.add({ agentId: 'gone' });
    await bench.settle(NOON);
    expect(await bench.history(job.id)).toMatchObject([
      { state: 'skipped', reason: expect.stringContaining('"gone"') },
    ]);
  });
});

describe('two who look after the same jobs', () => {
  it('are told apart by the lease: the older one changes nothing', async () => {
    const bench = await createCronBench();
    const job = await bench.add();
    const other = bench.open();
    await other.leases.take('w2');
    await expect(bench.round(NOON)).rejects.toThrow(LeaseLost);
    expect(await bench.history(job.id)).toEqual([]);
    expect((await bench.store.cronJobs.get(job.id))?.next?.slotAt).toBe(NOON);
  });

  it('never run a slot twice, even under the same lease', async () => {
    const bench = await createCronBench();
    const job = await bench.add();
    await Promise.all([bench.round(NOON), bench.round(NOON), bench.round(NOON)]);
    await bench.settle();
    expect(await bench.states(job.id)).toEqual(['ok']);
    expect(bench.gateway.channel.textsOf('7')).toHaveLength(1);
  });
});
