import { beforeAll, describe, expect, it } from 'vitest';
import { type Calculator, loadCalculator } from '../../../worker/cron/calculator.ts';
import { findNextSlot, planSlots } from '../../../worker/cron/plan-slots.ts';
import type { CronJob, Misfire, Schedule } from '../../../worker/store/cron-row.ts';

const HOUR = 3_600_000;
const NOON = Date.UTC(2026, 5, 1, 12);

let calculator: Calculator;

beforeAll(async () => {
  calculator = await loadCalculator();
});

const HOURLY: Schedule = { kind: 'cron', expr: '0 * * * *', timezone: 'UTC' };
const DAILY: Schedule = { kind: 'cron', expr: '0 12 * * *', timezone: 'UTC' };
const EACH_SECOND: Schedule = { kind: 'every', everyMs: 1_000, anchorMs: 0 };

/** A job that waits for its slot at noon. */
function jobOf(schedule: Schedule, misfire: Misfire, dueAt = NOON): CronJob {
  return {
    id: 'a',
    schedule,
    timezone: 'UTC',
    payload: { kind: 'agentTurn', message: 'hello' },
    session: 'main',
    overlap: 'skip',
    misfire,
    jitterMs: 0,
    maxRetries: 0,
    enabled: true,
    revision: 1,
    next: { slotAt: NOON, dueAt },
    failures: 0,
    createdAt: 0,
    updatedAt: 0,
  };
}

describe.each<Misfire>(['skip', 'once', 'all'])('a slot that is met in time, with misfire %s', (misfire) => {
  it.each([0, 1, 59_000])('%i ms late runs', (lateMs) => {
    expect(planSlots(jobOf(HOURLY, misfire), NOON + lateMs, calculator)).toEqual({
      due: [NOON],
      next: { slotAt: NOON + HOUR, dueAt: NOON + HOUR },
    });
  });
});

describe('slots that were missed', () => {
  const late = NOON + 3 * HOUR + 20 * 60_000;

  it('run not at all when the job wants nothing made up for', () => {
    const { due, missed, next } = planSlots(jobOf(HOURLY, 'skip'), late, calculator);
    expect(due).toEqual([]);
    expect(missed).toMatchObject({ from: NOON, to: NOON + 3 * HOUR });
    expect(next?.slotAt).toBe(NOON + 4 * HOUR);
  });

  it('run once, the newest, within half of the time to the next one', () => {
    expect(planSlots(jobOf(HOURLY, 'once'), late, calculator)).toMatchObject({
      due: [NOON + 3 * HOUR],
      missed: { from: NOON, to: NOON + 2 * HOUR },
    });
    const tooLate = planSlots(jobOf(HOURLY, 'once'), late + 20 * 60_000, calculator);
    expect(tooLate).toMatchObject({ due: [], missed: { from: NOON, to: NOON + 3 * HOUR } });
  });

  it('are too old to be made up for after two hours, however rare they are', () => {
    expect(planSlots(jobOf(DAILY, 'once'), NOON + 2 * HOUR, calculator).due).toEqual([NOON]);
    expect(planSlots(jobOf(DAILY, 'once'), NOON + 2 * HOUR + 1, calculator).due).toEqual([]);
  });

  it('run all when the job wants that', () => {
    const { due, missed } = planSlots(jobOf(HOURLY, 'all'), late, calculator);
    expect(due).toEqual([NOON, NOON + HOUR, NOON + 2 * HOUR, NOON + 3 * HOUR]);
    expect(missed).toBeUndefined();
  });

  it('run a hundred of them at most, and those before are passed over by name', () => {
    const { due, missed } = planSlots(jobOf(EACH_SECOND, 'all'), NOON + 500_000, calculator);
    expect(due).toHaveLength(100);
    expect(due.at(-1)).toBe(NOON + 500_000);
    expect(missed).toMatchObject({ from: NOON, to: NOON + 400_000 });
  });

  it('of a month without the gateway are found at once', () => {
    const startedAt = performance.now();
    const { due, missed, next } = planSlots(jobOf(EACH_SECOND, 'once'), NOON + 720 * HOUR, calculator);
    expect([due, missed?.to, next?.slotAt]).toEqual([
      [NOON + 720 * HOUR],
      NOON + 720 * HOUR - 1_000,
      NOON + 720 * HOUR + 1_000,
    ]);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });
});

describe('a job that comes once', () => {
  const once: Schedule = { kind: 'at', atMs: NOON };

  it('runs up to a day later, and nothing comes after it', () => {
    expect(planSlots(jobOf(once, 'once'), NOON + 23 * HOUR, calculator)).toEqual({ due: [NOON], next: undefined });
    const tooLate = planSlots(jobOf(once, 'once'), NOON + 25 * HOUR, calculator);
    expect(tooLate).toMatchObject({ due: [], missed: { from: NOON, to: NOON }, next: undefined });
  });
});

describe('jitter', () => {
  it('makes a slot due later, never after half of the time to the next one', () => {
    const dues = Array.from({ length: 200 }, () =>
      findNextSlot({ schedule: HOURLY, jitterMs: 24 * HOUR }, NOON, calculator),
    );
    const delays = dues.map((next) => (next?.dueAt ?? 0) - NOON - HOUR);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...delays)).toBeLessThan(HOUR / 2);
    expect(new Set(delays).size).toBeGreaterThan(100);
    expect(new Set(dues.map((next) => next?.slotAt))).toEqual(new Set([NOON + HOUR]));
  });

  it('is no lateness', () => {
    const job = jobOf(HOURLY, 'skip', NOON + 25 * 60_000);
    expect(planSlots(job, NOON + 25 * 60_000, calculator)).toMatchObject({
      due: [NOON],
      next: { slotAt: NOON + HOUR },
    });
  });
});

it('a slot that was waited for and is none any more runs all the same, as the ledger was promised', () => {
  const job = { ...jobOf(HOURLY, 'once'), next: { slotAt: NOON + 1, dueAt: NOON + 1 } };
  expect(planSlots(job, NOON + 1, calculator)).toMatchObject({ due: [NOON + 1], next: { slotAt: NOON + HOUR } });
});
