import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WorkerExit } from '../../lib/control.ts';
import { createRedactor, type Redactor } from '../../lib/redact.ts';
import { readExits } from '../../supervisor/exit-file.ts';
import { type EndedWorker, type ExitJournal, openExitJournal } from '../../supervisor/exits.ts';
import { openWorkerOutput, type WorkerOutput } from '../../supervisor/worker-output.ts';
import { makeTemporaryDirectory } from '../fixtures/programs.ts';
import { createRecordingLog } from '../worker/recording-log.ts';
import { logLine } from './log-samples.ts';
import { canMountDisk, mountSmallDisk } from './small-disk.ts';

const PID = 4_711;

let directory: ReturnType<typeof makeTemporaryDirectory>;
let root: string;
let recorded: ReturnType<typeof createRecordingLog>;
let redactor: Redactor;
let journal: ExitJournal;
let output: WorkerOutput;

beforeEach(() => {
  directory = makeTemporaryDirectory();
  use(directory.path);
});

afterEach(() => {
  output.close({ keep: false });
  directory.remove();
});

describe('a crash', () => {
  it('is written down with its last lines and the line that tells why', () => {
    appendFileSync(join(root, 'logs', 'gateway.log'), logLine({ pid: PID, msg: 'working' }));
    print('echo "FATAL ERROR: heap limit" >&2');
    const exit = record({ startedAtMs: Date.now() - 5_000, signal: 'SIGABRT', code: null, reason: 'SIGABRT' });
    expect(exit).toMatchObject({
      ...{ generation: 7, pid: PID, code: null, signal: 'SIGABRT', isCrash: true, reason: 'SIGABRT' },
      firstErrorLine: 'FATAL ERROR: heap limit',
      crashLog: expect.stringMatching(/crash-\d{8}T\d{9}Z-7\.log$/),
    });
    expect(exit.uptimeMs).toBeGreaterThanOrEqual(5_000);
    expect(Math.abs(Date.parse(exit.at) - Date.now())).toBeLessThan(10_000);
    const crashLog = readFileSync(exit.crashLog ?? '', 'utf8');
    expect(crashLog).toMatch(
      /^# .*FATAL ERROR: heap limit\n\{.*"msg":"working".*\n--- .* ---\nFATAL ERROR: heap limit\n$/,
    );
    // What is in the crash log is not kept a second time.
    expect(existsSync(join(root, 'logs', 'worker-7.stderr'))).toBe(false);
    expect(recorded.entries).toEqual([]);
  });

  it('is explained by the worker itself when it could still speak', () => {
    print('echo "Error: something else" >&2');
    expect(record({ fatalMessage: 'the database is corrupt' }).firstErrorLine).toBe('the database is corrupt');
  });

  it('is explained by the last error in the log when nothing was printed', () => {
    appendFileSync(join(root, 'logs', 'gateway.log'), logLine({ pid: PID, level: 60, msg: 'out of luck' }));
    expect(record().firstErrorLine).toBe('out of luck');
  });

  it('of a real out-of-memory names it', () => {
    const { pid, status, signal } = spawnSync(
      process.execPath,
      ['--max-old-space-size=20', '-e', 'const a = []; for (;;) a.push(new Array(1e4).fill({}))'],
      { stdio: ['ignore', 'ignore', output.fd] },
    );
    const exit = record({ pid, code: status, signal, reason: String(signal) });
    expect(exit.firstErrorLine).toMatch(/^FATAL ERROR: .*heap/);
    expect(readFileSync(exit.crashLog ?? '', 'utf8')).toContain('Last few GCs');
  });

  it('of which nothing was said has no crash log', () => {
    expect(record({ pid: null, reason: 'cannot be started: ENOENT' })).toMatchObject({
      ...{ pid: null, firstErrorLine: null, crashLog: null, reason: 'cannot be started: ENOENT' },
    });
  });

  it('tells no secret', () => {
    redactor.add('canary-secret');
    print('echo "Error: refused canary-secret" >&2');
    const exit = record({ reason: 'said canary-secret' });
    expect(JSON.stringify(exit)).not.toContain('canary');
    expect(readFileSync(join(root, 'run', 'last-exits.json'), 'utf8')).not.toContain('canary');
    expect(readFileSync(exit.crashLog ?? '', 'utf8')).not.toContain('canary');
  });

  it('took no time when the clock was set back', () => {
    expect(record({ startedAtMs: Date.now() + 3_600_000 }).uptimeMs).toBe(0);
  });
});

