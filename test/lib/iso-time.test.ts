import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isoTime } from '../../lib/iso-time.ts';

it('is what toISOString writes, at any time of any year of four digits', () => {
  const lastMs = Date.parse('9999-12-31T23:59:59.999Z');
  fc.assert(
    fc.property(fc.integer({ min: Date.parse('0000-01-01T00:00:00.000Z'), max: lastMs }), (ms) => {
      expect(isoTime(ms)).toBe(new Date(ms).toISOString());
    }),
  );
  expect(isoTime(0)).toBe('1970-01-01T00:00:00.000Z');
  expect(isoTime(lastMs)).toBe('9999-12-31T23:59:59.999Z');
});
