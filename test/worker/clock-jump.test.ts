import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { watchClock } from '../../worker/clock-jump.ts';

/** A watch over clocks that the test sets; `tick` waits until they were compared again. */
function startWatch(): {
  clocks: { wall: number; steady: number };
  jumps: number[];
  tick(): Promise<void>;
  end(): void;
} {
  const clocks = { wall: 1_000_000, steady: 0 };
  const jumps: number[] = [];
  let reads = 0;
  const end = watchClock({
    onJump: (ms) => jumps.push(ms),
    everyMs: 2,
    now() {
      reads += 1;
      return clocks.wall;
    },
    monotonic: () => clocks.steady,
  });
  onTestFinished(end);
  const tick = async (): Promise<void> => {
    const before = reads;
    await vi.waitFor(() => expect(reads).toBeGreaterThan(before + 1), { interval: 2 });
  };
  return { clocks, jumps, tick, end };
}

describe('the watch over the clocks', () => {
  it.each([
    ['put forward', 60_000, 0, 60_000],
    ['put back', -3_600_000, 0, -3_600_000],
    ['found to have gone on while the machine slept', 1_200_000, 5_000, 1_195_000],
  ])('tells once that the wall clock was %s', async (_what, wall, steady, size) => {
    const { clocks, jumps, tick } = startWatch();
    clocks.steady += steady;
    clocks.wall += wall;
    await tick();
    await tick();
    expect(jumps).toEqual([size]);
  });

  it('tells once that the process stood still', async () => {
    const { clocks, jumps, tick } = startWatch();
    // One assignment after the other without a tick between them: both clocks went on.
    clocks.steady += 1_200_000;
    clocks.wall += 1_200_000;
    await tick();
    await tick();
    expect(jumps).toEqual([1_200_000]);
  });

  it('says nothing about small corrections, however many there are', async () => {
    const { clocks, jumps, tick } = startWatch();
    for (let count = 0; count < 5; count += 1) {
      clocks.wall += 29_000;
      await tick();
    }
    expect(jumps).toEqual([]);
  });

  it('tells of every jump, until it ends', async () => {
    const { clocks, jumps, tick, end } = startWatch();
    for (const size of [40_000, 50_000]) {
      clocks.wall += size;
      await tick();
    }
    end();
    clocks.wall += 60_000;
    await new Promise((resolve) => setTimeout(resolve, 15));
    expect(jumps).toEqual([40_000, 50_000]);
  });

  it('finds nothing with the real clocks', async () => {
    const jumps: number[] = [];
    onTestFinished(watchClock({ everyMs: 2, onJump: (ms) => jumps.push(ms) }));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(jumps).toEqual([]);
  });
});