describe('an orderly end', () => {
  it('has no crash log, and its output is gone when there was none', () => {
    const exit = record({ isCrash: false, code: 0, reason: 'stopped' });
    expect(exit).toMatchObject({ isCrash: false, code: 0, firstErrorLine: null, crashLog: null });
    expect(existsSync(join(root, 'logs', 'worker-7.stderr'))).toBe(false);
    expect(recorded.entries).toEqual([]);
  });

  it('has what it printed in the log', () => {
    print('echo "(node:1) Warning: old" >&2; echo >&2; echo bye >&2');
    record({ isCrash: false });
    const fields = { generation: 7, source: 'stderr' };
    expect(recorded.entries).toEqual([
      { level: 'warn', message: '(node:1) Warning: old', fields },
      { level: 'warn', message: 'bye', fields },
    ]);
    expect(existsSync(join(root, 'logs', 'worker-7.stderr'))).toBe(false);
  });

  it('has the last 20 lines there when it printed more, and that is said', () => {
    print('seq 1 500 >&2');
    record({ isCrash: false });
    expect(recorded.messages()[0]).toContain('more to its standard error than its last 20 lines');
    expect(recorded.messages().slice(1)).toEqual(Array.from({ length: 20 }, (_, index) => `${481 + index}`));
  });
});

describe('the journal', () => {
  it('lists the last five, newest first, and keeps twenty in its file', () => {
    for (let generation = 1; generation <= 25; generation += 1) record({ generation });
    expect(journal.list().map(({ generation }) => generation)).toEqual([25, 24, 23, 22, 21]);
    const kept = readExits(join(root, 'run', 'last-exits.json')).map(({ generation }) => generation);
    expect(kept).toEqual(Array.from({ length: 20 }, (_, index) => 25 - index));
  });

  it('goes on after a restart of the supervisor', () => {
    record({ generation: 1 });
    use(root);
    expect(journal.list().map(({ generation }) => generation)).toEqual([1]);
    record({ generation: 2 });
    expect(journal.list().map(({ generation }) => generation)).toEqual([2, 1]);
  });

  it('begins anew when its file holds garbage', () => {
    record();
    writeFileSync(join(root, 'run', 'last-exits.json'), '[{"generation":');
    use(root);
    expect(journal.list()).toEqual([]);
    record({ generation: 2 });
    expect(readExits(join(root, 'run', 'last-exits.json'))).toHaveLength(1);
  });

  it('keeps in memory what cannot be written, says so, and does not throw', () => {
    print('echo "Error: x" >&2');
    rmSync(join(root, 'run'), { recursive: true, force: true });
    writeFileSync(join(root, 'run'), 'a file in the way');
    rmSync(join(root, 'logs'), { recursive: true });
    writeFileSync(join(root, 'logs'), 'a file in the way');
    const exit = record();
    expect(exit.crashLog).toBeNull();
    expect(journal.list()).toEqual([exit]);
    expect(recorded.entries.map(({ level }) => level)).toContain('warn');
    expect(recorded.messages().join()).toContain('kept in memory');
  });

  it.runIf(canMountDisk())(
    'works on a full disk: nothing is thrown, nothing half is left, what was printed stays',
    () => {
      const small = mountSmallDisk();
      use(small.path);
      try {
        print('echo "Error: before" >&2');
        record({ generation: 1 });
        use(small.path);
        print('seq 1 3000 >&2; echo "Error: full" >&2');
        small.fill();
        const exit = record({ generation: 2 });
        expect(exit).toMatchObject({ generation: 2, firstErrorLine: 'Error: full', crashLog: null });
        expect(journal.list().map(({ generation }) => generation)).toEqual([2, 1]);
        // The old file is whole, and there is room again as soon as somebody makes it.
        expect(readExits(join(root, 'run', 'last-exits.json')).map(({ generation }) => generation)).toEqual([1]);
        expect(readFileSync(join(root, 'logs', 'worker-7.stderr'), 'utf8')).toContain('Error: full');
        rmSync(join(small.path, 'ballast'));
        record({ generation: 3 });
        expect(readExits(join(root, 'run', 'last-exits.json')).map(({ generation }) => generation)).toEqual([3, 2, 1]);
      } finally {
        output.close({ keep: false });
        small.remove();
      }
    },
  );
});

/** Opens a journal on a folder, as a supervisor does that starts there, and the output of a worker. */
function use(path: string): void {
  root = path;
  const logsDir = join(root, 'logs');
  mkdirSync(logsDir, { recursive: true });
  recorded = createRecordingLog();
  redactor = createRedactor();
  journal = openExitJournal({
    ...{ file: join(root, 'run', 'last-exits.json'), logsDir, logFile: join(logsDir, 'gateway.log') },
    ...{ redactor, log: recorded.log },
  });
  output = openWorkerOutput(logsDir, 7);
}

function record(change: Partial<EndedWorker> = {}): WorkerExit {
  return journal.record({
    ...{ generation: 7, pid: PID, startedAtMs: Date.now() - 1_000, code: 1, signal: null, isCrash: true },
    ...{ reason: 'exit code 1', fatalMessage: null, output },
    ...change,
  });
}

function print(script: string): void {
  spawnSync('sh', ['-c', script], { stdio: ['ignore', 'ignore', output.fd] });
}
