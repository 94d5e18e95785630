import { appendFileSync, mkdirSync, readdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LogReader } from '../../bin/log-reader.ts';
import { openLogFile } from '../../lib/log-file.ts';
import { temporaryDirectory } from '../lib/temporary-directory.ts';

const BLOCK = 64 * 1024;
const all = (): boolean => true;

function makeLog(files: Readonly<Record<string, string>>): string {
  const path = join(temporaryDirectory(), 'logs', 'gateway.log');
  mkdirSync(dirname(path));
  for (const [suffix, content] of Object.entries(files)) writeFileSync(`${path}${suffix}`, content);
  return path;
}

function open(path: string, isFollowing = false): LogReader {
  const reader = new LogReader(path, { isFollowing });
  onTestFinished(() => reader.close());
  return reader;
}

function readAll(reader: LogReader): string[] {
  return [...reader.read()].flat();
}

function readLast(path: string, count: number, accepts = all): string[] {
  const reader = open(path);
  reader.seekLast(count, accepts);
  return readAll(reader);
}

/** What is there since the last look. */
function readNew(reader: LogReader): string[] {
  reader.refresh();
  return readAll(reader);
}

function openFollower(path: string): LogReader {
  const reader = open(path, true);
  reader.seekLast(0, all);
  expect(readAll(reader)).toEqual([]);
  return reader;
}

function rotate(path: string): void {
  rmSync(`${path}.4`, { force: true });
  for (const index of [3, 2, 1]) moveIfExists(`${path}.${index}`, `${path}.${index + 1}`);
  moveIfExists(path, `${path}.1`);
}

function moveIfExists(from: string, to: string): void {
  if (readdirSync(dirname(from)).some((name) => from.endsWith(`/${name}`))) renameSync(from, to);
}

