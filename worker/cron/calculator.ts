import type { Cron } from 'croner';
import type { Schedule } from '../store/cron-row.ts';

/** The slots of schedules. All times are epoch milliseconds. */
export type Calculator = {
  /** The first slot after a time; undefined when there is none. Throws BadSchedule. */
  next(schedule: Schedule, after: number): number | undefined;
  /** Up to `limit` of the newest slots up to a time, oldest first. Throws BadSchedule. */
  latest(schedule: Schedule, upTo: number, limit: number): number[];
  /** The instant of a date and time such as `2026-03-04T05:06` in a zone, unless it says its own. Throws BadSchedule. */
  instant(text: string, timezone: string): number;
};

/** What is wrong with a schedule, in words for who wrote it. */
export class BadSchedule extends Error {
  override readonly name = 'BadSchedule';
}

/** Schedules whose pattern is kept parsed. */
const CACHED = 256;

/**
 * Loads what works out slots. Local times follow one rule (CRON-3): a fixed time that does not exist that day is the first instant
 * after the gap, one that occurs twice is its first occurrence, and patterns with wildcards or steps follow real time.
 */
export async function loadCalculator(): Promise<Calculator> {
  const croner = await import('croner');
  const parsed = new Map<string, Cron>();

  function parse({ expr, timezone }: Extract<Schedule, { kind: 'cron' }>): Cron {
    const key = `${timezone} ${expr}`;
    const known = parsed.get(key);
    if (known !== undefined) return known;
    if (parsed.size >= CACHED) parsed.clear();
    const cron = guard(
      () => new croner.Cron(expr, { paused: true, timezone, mode: '5-or-6-parts', fixedTimeRule: 'no-wildcard' }),
    );
    // It would take the text of a date for a pattern that comes once.
    if (cron.getPattern() === undefined) throw new BadSchedule(`"${expr}" is no cron expression`);
    parsed.set(key, cron);
    return cron;
  }

  return {
    next(schedule, after) {
      switch (schedule.kind) {
        case 'cron':
          return guard(() => parse(schedule).nextRun(new Date(after))?.getTime());
        case 'every':
          return (
            Math.max(0, Math.floor((after - schedule.anchorMs) / schedule.everyMs) + 1) * schedule.everyMs +
            schedule.anchorMs
          );
        case 'at':
          return schedule.atMs > after ? schedule.atMs : undefined;
        default:
          return schedule satisfies never;
      }
    },
    latest(schedule, upTo, limit) {
      switch (schedule.kind) {
        case 'cron': {
          // Its own reference is not included, and it knows whole seconds only.
          const reference = new Date(Math.floor(upTo / 1_000) * 1_000 + 1_000);
          return guard(() => parse(schedule).previousRuns(limit, reference))
            .map((date) => date.getTime())
            .filter((slot) => slot <= upTo)
            .reverse();
        }
        case 'every': {
          const last = Math.floor((upTo - schedule.anchorMs) / schedule.everyMs);
          const count = Math.max(0, Math.min(limit, last + 1));
          return Array.from(
            { length: count },
            (_none, index) => (last - count + 1 + index) * schedule.everyMs + schedule.anchorMs,
          );
        }
        case 'at':
          return schedule.atMs <= upTo ? [schedule.atMs] : [];
        default:
          return schedule satisfies never;
      }
    },
    instant(text, timezone) {
      const { local, fraction = '', offset } = ISO_TIME.exec(text)?.groups ?? {};
      if (local === undefined || !isDate(local))
        throw new BadSchedule(`"${text}" is no date and time such as 2026-03-04T05:06`);
      if (offset !== undefined) return Date.parse(text);
      const seconds = guard(() => new croner.Cron(local, { paused: true, timezone, allowPast: true }).getOnce());
      return (seconds?.getTime() ?? 0) + Number(`0${fraction}`) * 1_000;
    },
  };
}

const ISO_TIME = /^(?<local>\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?)(?<fraction>\.\d{1,3})?(?<offset>Z|[+-]\d\d:\d\d)?$/;

/** `Date` takes the 31st of February for one of March. */
function isDate(local: string): boolean {
  const date = new Date(`${local}Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(local);
}

function guard<T>(compute: () => T): T {
  try {
    return compute();
  } catch (error) {
    throw new BadSchedule(explain(error), { cause: error });
  }
}

function explain(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text
    .replace(/^Cron\w*: /, '')
    .replace(/^Failed to convert date to timezone ('[^']*').*/, '$1 is no time zone');
}
