import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openWorkerOutput, sweepWorkerOutput, type WorkerOutput } from '../../supervisor/worker-output.ts';
import { makeTemporaryDirectory } from '../fixtures/programs.ts';
import { until } from './running-supervisor.ts';

const MEGABYTE = 1_048_576;

let directory: ReturnType<typeof makeTemporaryDirectory>;
let logsDir: string;
let file: string;
let output: WorkerOutput;
let child: ChildProcess | undefined;

beforeEach(() => {
  directory = makeTemporaryDirectory();
  logsDir = join(directory.path, 'logs');
  file = join(logsDir, 'worker-7.stderr');
  output = openWorkerOutput(logsDir, 7);
});

afterEach(() => {
  child?.kill('SIGKILL');
  output.close({ keep: false });
  directory.remove();
});

describe('the output of a worker', () => {
  it('is a file for the owner only', () => {
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(logsDir).mode & 0o777).toBe(0o700);
  });

  it('holds what a process prints to its standard error, and what its children print', () => {
    print('echo one >&2; (echo two >&2); printf three >&2');
    expect(output.readLines(10)).toEqual(['one', 'two', 'three']);
    expect(output.readLines(2)).toEqual(['two', 'three']);
    expect(output.readLines(0)).toEqual([]);
  });

  it('takes the place of what an earlier worker of that number left', () => {
    print('echo old >&2');
    const next = openWorkerOutput(logsDir, 7);
    expect(next.readLines(10)).toEqual([]);
    next.close({ keep: false });
  });

  it('costs nothing here when a million lines are printed, and its end survives', () => {
    const before = process.memoryUsage().arrayBuffers;
    print('yes "the same again" | head -n 1000000 >&2; echo the end >&2');
    expect(statSync(file).size).toBeGreaterThan(10 * MEGABYTE);
    const startedAt = performance.now();
    output.trim();
    const lines = output.readLines(1_000);
    expect(performance.now() - startedAt).toBeLessThan(500);
    expect(lines).toHaveLength(1_000);
    expect(lines.at(-1)).toBe('the end');
    expect(lines[0]).toBe('the same again');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * MEGABYTE);
    expect(statSync(file).size).toBeLessThanOrEqual(65_536);
  });

  it('stays small while somebody prints without end, who is not held up and goes on at its end', async () => {
    child = spawn('sh', ['-c', 'while :; do echo "a line of a program that does not stop" >&2; done'], {
      stdio: ['ignore', 'ignore', output.fd],
    });
    for (let cuts = 0; cuts < 2; cuts += 1) {
      await until(() => statSync(file).size > MEGABYTE, 'it grows over 1 MB', 30_000);
      output.trim();
      expect(statSync(file).size).toBeLessThan(MEGABYTE / 2);
    }
    child.kill('SIGKILL');
    // No hole and no torn line where it went on.
    expect(new Set(output.readLines(5_000))).toEqual(new Set(['a line of a program that does not stop']));
  });

  it('is not cut before it is large', () => {
    print(`head -c ${MEGABYTE - 100} /dev/zero | tr '\\0' x >&2`);
    output.trim();
    expect(statSync(file).size).toBe(MEGABYTE - 100);
  });

  it('keeps the end of what was printed without a line break', () => {
    print(`head -c ${2 * MEGABYTE} /dev/zero | tr '\\0' x >&2; echo end >&2`);
    output.trim();
    expect(output.readLines(10)).toEqual([expect.stringMatching(/^x+end$/)]);
    expect(statSync(file).size).toBe(65_536);
  });
});

describe('closing the output', () => {
  it('removes an empty file, asked to keep it or not', () => {
    output.close({ keep: true });
    expect(existsSync(file)).toBe(false);
  });

  it('keeps what was printed when that is asked', () => {
    print('echo kept >&2');
    output.close({ keep: true });
    expect(readFileSync(file, 'utf8')).toBe('kept\n');
  });

  it('removes what was printed when nobody needs it', () => {
    print('echo gone >&2');
    output.close({ keep: false });
    expect(existsSync(file)).toBe(false);
  });

  it('may be repeated, and then there is nothing to read or cut', () => {
    print('echo kept >&2');
    output.close({ keep: true });
    output.close({ keep: false });
    output.trim();
    expect(output.readLines(10)).toEqual([]);
    expect(existsSync(file)).toBe(true);
  });
});

describe('the output where no file can be written', () => {
  it('is our own standard error', () => {
    const blocked = join(directory.path, 'blocked');
    writeFileSync(blocked, 'a file in the way');
    const none = openWorkerOutput(blocked, 1);
    expect(none.fd).toBe(2);
    none.trim();
    expect(none.readLines(10)).toEqual([]);
    none.close({ keep: false });
    // Our own is still open.
    expect(() => process.stderr.write('')).not.toThrow();
  });

  it('is nothing to worry about when the folder is removed in the meantime', () => {
    print('echo lost >&2');
    directory.remove();
    output.trim();
    expect(output.readLines(10)).toEqual([]);
    expect(() => output.close({ keep: true })).not.toThrow();
  });
});

describe('sweeping', () => {
  it('removes what earlier workers left, and nothing else', () => {
    for (const name of ['worker-1.stderr', 'worker-22.stderr', 'gateway.log', 'worker-x.stderr', 'crash-1.log']) {
      writeFileSync(join(logsDir, name), 'x');
    }
    sweepWorkerOutput(logsDir);
    expect(readdirSync(logsDir).sort()).toEqual(['crash-1.log', 'gateway.log', 'worker-x.stderr']);
  });

  it('of a folder that is not there, or of what cannot be removed, harms nobody', () => {
    sweepWorkerOutput(join(directory.path, 'none'));
    mkdirSync(join(logsDir, 'worker-3.stderr'));
    chmodSync(logsDir, 0o500);
    sweepWorkerOutput(logsDir);
    chmodSync(logsDir, 0o700);
    expect(existsSync(join(logsDir, 'worker-3.stderr'))).toBe(true);
  });
});

/** Runs a shell whose standard error is the output, as a worker's would be. */
function print(script: string): void {
  const { status } = spawnSync('sh', ['-c', script], { stdio: ['ignore', 'ignore', output.fd] });
  expect(status).toBe(0);
}
