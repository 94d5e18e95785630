import { type ChildProcess, spawn } from 'node:child_process';
import { writeSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { describeHang } from '../../supervisor/hang-report.ts';
import { heartbeatOf, liveWorkerOf } from './live-worker-samples.ts';
import { isRunning, until } from './running-supervisor.ts';

const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

describe.runIf(process.platform === 'linux')('what can be known of a process that hangs', () => {
  it('is that it runs, when it turns in a circle', async () => {
    const pid = start(['-e', 'for (;;);']);
    await until(() => stateOf(pid).startsWith('running'), 'it spins');
    expect(describeHang(liveWorkerOf(1, { pid })).processState).toBe(
      'running: a loop that never ends, or the machine is overloaded',
    );
  });

  it('is that it sleeps, and in which call of the kernel, when it waits', async () => {
    const pid = start(['-e', 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60000)']);
    // It also sleeps for moments while it starts, so that both must be seen at once.
    await until(() => {
      const { processState, waitsIn } = describeHang(liveWorkerOf(1, { pid }));
      const isInCall = (waitsIn ?? '').includes('futex') || hidesCalls(pid);
      return isInCall && processState === 'sleeping: it waits for something synchronously';
    }, 'it waits');
  });

  it('is that a signal stopped it', async () => {
    const pid = start(['-e', 'setInterval(() => undefined, 1000)']);
    process.kill(pid, 'SIGSTOP');
    await until(() => stateOf(pid) === 'stopped by a signal', 'it is stopped');
  });

  it('is that it has ended, while nobody has taken note of that', async () => {
    // The shell that started it does not look after it any more.
    const shell = spawn('sh', ['-c', 'sleep 0.3 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
    children.push(shell);
    const line = await new Promise((resolve) => shell.stdout?.once('data', resolve));
    const pid = Number(String(line));
    await until(() => !isRunning(pid), 'it has ended');
    expect(stateOf(pid)).toBe('ended');
  });

  it('is nothing when it is gone or was never there', () => {
    const nothing = { processState: 'unknown', waitsIn: null, lastHeartbeat: null, lastWords: [] };
    expect(describeHang(undefined)).toEqual(nothing);
    expect(describeHang(liveWorkerOf(1))).toEqual(nothing);
    expect(describeHang(liveWorkerOf(1, { pid: 2 ** 22 + 1 }))).toEqual(nothing);
  });
});

describe('the report', () => {
  it('holds the last heartbeat and the newest forty lines of standard error', () => {
    const worker = liveWorkerOf(1);
    writeSync(worker.output.fd, Array.from({ length: 100 }, (_, index) => `line ${index}\n`).join(''));
    const { t: _type, ...figures } = heartbeatOf(9);
    const heartbeat = { at: '2026-03-04T05:06:07.000Z', ...figures };
    const { lastHeartbeat, lastWords } = describeHang({ ...worker, heartbeat });
    expect(lastHeartbeat).toEqual(heartbeat);
    expect([lastWords.length, lastWords[0], lastWords.at(-1)]).toEqual([40, 'line 60', 'line 99']);
  });
});

function start(args: readonly string[]): number {
  const child = spawn(process.execPath, args, { stdio: 'ignore' });
  children.push(child);
  return child.pid ?? 0;
}

function stateOf(pid: number): string {
  return describeHang(liveWorkerOf(1, { pid })).processState;
}

/** In some containers the kernel does not say where a process waits. */
function hidesCalls(pid: number): boolean {
  const { processState, waitsIn } = describeHang(liveWorkerOf(1, { pid }));
  return processState.startsWith('sleeping') && waitsIn === null;
}
