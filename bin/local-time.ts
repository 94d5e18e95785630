/** A time as the clock on the wall shows it, `2026-03-04 05:06:07`; what is no time stays as it is. By hand: `Intl` is slow to start. */
export function formatLocalTime(time: string | number): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return String(time);
  const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map(twoDigits).join('-');
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(':');
  return `${day} ${clock}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