describe('the last lines', () => {
  it('come from as many files as it takes, the oldest first', () => {
    const path = makeLog({ '': 'e\nf\n', '.1': 'c\nd\n', '.2': 'a\nb\n' });
    expect(readLast(path, 1)).toEqual(['f']);
    expect(readLast(path, 2)).toEqual(['e', 'f']);
    expect(readLast(path, 3)).toEqual(['d', 'e', 'f']);
    expect(readLast(path, 6)).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
    expect(readLast(path, 100)).toHaveLength(6);
  });

  it('are all there although a file is missing or empty, as in the middle of a move', () => {
    expect(readLast(makeLog({ '.1': 'b\n', '.3': 'a\n' }), 5)).toEqual(['a', 'b']);
    expect(readLast(makeLog({ '': '', '.1': 'a\nb\n' }), 1)).toEqual(['b']);
    expect(readLast(makeLog({ '': '' }), 5)).toEqual([]);
  });

  it('are counted after the filter', () => {
    const path = makeLog({ '': 'x4\ny\nx5\ny\n', '.1': 'y\nx1\ny\nx2\nx3\n' });
    const reader = open(path);
    reader.seekLast(3, (line) => line.startsWith('x'));
    expect(readAll(reader).filter((line) => line.startsWith('x'))).toEqual(['x3', 'x4', 'x5']);
  });

  it('end with what has no line break yet', () => {
    expect(readLast(makeLog({ '': 'a\nb\nhalf' }), 2)).toEqual(['b', 'half']);
    expect(readLast(makeLog({ '': 'half' }), 2)).toEqual(['half']);
  });

  it('are whole when a character of several bytes lies on the border of two blocks', () => {
    for (let shift = 0; shift < 6; shift += 1) {
      const line = '龙😀'.repeat(30);
      const lines = Array.from({ length: 1_000 }, (_, index) => `${index} ${line}`);
      const path = makeLog({ '': `${'x'.repeat(shift)}\n${lines.join('\n')}\n` });
      expect(readLast(path, 1_000)).toEqual(lines);
      expect(readLast(path, 700)).toEqual(lines.slice(300));
    }
  });

  it('may be longer than a block', () => {
    const long = '长'.repeat(BLOCK);
    const path = makeLog({ '': `a\n${long}\nb\n${long}\n` });
    expect(readLast(path, 1)).toEqual([long]);
    expect(readLast(path, 3)).toEqual([long, 'b', long]);
    expect(readLast(path, 9)).toEqual(['a', long, 'b', long]);
  });

  it('are the last lines, whatever the lines and the files are', () => {
    const line = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 30 }).map((text) => `.${text.replace(/[\n\r]/g, '')}`),
      fc.integer({ min: 60_000, max: 70_000 }).map((length) => 'é'.repeat(length)),
    );
    fc.assert(
      fc.property(
        fc.array(fc.array(line, { maxLength: 8 }), { minLength: 1, maxLength: 5 }),
        fc.nat(30),
        (files, count) => {
          const suffixes = files.map((_, index) => (index === 0 ? '' : `.${index}`));
          const path = makeLog(
            Object.fromEntries(
              suffixes.map((suffix, index) => [suffix, (files[index] ?? []).map((text) => `${text}\n`).join('')]),
            ),
          );
          const lines = [...files].reverse().flat();
          expect(readLast(path, count)).toEqual(count === 0 ? [] : lines.slice(-count));
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('a log that is followed', () => {
  it('gives each line once, when it is whole', () => {
    const path = makeLog({ '': 'old\nha' });
    const reader = openFollower(path);
    expect(readNew(reader)).toEqual([]);
    appendFileSync(path, 'lf\nnext\nbegun');
    expect(readNew(reader)).toEqual(['half', 'next']);
    appendFileSync(path, ' and done\n');
    expect(readNew(reader)).toEqual(['begun and done']);
    expect(readNew(reader)).toEqual([]);
  });

  it('goes on after the file was moved, also in the moved one, which the other process may still write to', () => {
    const path = makeLog({ '': 'old\n' });
    const reader = openFollower(path);
    appendFileSync(path, 'before\n');
    rotate(path);
    writeFileSync(path, 'after\n');
    expect(readNew(reader)).toEqual(['before', 'after']);
    appendFileSync(`${path}.1`, 'late\n');
    appendFileSync(path, 'more\n');
    expect(readNew(reader)).toEqual(['late', 'more']);
  });

  it('misses nothing when it was moved several times between two looks', () => {
    const path = makeLog({ '': 'old\n', '.1': 'older\n', '.2': 'oldest\n' });
    const reader = openFollower(path);
    for (let index = 0; index < 3; index += 1) {
      appendFileSync(path, `${index}\n`);
      rotate(path);
    }
    writeFileSync(path, '3\n');
    expect(readNew(reader)).toEqual(['0', '1', '2', '3']);
  });

  it('gives what is still there when it was moved more often than files are kept', () => {
    const path = makeLog({ '': 'old\n' });
    const reader = openFollower(path);
    for (let index = 0; index < 9; index += 1) {
      appendFileSync(path, `${index}\n`);
      rotate(path);
    }
    writeFileSync(path, '9\n');
    // The first file is gone by name; it was open, so what was added to it is not lost.
    expect(readNew(reader)).toEqual(['0', '5', '6', '7', '8', '9']);
    appendFileSync(path, 'on\n');
    expect(readNew(reader)).toEqual(['on']);
  });

  it('begins again where it was emptied', () => {
    const path = makeLog({ '': 'a long old line\n' });
    const reader = openFollower(path);
    truncateSync(path);
    expect(readNew(reader)).toEqual([]);
    appendFileSync(path, 'new\n');
    expect(readNew(reader)).toEqual(['new']);
  });

  it('shows nothing twice when the newest file was removed', () => {
    const path = makeLog({ '': 'old\n', '.1': 'older\n' });
    const reader = openFollower(path);
    rmSync(path);
    expect(readNew(reader)).toEqual([]);
    writeFileSync(path, 'new\n');
    expect(readNew(reader)).toEqual(['new']);
  });

  it('may come later than the one who follows it, even its folder', () => {
    const path = join(temporaryDirectory(), 'logs', 'gateway.log');
    const reader = openFollower(path);
    expect(reader.hasFiles).toBe(false);
    expect(readNew(reader)).toEqual([]);
    mkdirSync(dirname(path));
    writeFileSync(path, 'first\n');
    expect(readNew(reader)).toEqual(['first']);
  });

  it('gives every line of our own writer in order, over many moves, and leaves no file open', () => {
    const path = makeLog({ '': '' });
    const reader = openFollower(path);
    const log = openLogFile(path, { maxBytes: 400 });
    const openBefore = countOpenFiles();
    const seen: string[] = [];
    for (let index = 0; index < 2_000; index += 1) {
      log.write(`line ${index}\n`);
      if (index % 17 === 0) seen.push(...readNew(reader));
    }
    seen.push(...readNew(reader));
    log.close();
    expect(seen).toEqual(Array.from({ length: 2_000 }, (_, index) => `line ${index}`));
    expect(countOpenFiles()).toBeLessThan(openBefore + 6);
  });
});

function countOpenFiles(): number {
  return process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0;
}
