import fc from 'fast-check';
import { parse } from 'jsonc-parser';
import { describe, expect, it } from 'vitest';
import { applyMergePatch, readJson, rewriteJson } from '../../../lib/config/edit-text.ts';

const FILE = `// Ours.
{
  // Where to listen.
  "gateway": {
    "port": 18790, // not 80
    "auth": { "token": "\${XOPC_TOKEN}" }
  },
  "unknown": [1, /* two */ 2],
}
`;

const edit = (text: string, change: (value: Record<string, unknown>) => unknown): string =>
  rewriteJson(text, change(readJson(text)) as Record<string, unknown>);
const patch = (text: string, value: unknown): string => edit(text, (current) => applyMergePatch(current, value));

describe('an edit of a JSON text', () => {
  it('replaces one value and nothing else', () => {
    expect(patch(FILE, { gateway: { port: 1 } })).toBe(FILE.replace('18790', '1'));
    expect(patch(FILE, { gateway: { auth: { token: 'x' } } })).toBe(FILE.replace('\x24{XOPC_TOKEN}', 'x'));
    expect(patch(FILE, { unknown: [1, 3] })).toBe(FILE.replace('*/ 2', '*/ 3'));
  });

  it('adds a key behind the last one, and its comment, in the layout of its neighbours', () => {
    expect(patch(FILE, { gateway: { bind: 'lan' } })).toBe(
      FILE.replace(' } \n', '').replace('"\x24{XOPC_TOKEN}" }', '"\x24{XOPC_TOKEN}" },\n    "bind": "lan"'),
    );
    expect(patch(FILE, { gateway: { auth: { mode: 'token' } } })).toBe(
      FILE.replace('"\x24{XOPC_TOKEN}"', '"\x24{XOPC_TOKEN}", "mode": "token"'),
    );
    expect(patch(FILE, { logging: { level: 'warn' } })).toBe(
      FILE.replace('2],', '2],\n  "logging": {\n    "level": "warn"\n  },'),
    );
    expect(patch('{\n\t"a": 1 // one\n}', { b: [] })).toBe('{\n\t"a": 1, // one\n\t"b": []\n}');
    expect(patch('{\r\n  "a": 1\r\n}\r\n', { b: { c: 1 } })).toBe(
      '{\r\n  "a": 1,\r\n  "b": {\r\n    "c": 1\r\n  }\r\n}\r\n',
    );
    expect(patch('{"a":1}', { b: { c: 1 } })).toBe('{"a":1, "b": { "c": 1 }}');
  });

  it('begins an object that is empty or not there', () => {
    expect(patch('', { a: 1 })).toBe('{\n  "a": 1\n}\n');
    expect(patch('{}', { a: 1 })).toBe('{"a": 1}');
    expect(patch('{\n  // nothing yet\n}\n', { a: 1 })).toBe('{\n  // nothing yet\n  "a": 1\n}\n');
    expect(patch('\ufeff{}\n', { a: 1 })).toBe('\ufeff{\n  "a": 1\n}\n');
  });

  it('removes a key with its line and its comma, and keeps every comment', () => {
    expect(patch(FILE, { gateway: { port: null } })).toBe(FILE.replace('"port": 18790, // not 80', '// not 80'));
    expect(patch(FILE, { gateway: null })).toBe(FILE.replace(/ {2}"gateway"[\s\S]*? {2}\},\n/, ''));
    expect(patch('{\n  "a": 1,\n  "b": 2\n}', { b: null })).toBe('{\n  "a": 1\n}');
    expect(patch('{"a": 1, "b": 2}', { a: null })).toBe('{"b": 2}');
    expect(patch('{"a": 1, "b": 2}', { b: null })).toBe('{"a": 1}');
    expect(patch('{"a": 1 /* x */, "b": 2}', { a: null })).toBe('{/* x */ "b": 2}');
    expect(patch('{"a": 1, "a": 2}', { a: null })).toBe('{}');
    expect(patch('[1]'.replace('[1]', '{"a": [1, 2, 3]}'), { a: [1] })).toBe('{"a": [1]}');
  });

  it('changes the last one of a name that stands there twice, which is the one that counts', () => {
    expect(patch('{"a": 1, "a": 2}', { a: 3 })).toBe('{"a": 1, "a": 3}');
  });

  it('leaves a key alone that would reach for the prototype', () => {
    expect(patch('{"__proto__": {"x": 1}, "a": 1}', { a: 2 })).toBe('{"__proto__": {"x": 1}, "a": 2}');
  });

  it('refuses a text that is no JSON, so that nothing is written over what a person must mend', () => {
    expect(() => patch('{"a": \n oops}', { a: 1 })).toThrow('line 2');
    expect(() => patch('[]', { a: 1 })).toThrow('one JSON object');
  });
});

