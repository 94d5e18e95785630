import { describe, expect, it } from 'vitest';
import { HEALTHY_AFTER_MS, respawnDelayMs } from '../../supervisor/backoff.ts';

describe('respawnDelayMs', () => {
  it('starts the next worker at once after the first crash', () => {
    expect(respawnDelayMs(0)).toBe(0);
    expect(respawnDelayMs(1)).toBe(0);
  });

  it('doubles from 100 ms', () => {
    expect([2, 3, 4, 5, 6].map(respawnDelayMs)).toEqual([100, 200, 400, 800, 1_600]);
  });

  it('never exceeds 30 s, however often a worker crashed', () => {
    expect([10, 11, 40, 2_000].map(respawnDelayMs)).toEqual([25_600, 30_000, 30_000, 30_000]);
    expect(HEALTHY_AFTER_MS).toBe(30_000);
  });
});
