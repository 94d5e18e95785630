import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { openLogFile } from '../../lib/log-file.ts';
import { runInThreads } from './parallel-threads.ts';
import { temporaryDirectory } from './temporary-directory.ts';

function readAll(directory: string): string[] {
  return readdirSync(directory).flatMap((name) => readFileSync(join(directory, name), 'utf8').split('\n').slice(0, -1));
}

/** Lets the log look at its file again, as it does each second. */
function passSecond(): void {
  vi.setSystemTime(Date.now() + 1_100);
}

function fakeClock(): void {
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
}

describe('a log file', () => {
  it('is for the owner only, and a line is on disk when it is written', () => {
    const path = join(temporaryDirectory(), 'logs', 'gateway.log');
    const log = openLogFile(path);
    log.write('one\n');
    expect(readFileSync(path, 'utf8')).toBe('one\n');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700);
    log.close();
    const again = openLogFile(path);
    again.write('two\n');
    again.close();
    expect(readFileSync(path, 'utf8')).toBe('one\ntwo\n');
  });

  it('is moved up when it is full, and only as many are kept as allowed', () => {
    const directory = temporaryDirectory();
    const path = join(directory, 'g.log');
    const log = openLogFile(path, { maxBytes: 20, maxFiles: 3 });
    for (let index = 0; index < 10; index += 1) log.write(`line ${index} ....\n`);
    log.close();
    expect(readdirSync(directory).sort()).toEqual(['g.log', 'g.log.1', 'g.log.2']);
    expect(readFileSync(`${path}.1`, 'utf8')).toBe('line 8 ....\nline 9 ....\n');
    expect(readFileSync(`${path}.2`, 'utf8')).toBe('line 6 ....\nline 7 ....\n');
  });

  it('is followed by a second writer within a second after the first moved it', () => {
    fakeClock();
    const path = join(temporaryDirectory(), 'g.log');
    const [first, second] = [openLogFile(path, { maxBytes: 30 }), openLogFile(path, { maxBytes: 30 })];
    first.write('a'.repeat(29).concat('\n'));
    second.write('before\n');
    passSecond();
    second.write('after\n');
    expect(readFileSync(`${path}.1`, 'utf8')).toContain('before\n');
    expect(readFileSync(path, 'utf8')).toBe('after\n');
    first.close();
    second.close();
  });

  it('loses and mixes no line when several write and move it at the same moment', async () => {
    const directory = temporaryDirectory();
    const data = { path: join(directory, 'g.log'), lines: 300 };
    const code = `
      const log = lib.openLogFile(data.path, { maxBytes: 4_000, maxFiles: 200 });
      for (let line = 0; line < data.lines; line += 1) log.write(index + ' ' + line + ' ' + 'x'.repeat(line % 50) + '\\n');
      log.close();
      return true;`;
    await runInThreads({ module: 'log-file.ts', count: 4, code, data });
    const lines = readAll(directory);
    expect(lines).toHaveLength(4 * data.lines);
    for (const line of lines) expect(line).toMatch(/^\d \d+ x*$/);
    expect(new Set(lines.map((line) => line.split(' ').slice(0, 2).join(' '))).size).toBe(4 * data.lines);
    expect(readdirSync(directory).length).toBeGreaterThan(1);
    expect(existsSync(`${data.path}.rotating`)).toBe(false);
  });

  it('is moved although the claim of a process that died is still there', () => {
    fakeClock();
    const path = join(temporaryDirectory(), 'g.log');
    writeFileSync(`${path}.rotating`, '');
    const log = openLogFile(path, { maxBytes: 5 });
    log.write('first\n');
    expect(existsSync(`${path}.1`)).toBe(false);
    vi.setSystemTime(Date.now() + 11_000);
    log.write('second\n');
    expect(readFileSync(`${path}.1`, 'utf8')).toBe('first\nsecond\n');
    log.close();
  });

  it('that cannot be opened again harms nobody: nothing is thrown, no other file gets its lines, and it goes on later', () => {
    fakeClock();
    const directory = temporaryDirectory();
    const path = join(directory, 'logs', 'g.log');
    const log = openLogFile(path);
    rmSync(join(directory, 'logs'), { recursive: true });
    passSecond();
    log.write('dropped\n');
    const others = Array.from({ length: 5 }, (_, index) => openLogFile(join(directory, `other-${index}.log`)));
    log.write('dropped too\n');
    for (const [index, other] of others.entries()) {
      other.close();
      expect(readFileSync(join(directory, `other-${index}.log`), 'utf8')).toBe('');
    }
    mkdirSync(join(directory, 'logs'));
    passSecond();
    log.write('written\n');
    expect(readFileSync(path, 'utf8')).toBe('written\n');
    log.close();
  });
});
