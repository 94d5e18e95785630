import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { zh } from '../../bin/messages/zh.ts';
import { eventually } from '../e2e/eventually.ts';
import { temporaryDirectory } from '../lib/temporary-directory.ts';
import { readDocument, runCommand } from './run-command.ts';

const program = join('dist', 'bin', 'xopc.js');
const LEVELS = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60 };

/** A line as the gateway writes it. */
function record(msg: string, level: keyof typeof LEVELS = 'info'): string {
  const time = '2026-01-02T03:04:05.678Z';
  return JSON.stringify({ name: 'xopc', hostname: 'h', pid: 1, proc: 'worker', level: LEVELS[level], msg, time, v: 0 });
}

/** A home with these lines in its log. */
function createHome(...lines: string[]): { home: string; log: string } {
  const home = temporaryDirectory();
  const log = join(home, 'logs', 'gateway.log');
  mkdirSync(join(home, 'logs'));
  writeFileSync(log, lines.map((line) => `${line}\n`).join(''));
  return { home, log };
}

function logs(home: string, args: readonly string[] = [], env: Record<string, string> = {}) {
  return runCommand(['gateway', 'logs', ...args], { XOPC_HOME: home, ...env });
}

const shown = (msg: string, label = 'INFO '): string => `2026-01-02T03:04:05.678Z ${label} worker: ${msg}\n`;

