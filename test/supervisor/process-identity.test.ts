import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import {
  isSameProcess,
  parseProcessStat,
  readPidScope,
  readProcessStat,
  readStartTime,
} from '../../supervisor/process-identity.ts';
import { pidOfDeadProcess } from './lock-samples.ts';
import { until } from './running-supervisor.ts';

const FIELDS = 'S 41 42 42 0 -1 4194304 101 0 0 0 1 2 3 4 20 0 7 0 154250 3133440 388 18446744073709551615 1 2';

describe('parseProcessStat', () => {
  it.each([
    ['node', 'node'],
    ['tmux: server', 'tmux: server'],
    [') R 1 1 (', ') R 1 1 ('],
    ['a (b) c', 'a (b) c'],
    ['', ''],
  ])('reads the name %j whatever it holds', (name) => {
    expect(parseProcessStat(`77 (${name}) ${FIELDS}\n`)).toEqual({
      name,
      state: 'S',
      parentPid: 41,
      startTime: 154_250,
    });
  });

  it.each(['', '77', '77 (node', '77 (node)', '77 (node) S x', '77 (node) S 1 2 3'])('refuses %j', (text) => {
    expect(parseProcessStat(text)).toBeUndefined();
  });
});

describe.runIf(process.platform === 'linux')('isSameProcess', () => {
  let child: ChildProcess | undefined;

  afterEach(() => child?.kill('SIGKILL'));

  it('knows this process by its start time', async () => {
    const startTime = await readStartTime(process.pid);
    expect(startTime).toBeTypeOf('number');
    expect(await isSameProcess(process.pid, startTime)).toBe(true);
  });

  it('does not take another process with the same pid for it', async () => {
    expect(await isSameProcess(process.pid, ((await readStartTime(process.pid)) ?? 0) - 1)).toBe(false);
  });

  it('goes by the pid alone when no start time was recorded', async () => {
    expect(await isSameProcess(process.pid, null)).toBe(true);
  });

  it('calls an ended process dead', async () => {
    expect(await isSameProcess(pidOfDeadProcess(), null)).toBe(false);
  });

  it('calls a zombie dead although its pid exists', async () => {
    // The shell never waits for its background child once it has become `sleep`.
    child = spawn('sh', ['-c', 'sleep 0.1 & echo $!; exec sleep 30'], { stdio: ['ignore', 'pipe', 'ignore'] });
    if (child.stdout === null) throw new Error('no output');
    const [line] = await once(child.stdout, 'data');
    const pid = Number(line);
    await until(() => readProcessStat(pid)?.state === 'Z', 'the child is a zombie');
    expect(() => process.kill(pid, 0)).not.toThrow();
    expect(await isSameProcess(pid, readProcessStat(pid)?.startTime ?? null)).toBe(false);
  });

  it('calls a process of another user alive', async () => {
    expect(await isSameProcess(1, await readStartTime(1))).toBe(true);
  });
});

describe.runIf(process.platform === 'linux')('readPidScope', () => {
  it('names the kernel run and the pid namespace', () => {
    expect(readPidScope()).toEqual({
      bootId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      pidNamespace: expect.stringMatching(/^pid:\[\d+\]$/),
    });
  });
});
