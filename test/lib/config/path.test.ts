import { describe, expect, it } from 'vitest';
import { parseConfigPath, readAt, setAt, unsetAt } from '../../../lib/config/path.ts';

describe('a path of a setting', () => {
  it.each([
    ['gateway.port', ['gateway', 'port']],
    ['agents.list[0].name', ['agents', 'list', '0', 'name']],
    ['channels.telegram.groups["-100.5"].enabled', ['channels', 'telegram', 'groups', '-100.5', 'enabled']],
    ['', undefined],
    ['a..b', undefined],
    ['a.', undefined],
    ['a.__proto__.b', undefined],
    ['a[x]', undefined],
  ])('%s is read as %j', (text, keys) => {
    expect(parseConfigPath(text)).toEqual(keys);
  });

  it('is read, set and unset in objects and lists', () => {
    const value = { a: { list: [1, { b: 2 }] } };
    expect(readAt(value, ['a', 'list', '1', 'b'])).toBe(2);
    expect(readAt(value, ['a', 'toString'])).toBeUndefined();
    expect(setAt(value, ['a', 'list', '1', 'b'], 3)).toEqual({ a: { list: [1, { b: 3 }] } });
    expect(setAt(value, ['a', 'list', '2'], 3)).toEqual({ a: { list: [1, { b: 2 }, 3] } });
    expect(setAt(undefined, ['x', 'y'], 1)).toEqual({ x: { y: 1 } });
    expect(unsetAt(value, ['a', 'list', '0'])).toEqual({ a: { list: [{ b: 2 }] } });
    expect(unsetAt(value, ['x', 'y'])).toEqual(value);
    expect(value).toEqual({ a: { list: [1, { b: 2 }] } });
  });

  it('that leads through something else than an object, or beyond a list, is refused', () => {
    expect(() => setAt({ a: 'text' }, ['a', 'b'], 1)).toThrow('a is no object');
    expect(() => setAt({ a: [1] }, ['a', '5'], 1)).toThrow('no such item');
    expect(() => setAt({ a: [1] }, ['a', 'x'], 1)).toThrow('no such item');
  });
});
