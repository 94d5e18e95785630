import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { BadSchedule, type Calculator, loadCalculator } from '../../../worker/cron/calculator.ts';
import type { Schedule } from '../../../worker/store/cron-row.ts';
import { findSlots, type Wanted } from './naive-clock.ts';

const DAY = 86_400_000;
const YEAR_FROM = Date.UTC(2026, 0, 1);
const YEAR_TO = Date.UTC(2027, 0, 1);

const ZONES = [
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'America/St_Johns',
  'Asia/Shanghai',
  'Asia/Kathmandu',
  'Africa/Casablanca',
  'Pacific/Chatham',
  'UTC',
];

let calculator: Calculator;

beforeAll(async () => {
  calculator = await loadCalculator();
});

const cron = (expr: string, timezone: string): Schedule => ({ kind: 'cron', expr, timezone });

/** The slots from a time on, before another. */
function slotsBetween(schedule: Schedule, from: number, to: number): number[] {
  const slots: number[] = [];
  for (
    let slot = calculator.next(schedule, from - 1);
    slot !== undefined && slot < to;
    slot = calculator.next(schedule, slot)
  )
    slots.push(slot);
  return slots;
}

const iso = (slots: readonly number[]): string[] => slots.map((slot) => new Date(slot).toISOString().slice(0, 16));

describe('a local time on the day when the clock is put forward', () => {
  it.each([
    ['Europe/Berlin', '30 2 * * *', '2026-03-28T12:00', ['2026-03-29T01:00']],
    ['America/New_York', '30 2 * * *', '2026-03-07T12:00', ['2026-03-08T07:00']],
    // Half an hour only: 02:00 becomes 02:30.
    ['Australia/Lord_Howe', '15 2 * * *', '2026-10-03T12:00', ['2026-10-03T15:30']],
    ['Europe/Berlin', '30 2,14 * * *', '2026-03-28T14:00', ['2026-03-29T01:00', '2026-03-29T12:30']],
    ['Europe/Berlin', '*/20 2 * * *', '2026-03-28T12:00', []],
  ])('%s %s runs at the first instant after the gap, with a wildcard not at all', (zone, expr, from, expected) => {
    const at = Date.parse(`${from}Z`);
    expect(iso(slotsBetween(cron(expr, zone), at, at + DAY))).toEqual(expected);
  });
});

describe('a local time on the day when the clock is put back', () => {
  it.each([
    ['Europe/Berlin', '30 2 * * *', '2026-10-24T12:00', ['2026-10-25T00:30']],
    ['America/New_York', '30 1 * * *', '2026-10-31T12:00', ['2026-11-01T05:30']],
    ['Australia/Lord_Howe', '45 1 * * *', '2026-04-04T12:00', ['2026-04-04T14:45']],
    [
      'America/New_York',
      '*/30 1 * * *',
      '2026-10-31T12:00',
      ['2026-11-01T05:00', '2026-11-01T05:30', '2026-11-01T06:00', '2026-11-01T06:30'],
    ],
  ])('%s %s runs once, with a wildcard each time', (zone, expr, from, expected) => {
    const at = Date.parse(`${from}Z`);
    expect(iso(slotsBetween(cron(expr, zone), at, at + DAY))).toEqual(expected);
  });
});

const someOf = (max: number) => fc.uniqueArray(fc.integer({ min: 0, max }), { minLength: 1, maxLength: 3 });
const orAny = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: undefined, freq: 3 });

const anyWanted = fc.record(
  { minutes: orAny(someOf(59)), hours: orAny(someOf(23)), weekdays: someOf(6) },
  { requiredKeys: ['minutes', 'hours'] },
);

const list = (values: readonly number[] | undefined): string => values?.join(',') ?? '*';
const toExpression = ({ minutes, hours, weekdays }: Wanted): string =>
  `${list(minutes)} ${list(hours)} * * ${list(weekdays)}`;

