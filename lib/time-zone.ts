/** True for a time zone that the platform knows by its IANA name, such as `Europe/Berlin`. */
export function isTimeZone(name: string): boolean {
  // Known without `Intl`, which is slow to start.
  if (name === 'UTC') return true;
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
