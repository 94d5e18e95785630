import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseEnvFile, readEnvFile } from '../../lib/env-file.ts';
import { temporaryDirectory } from './temporary-directory.ts';

describe('a line of an environment file', () => {
  it.each([
    ['A=1', { A: '1' }],
    ['A=one two', { A: 'one two' }],
    ['  A = 1  ', { A: '1' }],
    ['export A=1', { A: '1' }],
    ['  export\tA=1', { A: '1' }],
    ['export=1', { export: '1' }],
    ['_a1=x', { _a1: 'x' }],
    ['A=x=y=', { A: 'x=y=' }],
    ['A=', {}],
    ['A=""', {}],
    ["A=''", {}],
    ['A=1 # remark', { A: '1' }],
    ['A= # remark', {}],
    ['A=#1', { A: '#1' }],
    ['A=a#b', { A: 'a#b' }],
    ['A="a # b" # remark', { A: 'a # b' }],
    ["A='a # b'", { A: 'a # b' }],
    ['A="  padded  "', { A: '  padded  ' }],
    [String.raw`A="a\nb\tc\rd\"e\\f\$g"`, { A: 'a\nb\tc\rd"e\\f$g' }],
    [String.raw`A='a\nb"c'`, { A: String.raw`a\nb"c` }],
    [String.raw`A="C:\xopc\it's"`, { A: String.raw`C:\xopc\it's` }],
    [String.raw`A=a\nb`, { A: String.raw`a\nb` }],
    [String.raw`A="ends with \\"`, { A: 'ends with \\' }],
    ['A=it\'s "so"', { A: 'it\'s "so"' }],
    ['A=$HOME/$(id)`id`', { A: '$HOME/$(id)`id`' }],
    [`A="\${HOME}"`, { A: `\${HOME}` }],
    ['A=中文😀', { A: '中文😀' }],
    ['__proto__=x', Object.fromEntries([['__proto__', 'x']])],
    ['', {}],
    ['   ', {}],
    ['# A=1', {}],
    ['  # A=1', {}],
  ])('%j gives %j', (text, values) => {
    expect(parseEnvFile(text)).toEqual({ values, problems: [] });
  });

  it.each([
    ['just text', 'no-assignment'],
    ['export A', 'no-assignment'],
    ['=1', 'bad-name'],
    ['1A=1', 'bad-name'],
    ['A-B=1', 'bad-name'],
    ['A B=1', 'bad-name'],
    ['"A"=1', 'bad-name'],
    ['ключ=1', 'bad-name'],
    ['A="open', 'open-quote'],
    ["A='open", 'open-quote'],
    ['A="', 'open-quote'],
    [String.raw`A="open\"`, 'open-quote'],
    ['A="a"b', 'text-after-quote'],
    ["A='a' 'b'", 'text-after-quote'],
    ['A="a"#b', 'text-after-quote'],
    ['A=a\0b', 'zero-byte'],
  ])('%j is refused as %s', (text, cause) => {
    expect(parseEnvFile(text)).toEqual({ values: {}, problems: [{ line: 1, cause }] });
  });
});

describe('an environment file', () => {
  it('may have any line breaks and a byte order mark, and the last value of a name counts', () => {
    const { values, problems } = parseEnvFile('\ufeffA=1\r\nB=2\r\n\r\n# no\r\nA=3\r\nB=\n');
    expect(problems).toEqual([]);
    expect(values).toEqual({ A: '3' });
  });

  it('is judged as a whole, each problem with its line', () => {
    expect(parseEnvFile('A=1\n\nnonsense\nB="2\nC=3').problems).toEqual([
      { line: 3, cause: 'no-assignment' },
      { line: 4, cause: 'open-quote' },
    ]);
  });

  it('tells whether other users may open it', () => {
    const path = join(temporaryDirectory(), 'gateway.env');
    writeFileSync(path, 'A=1\n', { mode: 0o600 });
    expect(readEnvFile(path)).toEqual({ values: { A: '1' }, problems: [], isOpenToOthers: false });
    chmodSync(path, 0o640);
    expect(readEnvFile(path).isOpenToOthers).toBe(true);
  });

  it('that is not there is an error of the system', () => {
    expect(() => readEnvFile(join(temporaryDirectory(), 'no.env'))).toThrow('ENOENT');
  });
});
