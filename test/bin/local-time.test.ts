import { expect, it } from 'vitest';
import { formatLocalTime } from '../../bin/local-time.ts';

it('a time is shown by the clock on the wall', () => {
  const time = new Date(2026, 2, 4, 5, 6, 7);
  expect(formatLocalTime(time.toISOString())).toBe('2026-03-04 05:06:07');
  expect(formatLocalTime(time.getTime())).toBe('2026-03-04 05:06:07');
});

it('what is no time stays as it is', () => {
  expect(formatLocalTime('soon')).toBe('soon');
});
