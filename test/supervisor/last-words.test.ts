import { writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findErrorLine, type LastWords, readLastWords } from '../../supervisor/last-words.ts';
import { openWorkerOutput, type WorkerOutput } from '../../supervisor/worker-output.ts';
import { makeTemporaryDirectory } from '../fixtures/programs.ts';
import { logLine } from './log-samples.ts';

const PID = 4_711;

let directory: ReturnType<typeof makeTemporaryDirectory>;
let logFile: string;
let output: WorkerOutput;
let startedAtMs: number;

beforeEach(() => {
  directory = makeTemporaryDirectory();
  logFile = join(directory.path, 'gateway.log');
  output = openWorkerOutput(directory.path, 1);
  startedAtMs = Date.now() - 10_000;
});

afterEach(() => {
  output.close({ keep: false });
  directory.remove();
});

describe('the last words of a worker', () => {
  it('are its own lines of the log, in their order, and what it printed', () => {
    writeFileSync(
      logFile,
      [
        logLine({ pid: PID, msg: 'first' }),
        logLine({ pid: 1, proc: 'supervisor', msg: `speaks of "pid":${PID}, too`, worker: { pid: PID } }),
        logLine({ pid: 47, msg: 'of another worker' }),
        logLine({ pid: PID, proc: 'supervisor', msg: 'of a supervisor that had this pid' }),
        'not of a logger\n',
        logLine({ pid: PID, msg: 'last' }),
      ].join(''),
    );
    writeSync(output.fd, 'printed\n');
    const { log, stderr } = read();
    expect(messages(log)).toEqual(['first', 'last']);
    expect(stderr).toEqual(['printed']);
  });

  it('go on in the log that was moved up', () => {
    writeFileSync(`${logFile}.1`, logLine({ pid: PID, msg: 'before' }) + logLine({ pid: PID, msg: 'moved' }));
    writeFileSync(logFile, logLine({ pid: PID, msg: 'after' }));
    expect(messages(read().log)).toEqual(['before', 'moved', 'after']);
  });

  it('are not those of an earlier process with the same pid', () => {
    const old = startedAtMs - 60_000;
    writeFileSync(`${logFile}.1`, logLine({ pid: PID, msg: 'yesterday', at: old }));
    writeFileSync(logFile, logLine({ pid: PID, msg: 'older', at: old }) + logLine({ pid: PID, msg: 'own' }));
    expect(messages(read().log)).toEqual(['own']);
  });

  it('are found after the clock was set back', () => {
    startedAtMs = Date.now() + 3_600_000;
    writeFileSync(logFile, logLine({ pid: PID, msg: 'own' }));
    expect(messages(read().log)).toEqual(['own']);
  });

  it('are the last thousand lines, half of them printed ones when there are so many', () => {
    const count = 3_000;
    writeFileSync(
      logFile,
      Array.from({ length: count }, (_, index) => logLine({ pid: PID, msg: `${index}` })).join(''),
    );
    const logged = messages(read().log);
    expect(logged).toHaveLength(1_000);
    expect(logged.at(0)).toBe('2000');
    expect(logged.at(-1)).toBe('2999');
    writeSync(output.fd, Array.from({ length: count }, (_, index) => `${index}\n`).join(''));
    const { log, stderr } = read();
    expect([log.length, stderr.length]).toEqual([500, 500]);
    expect([messages(log).at(-1), stderr.at(0), stderr.at(-1)]).toEqual(['2999', '2500', '2999']);
  });

  it('are more printed lines when the log has few', () => {
    writeFileSync(logFile, logLine({ pid: PID, msg: 'only' }));
    writeSync(output.fd, 'x\n'.repeat(3_000));
    const { log, stderr } = read();
    expect([log.length, stderr.length]).toEqual([1, 999]);
  });

  it('are found in no time although others wrote 10 MB since its start, and before', () => {
    const noise = logLine({ pid: 1, proc: 'supervisor', msg: 'x'.repeat(400) });
    const old = logLine({ pid: PID, msg: 'old', at: startedAtMs - 60_000 });
    writeFileSync(`${logFile}.1`, old.repeat(60_000));
    writeFileSync(logFile, logLine({ pid: PID, msg: 'own' }) + noise.repeat(20_000));
    const began = performance.now();
    expect(messages(read().log)).toEqual(['own']);
    expect(performance.now() - began).toBeLessThan(1_500);
  });

  it('are none of a worker that never was, or where there is no log', () => {
    expect(read()).toEqual({ log: [], stderr: [] });
    writeFileSync(logFile, logLine({ pid: PID, msg: 'own' }));
    expect(read(null)).toEqual({ log: [], stderr: [] });
  });
});

describe('the line that tells why', () => {
  it.each([
    [
      [
        '<--- Last few GCs --->',
        '',
        'FATAL ERROR: Reached heap limit Allocation failed',
        '----- Native stack trace -----',
      ],
      2,
    ],
    [['file:///app/index.js:3', '  throw new TypeError(x)', '  ^', '', 'TypeError: boom', '    at f (x.js:1:2)'], 4],
    [['(node:5) ExperimentalWarning: x', 'Error [ERR_X]: bad'], 1],
    [['starting', "thread 'main' panicked at src/main.rs:1"], 1],
    [["x.c:3: main: Assertion `0' failed.", 'Aborted'], 0],
    [["terminate called after throwing an instance of 'std::bad_alloc'"], 0],
    [['Segmentation fault (core dumped)'], 0],
    [['#', '# Fatal error in , line 0'], 1],
    [['fatal: cannot go on', 'Error: later'], 0],
  ])('of %j is number %i', (stderr, index) => {
    expect(findErrorLine({ log: [], stderr })).toBe(stderr[index]?.trim());
  });

  it('is none among chatter', () => {
    const stderr = ['(node:5) Warning: something is deprecated', 'listening', 'no errors found', 'mirrors'];
    expect(findErrorLine({ log: [logLine({ pid: PID, msg: 'fine' })], stderr })).toBeNull();
    expect(findErrorLine({ log: [], stderr: [] })).toBeNull();
  });

  it('is the last error of the log when nothing was printed, with its cause', () => {
    const log = [
      logLine({ pid: PID, level: 50, msg: 'first' }),
      logLine({ pid: PID, level: 60, msg: 'The worker cannot go on', err: { message: 'disk I/O error' } }),
      logLine({ pid: PID, level: 40, msg: 'a warning' }),
    ];
    expect(findErrorLine({ log, stderr: ['chatter'] })).toBe('The worker cannot go on: disk I/O error');
    expect(findErrorLine({ log: log.slice(0, 1), stderr: [] })).toBe('first');
  });
});

function read(pid: number | null = PID): LastWords {
  return readLastWords({ logFile, pid, startedAtMs, output });
}

function messages(lines: readonly string[]): string[] {
  return lines.map((line) => JSON.parse(line).msg);
}
