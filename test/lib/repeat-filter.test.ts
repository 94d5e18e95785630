import { readFileSync } from 'node:fs';
import { EOL } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createLogger } from '../../lib/log.ts';
import { openLogFile } from '../../lib/log-file.ts';
import { createRedactor } from '../../lib/redact.ts';
import { suppressRepeats } from '../../lib/repeat-filter.ts';
import { temporaryDirectory } from './temporary-directory.ts';

type LogLine = { level: number; msg: string; repeated?: number } & Record<string, unknown>;

function open(windowMs?: number): { pass(line: string): void; lines: LogLine[] } {
  const lines: LogLine[] = [];
  return { pass: suppressRepeats((line) => void lines.push(JSON.parse(line)), windowMs), lines };
}

function lineOf(msg: string, fields: object = {}): string {
  return `${JSON.stringify({ name: 'xopc', pid: 1, level: 30, ...fields, msg, time: new Date(), v: 0 })}${EOL}`;
}

function fakeClock(): void {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
}

describe('a line that repeats the one before it', () => {
  it('is counted, and the count is told before the next other line', () => {
    const { pass, lines } = open();
    for (let index = 0; index < 4; index += 1) pass(lineOf('lost', { level: 40, channel: 'telegram' }));
    pass(lineOf('found'));
    expect(lines).toMatchObject([
      { msg: 'lost', level: 40 },
      { msg: 'lost ... repeated 3 times', level: 40, channel: 'telegram', repeated: 3, pid: 1, name: 'xopc', v: 0 },
      { msg: 'found', level: 30 },
    ]);
    expect(lines[0]).not.toHaveProperty('repeated');
    expect(Date.parse(String(lines[1]?.['time']))).toBeGreaterThan(Date.now() - 60_000);
  });

  it('is counted even when it came at another time', () => {
    fakeClock();
    const { pass, lines } = open();
    pass(lineOf('lost'));
    vi.advanceTimersByTime(1_234);
    pass(lineOf('lost'));
    pass(lineOf('found'));
    expect(lines.map(({ msg }) => msg)).toEqual(['lost', 'lost ... repeated 1 time', 'found']);
  });

  it('is told of after 5 s when no other line comes, and then every 5 s', () => {
    fakeClock();
    const { pass, lines } = open();
    for (let second = 0; second < 14; second += 1) {
      for (let index = 0; index < 10; index += 1) pass(lineOf('lost'));
      vi.advanceTimersByTime(1_000);
    }
    expect(lines.map(({ msg }) => msg)).toEqual(['lost', 'lost ... repeated 49 times', 'lost ... repeated 50 times']);
    vi.advanceTimersByTime(5_000);
    expect(lines.at(-1)).toMatchObject({ repeated: 40 });
    vi.advanceTimersByTime(60_000);
    expect(lines).toHaveLength(4);
  });

  it('is written again when it comes back after a while: then it is news', () => {
    fakeClock();
    const { pass, lines } = open();
    pass(lineOf('waiting'));
    vi.advanceTimersByTime(5_000);
    pass(lineOf('waiting'));
    expect(lines.map(({ msg }) => msg)).toEqual(['waiting', 'waiting']);
  });

  it('is told of in time also by a loop that lets no timer run', () => {
    const { pass, lines } = open(20);
    const deadline = Date.now() + 5_000;
    let count = 0;
    while (lines.length < 4 && Date.now() < deadline) {
      pass(lineOf('spinning'));
      count += 1;
    }
    expect(lines.map(({ repeated = 0 }) => repeated > 0)).toEqual([false, true, true, true]);
    expect(lines.reduce((sum, { repeated = 0 }) => sum + repeated, 1)).toBe(count);
  });

  it('is told of although the clock was set back', () => {
    fakeClock();
    const { pass, lines } = open();
    pass(lineOf('lost'));
    vi.setSystemTime(Date.now() - 3_600_000);
    pass(lineOf('lost'));
    vi.advanceTimersByTime(5_000);
    expect(lines.map(({ msg }) => msg)).toEqual(['lost', 'lost ... repeated 1 time']);
  });

  it('leaves its stack to the first of them, and a long message is cut', () => {
    const { pass, lines } = open();
    const fields = { err: { message: 'm', stack: 's' } };
    pass(lineOf('x'.repeat(1_000), fields));
    pass(lineOf('x'.repeat(1_000), fields));
    pass(lineOf('other'));
    expect(lines[1]?.msg).toBe(`${'x'.repeat(200)} ... repeated 1 time`);
    expect(lines[1]).not.toHaveProperty('err');
  });
});

