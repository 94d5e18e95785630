import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../lib/duration.ts';

describe('a duration', () => {
  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['30', 30_000],
    ['0', 0],
    ['1.5s', 1_500],
    [' 2m ', 120_000],
    ['0.4ms', 0],
  ])('"%s" is %i ms', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  it.each([
    '',
    ' ',
    'abc',
    '5x',
    '-5s',
    '+5s',
    '5 s',
    '1e3',
    '5S',
    '5d',
    '.5s',
    '5.',
    '1h30m',
    'Infinity',
    'NaN',
    '٣s',
    `${'9'.repeat(400)}h`,
  ])('"%s" is none', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  it('is a whole number of milliseconds or nothing, whatever is read', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.double().map(String), fc.stringMatching(/^\d{1,20}(\.\d{1,5})?(ms|s|m|h)?$/)),
        (text) => {
          const value = parseDuration(text);
          if (value === undefined) return;
          expect(Number.isInteger(value)).toBe(true);
          expect(value).toBeGreaterThanOrEqual(0);
        },
      ),
    );
  });
});

describe('a duration for people', () => {
  it.each([
    [0, '0ms'],
    [850, '850ms'],
    [999, '999ms'],
    [1_000, '1s'],
    [59_999, '59s'],
    [60_000, '1m'],
    [200_000, '3m 20s'],
    [3_600_000, '1h'],
    [7_500_000, '2h 5m'],
    [86_400_000, '1d'],
    [349_200_000, '4d 1h'],
  ])('of %i ms is "%s"', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text);
  });
});
