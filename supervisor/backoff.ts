const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 30_000;

/** How long a worker must have served before its crashes are forgotten, in milliseconds. */
export const HEALTHY_AFTER_MS = 30_000;

/**
 * How long to wait before the next worker, in milliseconds. `crashes` counts those since the last healthy time: after the
 * first one a new worker starts at once, then 100, 200, 400 … up to 30,000 ms.
 */
export function respawnDelayMs(crashes: number): number {
  if (crashes <= 1) return 0;
  return Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (crashes - 2));
}