describe('gateway logs', () => {
  it('shows the last 50 lines, readable and without colour where no terminal is', async () => {
    const { home } = createHome(...Array.from({ length: 80 }, (_, index) => record(`line ${index}`)));
    const { code, stdout, stderr } = await logs(home);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toBe(Array.from({ length: 50 }, (_, index) => shown(`line ${index + 30}`)).join(''));
  });

  it('shows as many lines as asked for, from the moved files too, and no more than there are', async () => {
    const { home, log } = createHome(record('c'));
    writeFileSync(`${log}.1`, `${record('b')}\n`);
    writeFileSync(`${log}.2`, `${record('a')}\n`);
    expect((await logs(home, ['--lines', '2'])).stdout).toBe(shown('b') + shown('c'));
    expect((await logs(home, ['-n', '9'])).stdout).toBe(shown('a') + shown('b') + shown('c'));
  });

  it('counts the lines of the level and above; what is no record has none and is never hidden', async () => {
    const { home } = createHome(
      record('old', 'fatal'),
      record('broken', 'error'),
      'Segmentation fault',
      record('careful', 'warn'),
      record('fine'),
      record('detail', 'debug'),
    );
    const { stdout } = await logs(home, ['--level', 'warn', '--lines', '3']);
    expect(stdout).toBe(`${shown('broken', 'ERROR')}Segmentation fault\n${shown('careful', 'WARN ')}`);
    expect((await logs(home, ['--level', 'fatal', '--lines', '1'])).stdout).toBe('Segmentation fault\n');
  });

  it('--json gives each line as it is, and wraps what is no record, so that all of them are JSON', async () => {
    const lines = [record('one', 'warn'), 'plain "text"', record('two')];
    const { home } = createHome(...lines);
    const { stdout } = await logs(home, ['--json']);
    expect(stdout).toBe(`${lines[0]}\n{"msg":"plain \\"text\\""}\n${lines[2]}\n`);
    expect((await logs(home, ['--json', '--level', 'warn', '-n', '1'])).stdout).toBe('{"msg":"plain \\"text\\""}\n');
  });

  it.each(['0', '-1', '1.5', 'many', '', '1e3', '99999999999'])(
    'refuses --lines=%s with 2 and a hint',
    async (value) => {
      const { code, stdout, stderr } = await logs(createHome().home, [`--lines=${value}`]);
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toBe(
        `Error: "${value}" is no number of lines.\nWrite a whole number from 1 on; 0 only with --follow.\n`,
      );
    },
  );

  it('refuses a level that is none with 2 and names those that are, in both languages and as JSON', async () => {
    const { home } = createHome();
    const english = await logs(home, ['--level', 'warning']);
    expect([english.code, english.stdout]).toEqual([2, '']);
    expect(english.stderr).toContain('"warning" is no log level');
    expect(english.stderr).toContain('trace, debug, info, warn, error, fatal');
    const chinese = await logs(home, ['--level', 'loud', '--lang', 'zh']);
    expect(chinese.stderr).toContain(zh.badLevel.replace('{value}', 'loud'));
    const asJson = await logs(home, ['--level', 'loud', '--json']);
    expect(readDocument(asJson)).toMatchObject({
      ok: false,
      error: { code: 2, hint: expect.stringContaining('warn') },
    });
  });

  it('of a gateway that never ran ends with 1 and says where the log will be, and makes nothing', async () => {
    const home = temporaryDirectory();
    const english = await logs(home);
    expect([english.code, english.stdout]).toEqual([1, '']);
    expect(english.stderr).toContain(join(home, 'logs', 'gateway.log'));
    expect(english.stderr).toContain('xopc gateway');
    expect((await logs(home, ['--lang', 'zh'])).stderr).toContain(zh.noLogHint);
    expect(readdirSync(home)).toEqual([]);
  });

  it('that may not be read ends with 1 and the reason', async () => {
    const { home, log } = createHome();
    rmSync(log);
    mkdirSync(log);
    const { code, stderr } = await logs(home);
    expect(code).toBe(1);
    expect(stderr).toContain(log);
  });

  it('answers at once although there are 50 MB', async () => {
    const { home, log } = createHome();
    const lines = `${record('x'.repeat(900))}\n`.repeat(10_000);
    for (const suffix of ['', '.1', '.2', '.3', '.4']) writeFileSync(`${log}${suffix}`, lines);
    appendFileSync(log, `${record('the end')}\n`);
    await logs(home);
    const times = [];
    for (let round = 0; round < 3; round += 1) {
      const startedAt = performance.now();
      expect((await logs(home)).stdout).toMatch(/the end\n$/);
      times.push(performance.now() - startedAt);
    }
    const startedAt = performance.now();
    await logs(createHome(record('small')).home);
    // Next to the same command on a small log, so that a loaded machine does not matter.
    expect(Math.min(...times)).toBeLessThan(performance.now() - startedAt + 100);
  });

  it('ends with 0 and without a word when its reader leaves', async () => {
    const { home } = createHome(...Array.from({ length: 20_000 }, (_, index) => record(`line ${index}`)));
    const child = start(home, ['--lines', '20000']);
    await eventually('some lines', () => child.stdout() !== '');
    child.process.stdout?.destroy();
    expect(await child.ended).toBe(0);
    expect(child.stderr()).toBe('');
  });

  it('has colours on a terminal, unless NO_COLOR is set', () => {
    const { home } = createHome(record('hello', 'warn'));
    const run = (env: Record<string, string>): string =>
      execFileSync('script', ['-qec', `'${process.execPath}' '${program}' gateway logs`, '/dev/null'], {
        env: { PATH: process.env['PATH'], HOME: home, XOPC_HOME: home, TERM: 'xterm', ...env },
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'inherit'],
      });
    expect(run({})).toContain('\u001b[33mWARN ');
    expect(run({ NO_COLOR: '1' })).toContain('WARN  worker: hello');
    expect(run({ NO_COLOR: '1' })).not.toContain('\u001b[33m');
  });
});

