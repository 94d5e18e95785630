import { expect, it } from 'vitest';
import { monotonicMs } from '../../lib/monotonic.ts';

it('counts milliseconds at the pace of the other clock that nobody sets', () => {
  const [before, start] = [performance.now(), monotonicMs()];
  while (performance.now() - before < 20);
  const [elapsed, ours] = [performance.now() - before, monotonicMs() - start];
  expect(ours).toBeGreaterThan(19);
  expect(ours).toBeLessThan(elapsed + 20);
});
