import { describe, expect, it } from 'vitest';
import { memoryLimit, type WatchFinding, WorkerWatch } from '../../supervisor/worker-watch.ts';

const LIMITS = { hangTimeoutMs: 15_000, maxRssBytes: 100 };

/** Ticks each second from one moment to another and collects what is found. */
function tickUntil(watch: WorkerWatch, from: number, to: number): WatchFinding[] {
  const found: WatchFinding[] = [];
  for (let now = from; now <= to; now += 1_000) found.push(...watch.tick(now));
  return found;
}

describe('silence', () => {
  it('makes a worker suspect after 5 s and hung after 15 s, once each', () => {
    const watch = new WorkerWatch(LIMITS);
    watch.hear(1, 0);
    expect(tickUntil(watch, 0, 60_000)).toEqual([
      { t: 'worker.suspect', generation: 1, silentMs: 5_000 },
      { t: 'worker.hung', generation: 1, silentMs: 15_000 },
    ]);
  });

  it('that ends is forgiven, and a new one counts from its own beginning', () => {
    const watch = new WorkerWatch(LIMITS);
    watch.hear(1, 0);
    expect(tickUntil(watch, 0, 9_000)).toHaveLength(1);
    watch.hear(1, 9_500);
    expect(tickUntil(watch, 10_000, 14_000)).toEqual([]);
    expect(tickUntil(watch, 15_000, 15_000)).toEqual([{ t: 'worker.suspect', generation: 1, silentMs: 5_500 }]);
  });

  it('of a worker that was never heard, or is gone, means nothing', () => {
    const watch = new WorkerWatch(LIMITS);
    watch.hear(2, 0);
    watch.forget(2);
    expect(tickUntil(watch, 0, 60_000)).toEqual([]);
  });

  it('makes suspect after a third of a short timeout', () => {
    const watch = new WorkerWatch({ ...LIMITS, hangTimeoutMs: 6_000 });
    watch.hear(1, 0);
    expect(
      tickUntil(watch, 0, 10_000).map((finding) => [finding.t, 'silentMs' in finding && finding.silentMs]),
    ).toEqual([
      ['worker.suspect', 2_000],
      ['worker.hung', 6_000],
    ]);
  });

  it('is no silence when a sign of life comes a little later than the look, also with the shortest timeouts', () => {
    const watch = new WorkerWatch({ ...LIMITS, hangTimeoutMs: 3_000 });
    watch.hear(1, 0);
    const found: WatchFinding[] = [];
    for (let now = 1_001; now < 60_000; now += 1_001) {
      found.push(...watch.tick(now));
      watch.hear(1, now + 2);
    }
    expect(found).toEqual([]);
    expect(tickUntil(watch, 61_000, 61_000)).toMatchObject([{ t: 'worker.suspect', generation: 1 }]);
  });

  it('is allowed without end when the timeout is 0', () => {
    const watch = new WorkerWatch({ ...LIMITS, hangTimeoutMs: 0 });
    watch.hear(1, 0);
    expect(tickUntil(watch, 0, 100_000)).toEqual([]);
  });

  it('is nobody’s fault when the watch itself was late: the machine slept', () => {
    const watch = new WorkerWatch(LIMITS);
    watch.hear(1, 0);
    expect(tickUntil(watch, 0, 3_000)).toEqual([]);
    expect(watch.tick(3_600_000)).toEqual([]);
    expect(tickUntil(watch, 3_601_000, 3_604_000)).toEqual([]);
    expect(tickUntil(watch, 3_605_000, 3_605_000)).toEqual([{ t: 'worker.suspect', generation: 1, silentMs: 5_000 }]);
  });

  it('is nobody’s fault when the machine slept before the first look', () => {
    const watch = new WorkerWatch(LIMITS);
    watch.hear(1, 0);
    expect(watch.tick(20_000)).toEqual([]);
  });
});

describe('memory', () => {
  it('above the limit for a minute is reported, and again after another minute', () => {
    const watch = new WorkerWatch(LIMITS);
    const found: WatchFinding[] = [];
    for (let now = 0; now <= 130_000; now += 1_000) {
      watch.hear(1, now, 101);
      found.push(...watch.tick(now));
    }
    expect(found.map(({ t }) => t)).toEqual(['worker.bloated', 'worker.bloated']);
  });

  it('that falls below it in between is not', () => {
    const watch = new WorkerWatch(LIMITS);
    const found: WatchFinding[] = [];
    for (let now = 0; now <= 130_000; now += 1_000) {
      watch.hear(1, now, now % 50_000 === 0 ? 99 : 101);
      found.push(...watch.tick(now));
    }
    expect(found).toEqual([]);
  });

  it('is no matter without a limit', () => {
    const watch = new WorkerWatch({ ...LIMITS, maxRssBytes: 0 });
    for (let now = 0; now <= 70_000; now += 1_000) {
      watch.hear(1, now, 2 ** 40);
      expect(watch.tick(now)).toEqual([]);
    }
  });

  it('limits can be changed while it watches', () => {
    const watch = new WorkerWatch({ ...LIMITS, hangTimeoutMs: 0 });
    watch.hear(1, 0);
    expect(tickUntil(watch, 0, 20_000)).toEqual([]);
    watch.setLimits(LIMITS);
    expect(tickUntil(watch, 21_000, 21_000)).toMatchObject([{ t: 'worker.hung' }]);
  });
});

describe('the memory limit', () => {
  it('is what is configured, else most of what the machine has', () => {
    expect(memoryLimit(300)).toBe(300 * 2 ** 20);
    expect(memoryLimit(0)).toBe(0);
    expect(memoryLimit(undefined)).toBeGreaterThan(100 * 2 ** 20);
  });
});

describe('memory far above the limit', () => {
  it('is reported after five seconds already', () => {
    const watch = new WorkerWatch(LIMITS);
    const found: WatchFinding[] = [];
    for (let now = 0; now <= 5_000; now += 1_000) {
      watch.hear(1, now, 126);
      found.push(...watch.tick(now));
    }
    expect(found.map(({ t }) => t)).toEqual(['worker.bloated']);
  });
});