describe('gateway logs --follow', () => {
  it('shows the last lines and then what comes, until Ctrl+C, which ends it with 0', async () => {
    const { home, log } = createHome(record('a'), record('b'));
    const child = start(home, ['--follow', '--lines', '1']);
    await eventually('the last line', () => child.stdout() === shown('b'));
    appendFileSync(log, `${record('c')}\n${record('d')}\n`);
    await eventually('the new lines', () => child.stdout() === shown('b') + shown('c') + shown('d'));
    child.process.kill('SIGINT');
    expect(await child.ended).toBe(0);
    expect(child.stderr()).toBe('');
  });

  it('shows new lines only with --lines 0, of the level and above', async () => {
    const { home, log } = createHome(record('a', 'error'));
    const child = start(home, ['-f', '-n', '0', '--level', 'warn', '--json']);
    await following(child);
    // It has the log open, but may not have come to its end yet: what is written now may still be an old line to it.
    await eventually('the new line', () => {
      appendFileSync(log, `${record('b')}\n${record('c', 'warn')}\n`);
      return child.stdout() !== '';
    });
    expect(new Set(child.stdout().trimEnd().split('\n'))).toEqual(new Set([record('c', 'warn')]));
  });

  it('goes on when the file is moved, moved twice between two looks, and emptied', async () => {
    const { home, log } = createHome(record('0'));
    const child = start(home, ['--follow']);
    const lines = (): string[] => [...child.stdout().matchAll(/worker: (\w+)/g)].map(([, msg = '']) => msg);
    const saw = (...names: string[]): Promise<unknown> =>
      eventually(`the lines ${names}`, () => lines().join() === names.join());
    await saw('0');
    appendFileSync(log, `${record('1')}\n`);
    renameSync(log, `${log}.1`);
    writeFileSync(log, `${record('2')}\n`);
    await saw('0', '1', '2');
    renameSync(`${log}.1`, `${log}.2`);
    renameSync(log, `${log}.1`);
    writeFileSync(log, `${record('3')}\n`);
    renameSync(`${log}.2`, `${log}.3`);
    renameSync(`${log}.1`, `${log}.2`);
    renameSync(log, `${log}.1`);
    writeFileSync(log, `${record('4')}\n`);
    await saw('0', '1', '2', '3', '4');
    truncateSync(log);
    appendFileSync(log, `${record('5')}\n`.slice(0, 9));
    await new Promise((resolve) => setTimeout(resolve, 450));
    appendFileSync(log, `${record('5')}\n`.slice(9));
    await saw('0', '1', '2', '3', '4', '5');
  });

  it('waits for a log that is not there yet, and says so', async () => {
    const home = temporaryDirectory();
    const child = start(home, ['--follow']);
    await eventually('a word about it', () => child.stderr().includes(join(home, 'logs', 'gateway.log')));
    mkdirSync(join(home, 'logs'));
    writeFileSync(join(home, 'logs', 'gateway.log'), `${record('first')}\n`);
    await eventually('the first line', () => child.stdout() === shown('first'));
    child.process.kill('SIGINT');
    expect(await child.ended).toBe(0);
  });

  it('ends with 0 and without a word when its reader leaves', async () => {
    const { home, log } = createHome(record('a'));
    const child = start(home, ['--follow']);
    await eventually('the first line', () => child.stdout() !== '');
    child.process.stdout?.destroy();
    const timer = setInterval(() => appendFileSync(log, `${record('b')}\n`), 50);
    onTestFinished(() => clearInterval(timer));
    expect(await child.ended).toBe(0);
    expect(child.stderr()).toBe('');
  });
});

type Running = { process: ChildProcess; ended: Promise<number | null>; stdout(): string; stderr(): string };

function start(home: string, args: readonly string[]): Running {
  const child = spawn(process.execPath, [program, 'gateway', 'logs', ...args], {
    env: { PATH: process.env['PATH'], HOME: home, XOPC_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => {
    output.stdout += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    output.stderr += String(chunk);
  });
  return {
    process: child,
    ended: new Promise((resolve) => child.once('exit', resolve)),
    stdout: () => output.stdout,
    stderr: () => output.stderr,
  };
}

/** Resolves when it has the log open. */
async function following({ process: { pid } }: Running): Promise<void> {
  await eventually('the open log', () =>
    readdirSync(`/proc/${pid}/fd`).some((fd) => readTarget(`/proc/${pid}/fd/${fd}`).includes('gateway.log')),
  );
}

/** What a link points at; empty when it is gone, as descriptors go while they are looked at. */
function readTarget(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return '';
  }
}
