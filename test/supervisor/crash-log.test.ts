import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRedactor } from '../../lib/redact.ts';
import { type CrashLogOptions, writeCrashLog } from '../../supervisor/crash-log.ts';
import { makeTemporaryDirectory } from '../fixtures/programs.ts';

let directory: ReturnType<typeof makeTemporaryDirectory>;
let logsDir: string;

beforeEach(() => {
  directory = makeTemporaryDirectory();
  logsDir = join(directory.path, 'logs');
});

afterEach(() => directory.remove());

describe('a crash log', () => {
  it('has a line of facts, then what the worker logged and printed', () => {
    const path = write({ words: { log: ['{"msg":"a"}', '{"msg":"b"}'], stderr: ['c', '', 'd'] } });
    expect(path).toBe(join(logsDir, 'crash-20260102T030405678Z-3.log'));
    const [head, ...lines] = readFileSync(path, 'utf8').split('\n');
    expect(head).toMatch(/^# xopc [\w.-]+ \| worker 3 \| PID 77 \| ended 2026-01-02T03:04:05.678Z \| after 12.3 s \| /);
    expect(head).toContain('| code 1 | signal none | reason: exit code 1 | first error: Error: boom');
    expect(lines).toEqual(['{"msg":"a"}', '{"msg":"b"}', '--- standard error ---', 'c', '', 'd', '']);
  });

  it('leaves out what is not known', () => {
    const path = write(
      { words: { log: ['a'], stderr: [] } },
      { pid: null, code: null, signal: 'SIGSEGV', firstErrorLine: null },
    );
    const text = readFileSync(path, 'utf8');
    expect(text).toContain('PID none');
    expect(text).toContain('code none | signal SIGSEGV');
    expect(text).not.toContain('first error');
    expect(text).not.toContain('standard error');
  });

  it('is for the owner only and left alone by whoever reads the folder', () => {
    const path = write();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(logsDir).mode & 0o777).toBe(0o700);
    expect(readdirSync(logsDir)).toHaveLength(1);
  });

  it('has no secret in it, not even one that a cut goes through', () => {
    const redactor = createRedactor();
    redactor.add('canary-secret');
    const words = { log: ['with canary-secret'], stderr: [`${'x'.repeat(4_090)}canary-secret`] };
    const text = readFileSync(write({ words, redactor }, { reason: 'refused canary-secret' }), 'utf8');
    expect(text).not.toContain('canar');
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBe(4_096);
  });
});

describe('the crash logs', () => {
  it('are the newest ten, and nothing else is removed', () => {
    mkdirSync(logsDir);
    for (const name of ['gateway.log', 'crash-notes.log', 'worker-1.stderr']) writeFileSync(join(logsDir, name), '');
    const paths = Array.from({ length: 13 }, (_, index) =>
      write({}, { at: `2026-01-02T03:04:${String(index).padStart(2, '0')}.000Z`, generation: 20 - index }),
    );
    expect(paths.map((path) => existsSync(path))).toEqual(paths.map((_path, index) => index >= 3));
    expect(readdirSync(logsDir)).toHaveLength(10 + 3);
  });

  it('throw when they cannot be written', () => {
    writeFileSync(logsDir, 'a file in the way');
    expect(() => write()).toThrow();
  });
});

function write(change: Partial<CrashLogOptions> = {}, exit: Partial<CrashLogOptions['exit']> = {}): string {
  return writeCrashLog({
    logsDir,
    words: { log: ['a line'], stderr: [] },
    redactor: createRedactor(),
    ...change,
    exit: {
      ...{ generation: 3, pid: 77, at: '2026-01-02T03:04:05.678Z', uptimeMs: 12_345 },
      ...{ code: 1, signal: null, isCrash: true, reason: 'exit code 1', firstErrorLine: 'Error: boom' },
      ...exit,
    },
  });
}
