import { expect, it } from 'vitest';
import { parseLossless } from '../../lib/lossless-json.ts';

it('ids beyond what a number can hold keep all their digits', () => {
  expect(parseLossless('{"id":7451239876543210987,"ids":[-7451239876543210987],"n":42}')).toEqual({
    id: '7451239876543210987',
    ids: ['-7451239876543210987'],
    n: 42,
  });
});

it('texts and fractions stay as they are', () => {
  const json = '{"t":"a \\" 7451239876543210987 \\\\","x":1234567890123456.5,"e":1234567890123456e1}';
  expect(parseLossless(json)).toEqual(JSON.parse(json));
  expect(() => parseLossless('{"id":7451239876543210987')).toThrow(SyntaxError);
});
