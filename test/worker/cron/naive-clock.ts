/** The slots of simple schedules, worked out by looking at every minute on a clock on the wall; it knows nothing of the product. */

export type Wanted = {
  /** Minutes and hours to match; undefined is any. */
  minutes: readonly number[] | undefined;
  hours: readonly number[] | undefined;
  /** 0 is Sunday; undefined is any. */
  weekdays?: readonly number[];
};

type Stretch = { from: number; to: number; offsetMs: number };

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** All slots from `from` on and before `to`, epoch milliseconds, both whole hours. A fixed time is one without any and every. */
export function findSlots(wanted: Wanted, zone: string, from: number, to: number): number[] {
  const stretches = findStretches(zone, from, to);
  const isFixed = wanted.minutes !== undefined && wanted.hours !== undefined;
  const slots = new Set<number>();
  for (const [index, stretch] of stretches.entries()) {
    const before = stretches[index - 1];
    // The hours that the clock showed before it was put back are not shown as new ones to a fixed time.
    const repeatedUntil = before === undefined ? Number.NEGATIVE_INFINITY : stretch.from + before.offsetMs;
    for (let at = stretch.from; at < stretch.to; at += MINUTE) {
      const local = at + stretch.offsetMs;
      if (matches(wanted, local) && !(isFixed && local < repeatedUntil)) slots.add(at);
    }
    // The hours that were left out when the clock was put forward end at its first instant.
    const leftOut = before === undefined ? 0 : stretch.offsetMs - before.offsetMs;
    for (let skipped = 0; isFixed && skipped < leftOut; skipped += MINUTE) {
      if (matches(wanted, stretch.from + stretch.offsetMs - leftOut + skipped)) slots.add(stretch.from);
    }
  }
  return [...slots].sort((one, other) => one - other);
}

function matches({ minutes, hours, weekdays }: Wanted, local: number): boolean {
  const date = new Date(local);
  return (
    (minutes === undefined || minutes.includes(date.getUTCMinutes())) &&
    (hours === undefined || hours.includes(date.getUTCHours())) &&
    (weekdays === undefined || weekdays.includes(date.getUTCDay()))
  );
}

/** The times between two changes of the clock, with what it shows ahead of UTC. */
function findStretches(zone: string, from: number, to: number): Stretch[] {
  const readOffset = createOffsetReader(zone);
  const stretches: Stretch[] = [];
  for (let at = from, offsetMs = readOffset(from); at < to; ) {
    let end = at;
    while (end < to && readOffset(end) === offsetMs) end += HOUR;
    // Some clocks change at half past.
    while (end > at && end < to && readOffset(end - MINUTE) !== offsetMs) end -= MINUTE;
    stretches.push({ from: at, to: Math.min(end, to), offsetMs });
    at = end;
    if (at < to) offsetMs = readOffset(at);
  }
  return stretches;
}

function createOffsetReader(timeZone: string): (at: number) => number {
  const format = new Intl.DateTimeFormat('en', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
  const known = new Map<number, number>();
  return (at) => {
    const found = known.get(at);
    if (found !== undefined) return found;
    const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0 } = parts;
    const offset = Date.UTC(year, month - 1, day, hour, minute) - at;
    known.set(at, offset);
    return offset;
  };
}