describe('over a year of any zone', () => {
  it.each(ZONES)('fixed times in %s are those of the clock on the wall', (zone) => {
    fc.assert(
      fc.property(
        someOf(59),
        fc.uniqueArray(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 2 }),
        (minutes, hours) => {
          const wanted: Wanted = { minutes, hours };
          expect(iso(slotsBetween(cron(toExpression(wanted), zone), YEAR_FROM, YEAR_TO))).toEqual(
            iso(findSlots(wanted, zone, YEAR_FROM, YEAR_TO)),
          );
        },
      ),
      { numRuns: 3 },
    );
  });

  it('any schedule around a change of the clock is that of the clock on the wall', () => {
    const changes = [
      ['Europe/Berlin', '2026-03-29'],
      ['Europe/Berlin', '2026-10-25'],
      ['America/New_York', '2026-03-08'],
      ['America/New_York', '2026-11-01'],
      ['Australia/Lord_Howe', '2026-04-05'],
      ['Australia/Lord_Howe', '2026-10-04'],
      ['Pacific/Chatham', '2026-09-27'],
      ['America/St_Johns', '2026-11-01'],
    ] as const;
    fc.assert(
      fc.property(fc.constantFrom(...changes), anyWanted, ([zone, date], wanted) => {
        const from = Date.parse(`${date}T00:00Z`) - DAY;
        const to = from + 2 * DAY;
        expect(iso(slotsBetween(cron(toExpression(wanted), zone), from, to))).toEqual(
          iso(findSlots(wanted, zone, from, to)),
        );
      }),
      { numRuns: 60 },
    );
  });

  it('looking back finds the same slots as looking ahead', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...ZONES),
        anyWanted,
        fc.integer({ min: YEAR_FROM, max: YEAR_TO }),
        (zone, wanted, upTo) => {
          const schedule = cron(toExpression(wanted), zone);
          const back = calculator.latest(schedule, upTo, 20);
          const [oldest = upTo] = back;
          expect(iso(back)).toEqual(iso(slotsBetween(schedule, oldest, upTo + 1)));
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('other schedules', () => {
  it('of an interval are counted from their anchor, whatever the clock on the wall does', () => {
    const schedule: Schedule = { kind: 'every', everyMs: 90_000, anchorMs: 10_000 };
    expect(calculator.next(schedule, 0)).toBe(10_000);
    expect(calculator.next(schedule, 10_000)).toBe(100_000);
    expect(calculator.latest(schedule, 200_000, 2)).toEqual([100_000, 190_000]);
    expect(calculator.latest(schedule, 9_999, 2)).toEqual([]);
  });

  it('of a date come once', () => {
    const schedule: Schedule = { kind: 'at', atMs: 5_000 };
    expect(calculator.next(schedule, 4_999)).toBe(5_000);
    expect(calculator.next(schedule, 5_000)).toBeUndefined();
    expect(calculator.latest(schedule, 5_000, 10)).toEqual([5_000]);
  });

  it('read a date in the zone, unless it says its own', () => {
    expect(iso([calculator.instant('2026-07-01T09:00', 'Europe/Berlin')])).toEqual(['2026-07-01T07:00']);
    expect(iso([calculator.instant('2026-07-01T09:00:00+02:00', 'America/New_York')])).toEqual(['2026-07-01T07:00']);
    expect(iso([calculator.instant('2020-07-01T09:00Z', 'UTC')])).toEqual(['2020-07-01T09:00']);
    expect(calculator.instant('2026-07-01T09:00:01.25', 'Europe/Berlin') % 60_000).toBe(1_250);
    expect(calculator.instant('2026-07-01T09:00:01.250Z', 'Europe/Berlin') % 60_000).toBe(1_250);
  });
});

describe('what is no schedule', () => {
  it.each(['60 * * * *', 'soon', '* * * * * * *', '2026-01-01T00:00', ''])('"%s" is said to be none', (expr) => {
    expect(() => calculator.next(cron(expr, 'UTC'), 0)).toThrow(BadSchedule);
  });

  it('is a zone that nobody knows, too', () => {
    expect(() => calculator.next(cron('0 0 * * *', 'Mars/Base'), 0)).toThrow("'Mars/Base' is no time zone");
  });

  it('and a date that does not exist never comes', () => {
    expect(calculator.next(cron('0 0 31 2 *', 'UTC'), YEAR_FROM)).toBeUndefined();
    for (const text of ['31st of February', '2026-02-31T00:00', '2026-02-31T00:00Z', '2026-01-01T25:00', '2026-01-01'])
      expect(() => calculator.instant(text, 'UTC')).toThrow(BadSchedule);
  });
});
