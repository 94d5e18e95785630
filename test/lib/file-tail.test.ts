import { appendFileSync, closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cutToTail, linesFromEnd } from '../../lib/file-tail.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const MEGABYTE = 1_048_576;

function fileWith(content: string | Buffer): string {
  const path = join(temporaryDirectory(), 'file');
  writeFileSync(path, content);
  return path;
}

describe('the lines of a file from its end', () => {
  it.each([
    ['', []],
    ['\n', []],
    ['one', ['one']],
    ['one\n', ['one']],
    ['one\ntwo', ['two', 'one']],
    ['one\n\ntwo\n', ['two', '', 'one']],
    ['\none\n', ['one', '']],
  ])('of %j are %j', (content, lines) => {
    expect([...linesFromEnd(fileWith(content), MEGABYTE)]).toEqual(lines);
  });

  it('are whole wherever the blocks end, also in the middle of a character', () => {
    const lines = Array.from({ length: 3_000 }, (_, index) => `${index} ${'ü€'.repeat(index % 40)}`);
    expect([...linesFromEnd(fileWith(`${lines.join('\n')}\n`), 10 * MEGABYTE)].reverse()).toEqual(lines);
  });

  it('may be longer than a block', () => {
    const lines = ['a'.repeat(200_000), 'short', 'b'.repeat(65_536), 'c'.repeat(65_535)];
    expect([...linesFromEnd(fileWith(lines.join('\n')), MEGABYTE)].reverse()).toEqual(lines);
  });

  it('are none of a file that is not there, and an error of one that cannot be read', () => {
    expect([...linesFromEnd(join(temporaryDirectory(), 'none'), MEGABYTE)]).toEqual([]);
    expect(() => [...linesFromEnd(temporaryDirectory(), MEGABYTE)]).toThrow('EISDIR');
  });

  it('stop at the limit, without the line that is cut there', () => {
    const path = fileWith('first line\nsecond line\nthird line\n');
    expect([...linesFromEnd(path, 30)]).toEqual(['third line', 'second line']);
    expect([...linesFromEnd(path, 11)]).toEqual(['third line']);
  });

  it('are the end of the only line when that is longer than the limit', () => {
    expect([...linesFromEnd(fileWith(`${'x'.repeat(100)}end`), 10)]).toEqual(['xxxxxxxend']);
  });

  it('cost only as much as is read of them', () => {
    const path = fileWith(Buffer.alloc(64 * MEGABYTE, 'a line of a large file\n'));
    appendFileSync(path, '\nlast\n');
    const before = process.memoryUsage().arrayBuffers;
    const [last] = linesFromEnd(path, 64 * MEGABYTE);
    expect(last).toBe('last');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * MEGABYTE);
  });
});

describe('cutting a file to its tail', () => {
  it('keeps the newest whole lines, and its writer goes on behind them', () => {
    const path = fileWith('');
    const writer = openSync(path, 'a');
    writeSync(writer, 'first line\nsecond line\nthird line\n');
    const fd = openSync(path, 'a+');
    cutToTail(fd, 30);
    writeSync(writer, 'fourth line\n');
    expect(readFileSync(path, 'utf8')).toBe('second line\nthird line\nfourth line\n');
    closeSync(fd);
    closeSync(writer);
  });

  it('keeps the end of a single endless line', () => {
    const path = fileWith(`${'x'.repeat(100)}end`);
    const fd = openSync(path, 'a+');
    cutToTail(fd, 10);
    closeSync(fd);
    expect(readFileSync(path, 'utf8')).toBe('xxxxxxxend');
  });

  it('leaves a file alone that is smaller', () => {
    const path = fileWith('one\ntwo\n');
    const fd = openSync(path, 'a+');
    cutToTail(fd, 100);
    closeSync(fd);
    expect(readFileSync(path, 'utf8')).toBe('one\ntwo\n');
  });
});
