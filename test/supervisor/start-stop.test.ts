import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { inspectLock } from '../../supervisor/lock.ts';
import { fetchText, fetchWorker, startLoad, untilServedBy } from './http-load.ts';
import { isRunning, startSupervisor, stopAll, until } from './running-supervisor.ts';

afterEach(stopAll);

describe('a start', () => {
  it('says what runs where, in its answer and in the lock', async () => {
    const supervisor = startSupervisor();
    const ready = await supervisor.ready();
    expect(ready).toMatchObject({
      hosts: ['127.0.0.1'],
      supervisorPid: supervisor.pid,
      generation: 1,
      bootMs: expect.any(Number),
    });
    expect((await fetchWorker(ready.port)).pid).toBe(ready.workerPid);
    const [lock = ''] = supervisor.locks();
    await until(() => readFileSync(join(supervisor.home, 'locks', lock), 'utf8').includes('"running"'), 'it runs');
    expect(await inspectLock(join(supervisor.home, 'locks', lock))).toMatchObject({
      state: 'held',
      owner: { pid: supervisor.pid, port: ready.port, workerPid: ready.workerPid, phase: 'running' },
    });
  });

  it.runIf(process.platform === 'linux')('shows neither paths nor secrets in the process list', async () => {
    const supervisor = startSupervisor({ args: ['--token', 'canary-secret'] });
    const { workerPid } = await supervisor.ready();
    const title = (pid: number): string => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    expect(title(supervisor.pid)).toBe('xopc-supervisor');
    expect(title(workerPid)).toBe('xopc-worker');
  });

  it.each([
    ['exit-78', 78, 'gateway.port: must be a number'],
    ['exit-76', 76, 'gateway.port: must be a number'],
  ])('whose worker ends by %s ends with %i and the reason', async (mode, code, message) => {
    const supervisor = startSupervisor({ mode });
    const end = await supervisor.end;
    expect(end.code).toBe(code);
    expect(end.refused?.message).toContain(message);
    expect(supervisor.locks()).toEqual([]);
  });

  it('with --force ends a gateway of another configuration on that port and takes its place', async () => {
    const first = startSupervisor();
    const { port, workerPid } = await first.ready();
    const second = startSupervisor({ config: { gateway: { port } }, args: ['--force'] });
    await second.ready();
    expect((await first.end).code).toBe(0);
    expect(isRunning(workerPid)).toBe(false);
    const ended = second.log().flatMap((record) => record['ended'] ?? []);
    expect(ended).toContain(first.pid);
    expect(ended).toContain(workerPid);
    expect((await fetchWorker(port)).generation).toBe(1);
  });
});

describe('a stop', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'by %s answers what is in flight, ends with 0 and leaves nothing',
    async (name) => {
      const supervisor = startSupervisor();
      const { port, workerPid } = await supervisor.ready();
      const slow = fetchText(port, '/slow?value=500');
      await new Promise((resolve) => setTimeout(resolve, 50));
      supervisor.signal(name);
      expect(await slow).toBe('slow');
      expect(await supervisor.end).toMatchObject({ code: 0 });
      expect(isRunning(workerPid)).toBe(false);
      expect(supervisor.locks()).toEqual([]);
      await expect(fetchText(port, '/')).rejects.toThrow('ECONNREFUSED');
    },
  );

  it.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('that does not get on is forced by a second %s: exit code %i', async (name, code) => {
    const supervisor = startSupervisor({ mode: 'ignore-drain' });
    const { workerPid } = await supervisor.ready();
    supervisor.signal('SIGTERM');
    await until(() => supervisor.log().some((record) => record['to'] === 'draining'), 'it drains');
    const forcedAt = Date.now();
    supervisor.signal(name);
    expect((await supervisor.end).code).toBe(code);
    expect(Date.now() - forcedAt).toBeLessThan(1_000);
    expect(isRunning(workerPid)).toBe(false);
    expect(supervisor.locks()).toEqual([]);
  });

  it.each(['never-ready', 'no-hello'])('while a worker is starting (%s) works too', async (mode) => {
    const supervisor = startSupervisor({ mode });
    await until(() => supervisor.locks().length === 1, 'it starts');
    await new Promise((resolve) => setTimeout(resolve, 300));
    supervisor.signal('SIGTERM');
    expect((await supervisor.end).code).toBe(0);
    expect(supervisor.locks()).toEqual([]);
  });
});

describe('other signals', () => {
  it('SIGUSR2 logs the state, the workers and their last heartbeat, and asks the workers for their part', async () => {
    const supervisor = startSupervisor();
    const { port, workerPid } = await supervisor.ready();
    await fetchWorker(port);
    supervisor.signal('SIGUSR2');
    await until(() => supervisor.log().some(({ msg }) => msg === 'Diagnostic report.'), 'the report');
    expect(supervisor.log().find(({ msg }) => msg === 'Diagnostic report.')).toMatchObject({
      state: { phase: 'running', active: 1, lease: { epoch: 1, holder: 1 } },
      status: { workers: [{ generation: 1, stage: 'ready', pid: workerPid, heartbeat: { turns: 4, outbox: 6 } }] },
    });
    await until(() => existsSync(join(supervisor.home, 'reports.log')), 'the worker was asked');
  });

  it('SIGHUP reads the configuration again, with a new worker and without a refused request', async () => {
    const supervisor = startSupervisor();
    const { port } = await supervisor.ready();
    const load = startLoad(port, 2);
    supervisor.signal('SIGHUP');
    await supervisor.ready(2);
    await untilServedBy(port, 2);
    expect((await load.stop()).failures).toEqual([]);
  });

  it('find the configuration gone or broken without harm', async () => {
    const supervisor = startSupervisor();
    const { port } = await supervisor.ready();
    writeFileSync(join(supervisor.home, 'xopc.json'), '{ broken');
    supervisor.signal('SIGUSR1');
    await supervisor.ready(2);
    await untilServedBy(port, 2);
    supervisor.signal('SIGTERM');
    expect((await supervisor.end).code).toBe(0);
  });
});
