const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 30_000;

/** How long a worker must have served before its crashes are forgotten, in milliseconds. */
export const HEALTHY_AFTER_MS = 60_000;

/**
 * How long to wait before the next worker, in milliseconds. `crashes` counts those since the last healthy time: after the
 * first one a new worker starts at once; then starts are 250, 500, 1,000 … at most 30,000 ms apart, so that a worker that
 * lived longer than that (`sinceForkMs`) is replaced at once (SPEC 3.5).
 */
export function respawnDelayMs(crashes: number, sinceForkMs: number): number {
  if (crashes <= 1) return 0;
  const distanceMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (crashes - 2));
  return Math.max(0, distanceMs - sinceForkMs);
}

/** Spreads a delay by up to a fifth in both directions, so that several gateways on one machine do not start in step. */
export function spread(ms: number): number {
  return ms * (0.8 + Math.random() * 0.4);
}
