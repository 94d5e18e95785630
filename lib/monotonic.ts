/**
 * Milliseconds since this process started, by a clock that nobody sets. The global `performance` would do as well, but is loaded
 * at its first use and then takes 0.3 MB.
 */
export function monotonicMs(): number {
  return process.uptime() * 1_000;
}
