import { describe, expect, it, vi } from 'vitest';
import { createScheduler, type Scheduler } from '../../../worker/cron/scheduler.ts';
import { type CronBench, createCronBench, HOUR, NOON } from './cron-bench.ts';

function schedulerOf(bench: CronBench): Scheduler {
  return createScheduler({ ...bench.gateway, workspaceDir: '/nonexistent', now: () => bench.clock.now });
}

describe('the scheduler', () => {
  it('looks as soon as it starts, when it is woken and when the clock jumps, until it stops', async () => {
    const bench = await createCronBench();
    const scheduler = schedulerOf(bench);
    const job = await bench.add();
    bench.clock.now = NOON;
    await scheduler.start(bench.tenure.epoch);
    const untilRuns = (count: number): Promise<void> =>
      vi.waitFor(async () => expect(await bench.states(job.id)).toEqual(Array(count).fill('ok')), 5_000);
    await untilRuns(1);
    bench.clock.now = NOON + HOUR;
    scheduler.wake();
    await untilRuns(2);
    bench.clock.now = NOON + 2 * HOUR;
    scheduler.followClock(HOUR);
    await untilRuns(3);
    await scheduler.stop();
    bench.clock.now = NOON + 3 * HOUR;
    scheduler.wake();
    scheduler.followClock(HOUR);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(await bench.states(job.id)).toHaveLength(3);
  });

  it('brings a job forward when the clock is set back', async () => {
    const bench = await createCronBench();
    bench.clock.now = Date.UTC(2031, 0, 1);
    const job = await bench.add();
    const scheduler = schedulerOf(bench);
    await scheduler.start(bench.tenure.epoch);
    bench.clock.now = Date.UTC(2031, 0, 1, 1);
    scheduler.wake();
    await vi.waitFor(async () => expect(await bench.states(job.id)).toEqual(['ok']), 5_000);
    bench.clock.now = NOON - 1_000;
    scheduler.followClock(-5 * 365 * 24 * HOUR);
    await vi.waitFor(async () => expect((await bench.store.cronJobs.get(job.id))?.next?.slotAt).toBe(NOON));
    await scheduler.stop();
  });

  it('does nothing when the configuration says so, nor under a lease that is over', async () => {
    const off = await createCronBench({ config: { cron: { enabled: false } } });
    const job = await off.add();
    off.clock.now = NOON;
    const idle = schedulerOf(off);
    await idle.start(off.tenure.epoch);
    idle.wake();
    const bench = await createCronBench();
    const other = await bench.add();
    const late = schedulerOf(bench);
    await bench.open().leases.take('w2');
    bench.clock.now = NOON;
    await late.start(bench.tenure.epoch);
    await vi.waitFor(() =>
      expect(bench.gateway.logged.map(({ message }) => message)).toContain('Another worker looks after the jobs'),
    );
    expect(await off.history(job.id)).toEqual([]);
    expect(await bench.history(other.id)).toEqual([]);
    await Promise.all([idle.stop(), late.stop()]);
  });
});

describe('what is old', () => {
  it('is forgotten: runs with the conversations they had to themselves', async () => {
    const bench = await createCronBench();
    const job = await bench.add();
    await bench.settle(NOON);
    await bench.settle(NOON + HOUR);
    expect((await bench.store.sessions.list({ limit: 9, offset: 0, sort: 'updated', channel: 'cron' })).total).toBe(2);
    await bench.store.pruneCron(NOON + 1);
    expect(await bench.history(job.id)).toMatchObject([{ slotAt: NOON + HOUR }]);
    await bench.store.pruneCron(Math.max(Date.now(), NOON) + 2 * HOUR);
    expect((await bench.store.sessions.list({ limit: 9, offset: 0, sort: 'updated', channel: 'cron' })).total).toBe(0);
    expect(await bench.history(job.id)).toEqual([]);
  });
});
