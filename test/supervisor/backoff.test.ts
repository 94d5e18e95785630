import { describe, expect, it } from 'vitest';
import { respawnDelayMs, spread } from '../../supervisor/backoff.ts';

describe('the pause before the next worker', () => {
  it('is none after the first crash, then doubles from 250 ms', () => {
    expect([0, 1, 2, 3, 4, 5, 6].map((crashes) => respawnDelayMs(crashes, 0))).toEqual([
      0, 0, 250, 500, 1_000, 2_000, 4_000,
    ]);
  });

  it('never exceeds 30 s', () => {
    expect([9, 10, 50, 2_000].map((crashes) => respawnDelayMs(crashes, 0))).toEqual([30_000, 30_000, 30_000, 30_000]);
  });

  it('counts from the start of the last worker, so that one which lived long enough is replaced at once', () => {
    expect(respawnDelayMs(4, 400)).toBe(600);
    expect(respawnDelayMs(4, 1_000)).toBe(0);
    expect(respawnDelayMs(4, 60_000)).toBe(0);
  });
});

describe('spreading a pause', () => {
  it('moves it by at most a fifth, and not always by the same', () => {
    const values = Array.from({ length: 100 }, () => spread(1_000));
    expect(Math.min(...values)).toBeGreaterThanOrEqual(800);
    expect(Math.max(...values)).toBeLessThanOrEqual(1_200);
    expect(new Set(values).size).toBeGreaterThan(10);
  });
});
