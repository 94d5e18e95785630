/**
 * A moment (milliseconds since 1970) as `toISOString` writes it, for years up to 9999. Date's own method makes V8 load its time
 * zones, which would be a megabyte of the supervisor's memory.
 */
export function isoTime(ms: number): string {
  const time = new Date(ms);
  const day = `${digits(time.getUTCFullYear(), 4)}-${digits(time.getUTCMonth() + 1, 2)}-${digits(time.getUTCDate(), 2)}`;
  const clock = [time.getUTCHours(), time.getUTCMinutes(), time.getUTCSeconds()]
    .map((part) => digits(part, 2))
    .join(':');
  return `${day}T${clock}.${digits(time.getUTCMilliseconds(), 3)}Z`;
}

function digits(value: number, count: number): string {
  return String(value).padStart(count, '0');
}
