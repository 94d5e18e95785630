import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { findSocketHolders, readListeningSockets } from '../../supervisor/listening-sockets.ts';
import { bindListeners, closeListeners } from '../../supervisor/socket.ts';
import { fetchText, fetchWorker } from './http-load.ts';
import { listTree } from './process-tree.ts';
import { isRunning, type RunningSupervisor, startSupervisor, stopAll, until } from './running-supervisor.ts';

afterEach(stopAll);

const MEGABYTE = 2 ** 20;

describe.runIf(process.platform === 'linux')('a worker that prints a million lines on its standard error', () => {
  it('costs the supervisor no memory, and it answers all the while', async () => {
    const supervisor = startSupervisor();
    const { port } = await supervisor.ready();
    await supervisor.ask({ do: 'status' });
    const before = residentBytes(supervisor.pid);
    const shouted = fetchText(port, '/shout?value=1000000');
    const watched = watch(supervisor);
    expect(await shouted).toBe('said');
    const file = join(supervisor.home, 'logs', 'worker-1.stderr');
    await until(() => statSync(file).size <= MEGABYTE, 'the file is cut');
    const { peakBytes, slowestMs, answers } = await watched.stop();
    expect(peakBytes - before).toBeLessThan(8 * MEGABYTE);
    expect(answers).toBeGreaterThan(5);
    expect(slowestMs).toBeLessThan(1_000);
    expect(await fetchWorker(port)).toMatchObject({ generation: 1 });
  });

  it('and dies leaves a crash log of its last thousand, and the error among them in the status', async () => {
    const supervisor = startSupervisor();
    const { port } = await supervisor.ready();
    await fetchText(port, '/shout?value=100000');
    await fetchText(port, '/shout?value=1&line=Error:%20the%20disk%20is%20on%20fire');
    await fetchText(port, '/shout?value=100');
    await fetchText(port, '/exit?value=3').catch(() => undefined);
    await supervisor.ready(2);
    await until(() => exitsOf(supervisor).length === 1, 'the end is written down');
    const { lastExits } = await supervisor.ask({ do: 'status' });
    expect(lastExits[0]).toMatchObject({
      ...{ generation: 1, code: 3, isCrash: true, reason: 'exit code 3' },
      firstErrorLine: 'Error: the disk is on fire',
    });
    const [facts = '', heading, ...lines] = readFileSync(lastExits[0]?.crashLog ?? '', 'utf8')
      .trimEnd()
      .split('\n');
    expect(facts).toContain('first error: Error: the disk is on fire');
    expect(heading).toBe('--- standard error ---');
    expect(lines).toHaveLength(1_000);
    expect(lines[899]).toBe('Error: the disk is on fire');
    expect(readdirSync(join(supervisor.home, 'logs')).filter((name) => name.startsWith('worker-1'))).toEqual([]);
  });
});

describe.runIf(process.platform === 'linux')('what a worker has started', () => {
  it.each(['/exit?value=3', '/kill'])('ends with it when it crashes (%s)', async (how) => {
    const supervisor = startSupervisor();
    const { port, workerPid } = await supervisor.ready();
    const child = await startChild(port);
    if (how === '/kill') process.kill(workerPid, 'SIGKILL');
    else await fetchText(port, how).catch(() => undefined);
    await until(() => !isRunning(child), 'it is gone');
    await supervisor.ready(2);
  });

  it('ends with it when it hangs and is killed', async () => {
    const supervisor = startSupervisor({ config: { gateway: { port: 0, hangTimeout: '1s' } } });
    const { port, workerPid } = await supervisor.ready();
    const child = await startChild(port);
    process.kill(workerPid, 'SIGSTOP');
    await until(() => !isRunning(child), 'it is gone', 10_000);
    await supervisor.ready(2);
  });

  it('ends when the gateway stops', async () => {
    const supervisor = startSupervisor();
    const { port } = await supervisor.ready();
    const child = await startChild(port);
    supervisor.signal('SIGTERM');
    expect((await supervisor.end).code).toBe(0);
    await until(() => !isRunning(child), 'it is gone');
  });

  it('in a session of its own outlives kill -9 of everything, and is ended by the next start, which spares all others', async () => {
    const supervisor = startSupervisor();
    const { port, workerPid } = await supervisor.ready();
    const apart = await startChild(port, 'apart');
    const innocent = startInnocent();
    supervisor.signal('SIGKILL');
    await supervisor.end;
    await until(() => !isRunning(workerPid), 'the worker is gone');
    expect(isRunning(apart)).toBe(true);
    const successor = startSupervisor({ home: supervisor.home, config: { gateway: { port } } });
    await successor.ready();
    expect(isRunning(apart)).toBe(false);
    expect(isRunning(innocent)).toBe(true);
    const reaped = successor.log().filter(({ msg }) => msg.includes('the last gateway left behind'));
    expect(reaped).toMatchObject([{ ended: apart, command: 'sleep' }]);
  });

  it('never holds the listening socket: once the gateway is killed anybody can have the port', async () => {
    const supervisor = startSupervisor();
    const { port, workerPid } = await supervisor.ready();
    const children = [await startChild(port), await startChild(port, 'apart')];
    const holders = findSocketHolders(readListeningSockets(port));
    expect(holders.sort()).toEqual([supervisor.pid, workerPid].sort());
    for (const child of children) expect(socketsOf(child)).toEqual([]);
    supervisor.signal('SIGKILL');
    await supervisor.end;
    await until(() => !isRunning(workerPid), 'the worker is gone');
    expect(listTree(supervisor.home)).toContain(children[1]);
    closeListeners(await bindListeners({ hosts: ['127.0.0.1'], port }));
  });
});

