import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { captureOutput } from '../../worker/captured-output.ts';
import { programPath } from '../fixtures/programs.ts';
import { temporaryDirectory } from '../lib/temporary-directory.ts';
import { until } from '../supervisor/running-supervisor.ts';
import { createRecordingLog } from './recording-log.ts';

type LogLine = { level: number; msg: string; source?: string; repeated?: number };

describe('a process that captures its output', () => {
  it('has all of it in its log, and nothing twice on its terminal', () => {
    const { lines, stdout, stderr } = run('everything');
    expect(lines.map(({ msg, source, level }) => [source, level, msg])).toEqual([
      ['stdout', 30, 'logged 1 { a: true }'],
      ['stderr', 40, expect.stringMatching(/^complained with \[.+\]$/)],
      ['stdout', 30, 'written'],
      ['stderr', 40, 'buffered ü'],
      [undefined, 30, 'an ordinary line'],
      ['stdout', 30, 'unfinished'],
    ]);
    // Its terminal gets each line once, from the log, as before.
    expect(stdout).toBe(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    expect(stderr).toBe('');
  });

  it('prints nothing but into the log file when it has no terminal to write to', () => {
    const { lines, stdout } = run('everything', { XOPC_LOG_CONSOLE: 'false' });
    expect(lines).toHaveLength(6);
    expect(stdout).toBe('');
  });

  it('leaves to the real standard error what its children and the runtime say', () => {
    const { lines, stderr, status } = run('native');
    expect(lines).toEqual([]);
    expect(stderr).toMatch(/^from below\n[\s\S]*Error: nobody catches this/);
    expect(status).toBe(1);
  });

  it('has its last words in the log when it exits, and those who wait for a write go on', () => {
    const { lines, status } = run('bye');
    expect(lines).toMatchObject([{ msg: 'last words' }]);
    expect(status).toBe(3);
  });

  it('writes a handful of lines when it prints the same 50,000 times', () => {
    const { lines } = run('flood');
    expect(lines.length).toBeLessThan(20);
    expect(lines.reduce((sum, { repeated = 1 }) => sum + repeated, 0)).toBe(50_001);
    expect(lines.at(-1)?.msg).toBe('and the end');
  });
});

describe('captured text', () => {
  const originals = { stdout: process.stdout.write, stderr: process.stderr.write };
  const exitListeners = process.listeners('exit');
  let recorded: ReturnType<typeof createRecordingLog>;

  beforeEach(() => {
    recorded = createRecordingLog();
    captureOutput(recorded.log);
  });

  afterEach(restore);

  it('becomes whole lines, however it is cut into writes', () => {
    for (const part of ['a', 'b\nc', '\n\nd\r\ne', '\n']) process.stdout.write(part);
    const split = Buffer.from('ü\n');
    process.stdout.write(split.subarray(0, 1));
    process.stdout.write(split.subarray(1));
    process.stdout.write('ZsO8Cg==', 'base64');
    restore();
    expect(recorded.messages()).toEqual(['ab', 'c', 'd', 'e', 'ü', 'fü']);
  });

  it('of the two streams is not mixed', () => {
    process.stdout.write('out ');
    process.stderr.write('err ');
    process.stdout.write('put\n');
    process.stderr.write('or\n');
    restore();
    expect(recorded.entries).toEqual([
      { level: 'info', message: 'out put', fields: { source: 'stdout' } },
      { level: 'warn', message: 'err or', fields: { source: 'stderr' } },
    ]);
  });

  it('that stays unfinished is a line after a moment', async () => {
    process.stdout.write('Continue? ');
    await until(() => recorded.entries.length > 0, 'the line is written');
    process.stdout.write('yes\n');
    restore();
    expect(recorded.messages()).toEqual(['Continue?', 'yes']);
  });

  it('has no colours', () => {
    process.stdout.write('\u001b[31mred\u001b[0m\n');
    restore();
    expect(recorded.messages()).toEqual(['red']);
  });

  it('is cut at 4 KB, the rest of the line is dropped and the next one is whole', () => {
    process.stdout.write('x'.repeat(4_096));
    process.stdout.write('\n');
    for (let index = 0; index < 100; index += 1) process.stdout.write('y'.repeat(4_000));
    process.stdout.write('\nnext\n');
    restore();
    expect(recorded.messages()).toEqual(['x'.repeat(4_096), expect.stringMatching(/^y+…$/), 'next']);
    expect(recorded.messages()[1]?.length).toBeLessThanOrEqual(4_097);
  });

  it('is cut between two words, so that no half of a secret gets past the redactor', () => {
    process.stdout.write(`${'word '.repeat(818)}canary-secret and more\n`);
    restore();
    const [line = ''] = recorded.messages();
    expect(line.length).toBeGreaterThan(4_000);
    expect(line).toMatch(/word …$/);
  });

  it('comes back from a log that prints itself to the real stream only', () => {
    restore();
    const written: string[] = [];
    process.stderr.write = (text: string | Uint8Array) => written.push(String(text)) > 0;
    const { log, entries } = createRecordingLog();
    captureOutput({
      ...log,
      warn(...args: unknown[]) {
        entries.push({ level: 'warn', message: String(args[1]), fields: {} });
        process.stderr.write('the log complains\n');
      },
    });
    process.stderr.write('once\n');
    restore();
    expect(entries.map(({ message }) => message)).toEqual(['once']);
    expect(written).toEqual(['the log complains\n']);
  });

  function restore(): void {
    process.stdout.write = originals.stdout;
    process.stderr.write = originals.stderr;
    for (const listener of process.listeners('exit')) {
      if (!exitListeners.includes(listener)) process.off('exit', listener);
    }
  }
});

function run(
  what: string,
  env: Record<string, string> = {},
): { lines: LogLine[]; stdout: string; stderr: string; status: number | null } {
  const path = join(temporaryDirectory(), 'logs', 'gateway.log');
  const { stdout, stderr, status } = spawnSync(process.execPath, [programPath('printing'), path, what], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], ...env },
  });
  const text = readFileSync(path, 'utf8');
  const lines = text.split('\n').filter((line) => line !== '');
  return { lines: lines.map((line) => JSON.parse(line)), stdout, stderr, status };
}