const key = fc.constantFrom('a', 'b', 'gateway', 'auth', 'token', 'x y', 'é');
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<unknown>(0, 1, -2.5, true, false, null, '', '\x24{VAR}', '// no comment', '"quoted"\n'),
    fc.array(tie('any'), { maxLength: 3 }),
    fc.dictionary(key, tie('any'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).any;
const record = fc.dictionary(key, value, { maxKeys: 5, noNullPrototype: true });

/** Writes a value as people do: comments in any place, blanks, trailing commas, lines or none. */
function scribble(item: unknown, seed: () => number, count: { comments: number }): string {
  const pause = (): string => {
    const kind = seed() % 7;
    if (kind < 3) return ['', ' ', '\n  '][kind] ?? '';
    if (kind > 4) return '\n';
    count.comments += 1;
    return kind === 3 ? ` /* ${count.comments} */ ` : ` // ${count.comments}\n`;
  };
  const wrap = (open: string, parts: string[], close: string): string => {
    const end = parts.length > 0 && seed() % 2 === 0 ? `,${pause()}` : '';
    return `${open}${pause()}${parts.join(`,${pause()}`)}${pause()}${end}${close}`;
  };
  if (Array.isArray(item))
    return wrap(
      '[',
      item.map((part) => scribble(part, seed, count)),
      ']',
    );
  if (typeof item !== 'object' || item === null) return JSON.stringify(item);
  const parts = Object.entries(item).map(
    ([name, part]) => `${JSON.stringify(name)}${pause()}:${pause()}${scribble(part, seed, count)}`,
  );
  return wrap('{', parts, '}');
}

const text = fc.tuple(record, fc.array(fc.nat(), { minLength: 64, maxLength: 64 })).map(([item, seeds]) => {
  let next = 0;
  return scribble(item, () => seeds[next++ % seeds.length] ?? 0, { comments: 0 });
});

const read = (source: string): unknown => parse(source, [], { allowTrailingComma: true });

/** Comments and values as they are written, in order. */
const tokensOf = (source: string): string[] =>
  source.match(/"(?:[^"\\]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\/|[-\w.]+/g) ?? [];

describe('any edit of any text', () => {
  it('gives exactly the value that was wanted', () => {
    fc.assert(
      fc.property(text, record, (source, target) => {
        expect(read(rewriteJson(source, target))).toEqual(target);
      }),
      { numRuns: 1_000 },
    );
  });

  it('that changes nothing keeps every byte', () => {
    fc.assert(
      fc.property(text, (source) => {
        expect(rewriteJson(source, readJson(source))).toBe(source);
      }),
      { numRuns: 300 },
    );
  });

  it('that adds one key only adds: every comment, value and blank stays in its place', () => {
    fc.assert(
      fc.property(text, value, (source, item) => {
        const after = patch(source, { 'new key': item ?? 1 });
        let at = 0;
        for (const character of source.trimEnd().replace(/\s/g, '')) {
          const found = after.indexOf(character, at);
          expect(found).toBeGreaterThanOrEqual(0);
          at = found + 1;
        }
        expect(after.split('"new key"')[0]?.startsWith(source.slice(0, commonLength(source, after)))).toBe(true);
        expect(tokensOf(after).filter((token) => !tokensOf(source).includes(token)).length).toBeLessThanOrEqual(
          tokensOf(`"new key" ${JSON.stringify(item)}`).length,
        );
        if (Object.keys(readJson(source)).length > 0)
          expect(patch(after, { 'new key': null }).replace(/\s/g, '')).toBe(source.replace(/\s/g, ''));
      }),
      { numRuns: 500 },
    );
  });

  it('that replaces one plain value changes no byte outside of it', () => {
    fc.assert(
      fc.property(text, text, (left, right) => {
        const source = `{"left": ${left}, // c\n "it": "old" /* d */ , "right": ${right}}`;
        expect(patch(source, { it: 'new' })).toBe(
          source.replace('"it": "old" /* d */ , "right"', '"it": "new" /* d */ , "right"'),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('that removes one key keeps every comment and every other token', () => {
    fc.assert(
      fc.property(text, text, (left, right) => {
        const source = `{"left": ${left}, // c\n "it": "old" /* d */ , "right": ${right}}`;
        expect(tokensOf(patch(source, { it: null }))).toEqual(
          tokensOf(source).filter((token, index, all) => token !== '"it"' && all[index - 1] !== '"it"'),
        );
      }),
      { numRuns: 300 },
    );
  });
});

function commonLength(left: string, right: string): number {
  let length = 0;
  while (length < left.length && left[length] === right[length]) length += 1;
  return length;
}