describe('a worker that hangs up on its supervisor', () => {
  it('and lives on is killed and replaced, since nobody can tell it anything; the reason says so', async () => {
    const supervisor = startSupervisor();
    const { port, workerPid } = await supervisor.ready();
    expect(await fetchText(port, '/hang-up')).toBe('hung up');
    await supervisor.ready(2);
    expect(isRunning(workerPid)).toBe(false);
    const { lastExits } = await supervisor.ask({ do: 'status' });
    expect(lastExits[0]).toMatchObject({
      ...{ generation: 1, signal: 'SIGKILL', isCrash: true },
      reason: 'SIGKILL, as it had closed its pipe to the supervisor',
    });
  });
});

describe('a worker that says nonsense over its pipe', () => {
  const nonsense: readonly unknown[] = [
    'no message',
    null,
    { v: 1, t: 'worker.coffee' },
    { v: 99, t: 'worker.hello', pid: 1, version: '1' },
    { v: 1, t: 'worker.hello', pid: 'x' },
    { v: 1, t: 'worker.listen-failed' },
    { v: 1, t: 'worker.heartbeat' },
    { v: 1, t: 'worker.ready' },
    { v: 1, t: 'worker.fatal' },
    { v: 1, t: 'lease.released', epoch: {} },
    { v: 1, t: 'restart.request', reason: { toString: 1 } },
    { v: 1, t: 'worker.rebuild-refused' },
  ];
  /** Messages as they should be, at a time when they mean nothing. */
  const untimely: readonly unknown[] = [
    { v: 1, t: 'worker.hello', pid: 1, version: '1' },
    { v: 1, t: 'worker.warm' },
    { v: 1, t: 'worker.ready', bootMs: -1 },
    { v: 1, t: 'worker.rebuild-refused', message: 'never asked' },
    { v: 1, t: 'lease.released', epoch: 1 },
    { v: 1, t: 'lease.released', epoch: 7 },
  ];

  it('is not believed, and nothing changes by it', async () => {
    const supervisor = startSupervisor();
    const { port, workerPid } = await supervisor.ready();
    await until(() => supervisor.log().some((record) => record['to'] === 'running'), 'it is in the log that it runs');
    const before = supervisor.log().length;
    for (const message of [...nonsense, ...untimely]) {
      await fetchText(port, `/say?message=${encodeURIComponent(JSON.stringify(message))}`);
    }
    await sleep(100);
    expect(await supervisor.ask({ do: 'status' })).toMatchObject({ phase: 'running', active: 1, restartFailure: null });
    expect(await supervisor.ask({ do: 'report' })).toMatchObject({ state: { lease: { epoch: 1, holder: 1 } } });
    expect(await fetchWorker(port)).toMatchObject({ generation: 1, pid: workerPid });
    expect(supervisor.log().length - before).toBe(1);
    expect(supervisor.stderr()).toBe('');
    supervisor.signal('SIGTERM');
    expect((await supervisor.end).code).toBe(0);
  });
});

/** The largest memory and the slowest answer of a supervisor until `stop`. */
function watch(supervisor: RunningSupervisor): {
  stop(): Promise<{ peakBytes: number; slowestMs: number; answers: number }>;
} {
  let isStopped = false;
  const seen = { peakBytes: 0, slowestMs: 0, answers: 0 };
  const running = (async () => {
    while (!isStopped) {
      const askedAt = performance.now();
      await supervisor.ask({ do: 'status' });
      seen.answers += 1;
      seen.slowestMs = Math.max(seen.slowestMs, performance.now() - askedAt);
      seen.peakBytes = Math.max(seen.peakBytes, residentBytes(supervisor.pid));
      await sleep(20);
    }
  })();
  return {
    async stop() {
      isStopped = true;
      await running;
      return seen;
    },
  };
}

function residentBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) * 1_024;
}

async function startChild(port: number, where: 'with it' | 'apart' = 'with it'): Promise<number> {
  const pid = Number(await fetchText(port, `/child?value=${where === 'apart' ? 1 : 0}`));
  await until(() => readFileSync(`/proc/${pid}/comm`, 'utf8') === 'sleep\n', 'it has started');
  return pid;
}

/** A process like the others, of somebody else. */
function startInnocent(): number {
  const child = spawn('sleep', ['600'], { stdio: 'ignore', detached: true });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child.pid ?? 0;
}

function socketsOf(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder)
    .map((fd) => readlinkSync(join(folder, fd)))
    .filter((target) => target.startsWith('socket:'));
}

function exitsOf({ home }: RunningSupervisor): unknown[] {
  try {
    return JSON.parse(readFileSync(join(home, 'run', 'last-exits.json'), 'utf8'));
  } catch {
    return [];
  }
}
