import type { SlotPlan } from '../store/cron-ledger.ts';
import type { CronJob, JobDefinition, Misfire, Schedule, Slot } from '../store/cron-row.ts';
import type { Calculator } from './calculator.ts';

/** So late a slot still counts as met, in milliseconds: a restart or a busy moment is no absence. */
const PUNCTUAL_MS = 60_000;

/** A slot that was missed is made up for within half of the time to the next one, and within this at most. */
const MAX_GRACE_MS = 2 * 3_600_000;

/** A job that comes once is of use longer. */
const ONCE_GRACE_MS = 24 * 3_600_000;

/** Missed slots that are looked at one by one; those before are passed over together. */
const MAX_MADE_UP = 100;

/** The slot that comes first after a time, and when it is due; undefined when none comes. Throws BadSchedule. */
export function findNextSlot(
  { schedule, jitterMs }: Pick<JobDefinition, 'schedule' | 'jitterMs'>,
  after: number,
  calculator: Calculator,
): Slot | undefined {
  const slotAt = calculator.next(schedule, after);
  if (slotAt === undefined) return undefined;
  if (jitterMs === 0) return { slotAt, dueAt: slotAt };
  // Never into the next slot's time.
  const following = calculator.next(schedule, slotAt) ?? Number.POSITIVE_INFINITY;
  const room = Math.min(jitterMs, (following - slotAt) / 2);
  return { slotAt, dueAt: slotAt + Math.floor(Math.random() * room) };
}

/**
 * Decides what becomes of the slots of a job that have come by `now`: the one that was waited for runs, and of several that were
 * missed those that the job wants made up for, which are always the newest. Throws BadSchedule.
 */
export function planSlots(job: CronJob, now: number, calculator: Calculator): SlotPlan {
  const { schedule, misfire, next: waited } = job;
  if (waited === undefined) return { due: [], next: undefined };
  const upTo = Math.max(now, waited.slotAt);
  const next = findNextSlot(job, upTo, calculator);
  const newest = calculator.latest(schedule, upTo, MAX_MADE_UP).filter((slot) => slot >= waited.slotAt);
  const come = newest.length === 0 ? [waited.slotAt] : newest;
  const last = come.at(-1) ?? waited.slotAt;
  const lateMs = now - (last === waited.slotAt ? waited.dueAt : last);
  const graceMs = graceOf(misfire, schedule, (next?.slotAt ?? Number.POSITIVE_INFINITY) - last);
  const due = misfire === 'all' ? come : lateMs <= graceMs ? [last] : [];
  const to = findLastMissed(come, due.length, waited.slotAt, (before) => calculator.latest(schedule, before, 1)[0]);
  if (to === undefined) return { due, next };
  return { due, next, missed: { from: waited.slotAt, to, reason: explainMiss(misfire, due.length > 0) } };
}

/** How late the newest slot may be and still run. */
function graceOf(misfire: Misfire, schedule: Schedule, periodMs: number): number {
  if (misfire === 'skip') return PUNCTUAL_MS;
  if (schedule.kind === 'at') return ONCE_GRACE_MS;
  return Math.max(PUNCTUAL_MS, Math.min(MAX_GRACE_MS, periodMs / 2));
}

/** The last one of the slots that do not run; those that do are the newest `dueCount`. */
function findLastMissed(
  come: readonly number[],
  dueCount: number,
  first: number,
  latest: (upTo: number) => number | undefined,
): number | undefined {
  const missed = come.at(-1 - dueCount);
  if (missed !== undefined) return missed;
  const oldest = come[0] ?? first;
  return oldest > first ? Math.max(first, latest(oldest - 1) ?? first) : undefined;
}

function explainMiss(misfire: Misfire, isMadeUp: boolean): string {
  if (misfire === 'skip') return 'missed while the gateway was not there';
  if (isMadeUp) return 'missed while the gateway was not there; a later slot ran instead';
  return 'missed while the gateway was not there, and too long ago to be made up for';
}
