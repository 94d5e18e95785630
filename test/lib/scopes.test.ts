import { expect, it } from 'vitest';
import { includesScope, OPERATOR_SCOPES, widestScope } from '../../lib/scopes.ts';

it('a scope includes itself and the narrower ones', () => {
  const table = OPERATOR_SCOPES.map((held) => OPERATOR_SCOPES.map((needed) => includesScope(held, needed)));
  expect(table).toEqual([
    [true, false, false],
    [true, true, false],
    [true, true, true],
  ]);
});

it('of several scopes the widest counts, in whatever order they stand', () => {
  expect(widestScope(['operator.read'])).toBe('operator.read');
  expect(widestScope(['operator.admin', 'operator.read'])).toBe('operator.admin');
  expect(widestScope(['operator.read', 'operator.write'])).toBe('operator.write');
});
