import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { fetchText, fetchWorker, startLoad, untilServedBy } from './http-load.ts';
import { isRunning, type RunningSupervisor, startSupervisor, stopAll, until } from './running-supervisor.ts';

afterEach(stopAll);

describe('SIGUSR1', () => {
  it('replaces the worker without a failed request and without two workers that hold the lease', async () => {
    const supervisor = startSupervisor();
    const { port } = await supervisor.ready();
    const load = startLoad(port, 8);
    for (const generation of [2, 3, 4]) {
      await new Promise((resolve) => setTimeout(resolve, 150));
      supervisor.signal('SIGUSR1');
      await supervisor.ready(generation);
      await until(() => leaseEpochs(supervisor).at(-1) === generation, 'the lease has moved');
    }
    const { total, failures, generations } = await load.stop();
    expect(failures).toEqual([]);
    expect(total).toBeGreaterThan(200);
    expect(generations).toEqual([1, 2, 3, 4]);
    expect(leaseEpochs(supervisor)).toEqual([...leaseEpochs(supervisor)].sort((left, right) => left - right));
  });

  it('lets a request finish that the replaced worker had begun', async () => {
    const supervisor = startSupervisor();
    const { port } = await supervisor.ready();
    const slow = fetchText(port, '/slow?value=800');
    await new Promise((resolve) => setTimeout(resolve, 50));
    supervisor.signal('SIGUSR1');
    await supervisor.ready(2);
    await untilServedBy(port, 2);
    expect(await slow).toBe('slow');
  });

  it('fifty times within a moment makes a few restarts, not fifty', async () => {
    const supervisor = startSupervisor();
    const { port } = await supervisor.ready();
    for (let count = 0; count < 50; count += 1) {
      supervisor.signal('SIGUSR1');
      await new Promise((resolve) => setTimeout(resolve, 4));
    }
    await supervisor.ready(2);
    await until(() => lastPhase(supervisor) === 'running' && restarts(supervisor) >= 2, 'the storm is over');
    await new Promise((resolve) => setTimeout(resolve, 500));
    const { generation } = await fetchWorker(port);
    expect(generation).toBeGreaterThanOrEqual(2);
    expect(generation).toBeLessThanOrEqual(10);
  });

  it('is refused with one log line when commands.restart is false, as the file says now', async () => {
    const supervisor = startSupervisor({ config: { commands: { restart: false } } });
    const { port } = await supervisor.ready();
    supervisor.signal('SIGUSR1');
    await until(() => logged(supervisor, 'Restart refused').length > 0, 'the refusal is logged');
    expect(await fetchWorker(port)).toMatchObject({ generation: 1 });
    expect(logged(supervisor, 'Restart refused')).toHaveLength(1);
  });

  it('may come at any time: it never opens the debugger', async () => {
    const supervisor = startSupervisor();
    await until(() => supervisor.locks().some((name) => name.endsWith('.lock')), 'the lock names the pid');
    supervisor.signal('SIGUSR1');
    const { port } = await supervisor.ready(2);
    await untilServedBy(port, 2);
    expect(supervisor.stderr()).toBe('');
  });

  it('may also be asked for by the worker', async () => {
    const supervisor = startSupervisor();
    const { port } = await supervisor.ready();
    expect(await fetchText(port, '/restart')).toBe('asked');
    await supervisor.ready(2);
    await untilServedBy(port, 2);
  });
});

describe('a bad replacement', () => {
  it.each(['exit-78', 'exit-76', 'exit-1', 'listen-failed'])('(%s) leaves the old worker serving', async (mode) => {
    const supervisor = startSupervisor();
    const { port, workerPid } = await supervisor.ready();
    supervisor.setMode(mode);
    supervisor.signal('SIGUSR1');
    await until(() => logged(supervisor, 'the old one goes on').length === 1, 'the failure is logged');
    expect(await fetchWorker(port)).toMatchObject({ generation: 1, pid: workerPid });
    supervisor.setMode('serve');
    supervisor.signal('SIGUSR1');
    await supervisor.ready(3);
    await until(() => !isRunning(workerPid), 'the old worker is gone');
  });

  it('that never gets ready does not keep the old one from serving, nor the gateway from stopping', async () => {
    const supervisor = startSupervisor();
    const { port } = await supervisor.ready();
    supervisor.setMode('never-ready');
    supervisor.signal('SIGUSR1');
    await until(() => lastPhase(supervisor) === 'restarting', 'the new worker boots');
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await fetchWorker(port)).toMatchObject({ generation: 1 });
    supervisor.signal('SIGTERM');
    expect(await supervisor.end).toMatchObject({ code: 0 });
  });

  it('tells the others when it is gone', async () => {
    const supervisor = startSupervisor();
    await supervisor.ready();
    supervisor.setMode('exit-1');
    supervisor.signal('SIGUSR1');
    await until(() => logged(supervisor, 'the old one goes on').length === 1, 'the failure is logged');
    await until(() => readOrEmpty(supervisor, 'peers.log') === '1 saw 2\n', 'worker 1 heard of it');
  });
});

function leaseEpochs({ home }: RunningSupervisor): number[] {
  const lines = readFileSync(join(home, 'lease.log'), 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => Number(line.split(' ')[0]));
}

function readOrEmpty({ home }: RunningSupervisor, name: string): string {
  try {
    return readFileSync(join(home, name), 'utf8');
  } catch {
    return '';
  }
}

function logged(supervisor: RunningSupervisor, text: string): unknown[] {
  return supervisor.log().filter(({ msg }) => msg.includes(text));
}

function lastPhase(supervisor: RunningSupervisor): unknown {
  return supervisor.log().findLast(({ msg }) => msg === 'State changed.')?.['to'];
}

function restarts(supervisor: RunningSupervisor): number {
  return supervisor.log().filter((record) => record['to'] === 'restarting').length;
}