describe('a line that is written each time', () => {
  it('is one of which anything but the time differs', () => {
    const { pass, lines } = open();
    pass(lineOf('lost', { attempt: 1 }));
    pass(lineOf('lost', { attempt: 2 }));
    pass(lineOf('lost', { attempt: 2, level: 40 }));
    pass(lineOf('lasT', { attempt: 2, level: 40 }));
    expect(lines).toHaveLength(4);
  });

  it('is a fatal one', () => {
    const { pass, lines } = open();
    for (let index = 0; index < 3; index += 1) pass(lineOf('the end', { level: 60 }));
    expect(lines.map(({ msg }) => msg)).toEqual(['the end', 'the end', 'the end']);
  });

  it('is one that does not end as a line of the logger does, and a huge one', () => {
    const written: string[] = [];
    const pass = suppressRepeats((line) => void written.push(line));
    for (const line of ['', '', 'plain\n', 'plain\n', '{"time":"now"}\n', '{"time":"now"}\n']) pass(line);
    for (let index = 0; index < 2; index += 1) pass(lineOf('x'.repeat(70_000)));
    expect(written).toHaveLength(8);
  });

  it('is each of a million different ones', () => {
    let count = 0;
    const pass = suppressRepeats(() => {
      count += 1;
    });
    const line = lineOf('message 0000000');
    for (let index = 0; index < 1_000_000; index += 1) {
      pass(line.replace('0000000', String(index).padStart(7, '0')));
    }
    expect(count).toBe(1_000_000);
  });
});

describe('a million equal lines', () => {
  it('become a handful', () => {
    const { pass, lines } = open();
    const line = lineOf('Connection lost, trying again');
    const time = /"time":"[^"]+"/.exec(line)?.[0] ?? '';
    for (let index = 0; index < 1_000_000; index += 1) {
      pass(line.replace(time, `"time":"2026-01-01T00:00:00.${String(index % 1_000).padStart(3, '0')}Z"`));
    }
    pass(lineOf('back again'));
    expect(lines.length).toBeLessThan(10);
    expect(lines.reduce((sum, { repeated = 0 }) => sum + repeated, 0)).toBe(999_999);
  });

  it('by way of the logger leave a small file', () => {
    const path = join(temporaryDirectory(), 'g.log');
    const log = createLogger({
      process: 'worker',
      level: 'info',
      redactor: createRedactor(),
      file: openLogFile(path),
    }).child({ channel: 'telegram' });
    for (let index = 0; index < 100_000; index += 1) log.warn({ reason: 'ECONNRESET' }, 'Connection lost');
    log.info('back again');
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    expect(lines.length).toBeLessThan(10);
    expect(JSON.parse(lines[1] ?? '')).toMatchObject({ channel: 'telegram', level: 40, reason: 'ECONNRESET' });
  });
});

describe('a secret in a repeated line', () => {
  it('is taken out of the count too', () => {
    const lines: string[] = [];
    const redactor = createRedactor();
    redactor.add('canary-secret');
    const file = { write: (line: string) => void lines.push(line), close: () => undefined };
    const log = createLogger({ process: 'worker', level: 'info', redactor, file });
    for (let index = 0; index < 3; index += 1) log.info({ token: 'canary-secret' }, 'sent canary-secret');
    log.info('other');
    expect(lines).toHaveLength(3);
    expect(lines.join('')).not.toContain('canary');
  });
});
