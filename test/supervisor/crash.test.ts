import { afterEach, describe, expect, it } from 'vitest';
import { fetchText, fetchWorker, startLoad, untilServedBy } from './http-load.ts';
import { isRunning, startSupervisor, stopAll, until } from './running-supervisor.ts';

afterEach(stopAll);

describe('a worker that dies', () => {
  it('by kill -9 is replaced at once, and the port never refuses', async () => {
    const supervisor = startSupervisor();
    const { port, workerPid } = await supervisor.ready();
    const load = startLoad(port, 4);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const killedAt = Date.now();
    process.kill(workerPid, 'SIGKILL');
    await supervisor.ready(2);
    expect(Date.now() - killedAt).toBeLessThan(2_000);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const { failures, generations } = await load.stop();
    expect(failures.filter((failure) => failure.includes('ECONNREFUSED'))).toEqual([]);
    // In flight at that moment: at most one per client.
    expect(failures.length).toBeLessThanOrEqual(4);
    expect(generations).toEqual([1, 2]);
  });

  it('again and again is tried with growing pauses, and is back once it can serve', async () => {
    const supervisor = startSupervisor({ mode: 'crash-after-ready' });
    await until(() => supervisor.log().some((record) => record['to'] === 'backoff'), 'it pauses');
    supervisor.setMode('serve');
    const { port } = await supervisor.ready(3);
    expect((await fetchWorker(port)).generation).toBeGreaterThanOrEqual(3);
  });

  it('and then finds a bad configuration ends the gateway with 78, the reason and the way out', async () => {
    const supervisor = startSupervisor();
    const { workerPid } = await supervisor.ready();
    supervisor.setMode('exit-78');
    process.kill(workerPid, 'SIGKILL');
    const { code, refused } = await supervisor.end;
    expect(code).toBe(78);
    expect(refused).toMatchObject({ message: 'gateway.port: must be a number', hint: 'Correct the file.' });
    expect(supervisor.locks()).toEqual([]);
  });

  it('exiting on its own, with 0, is replaced too', async () => {
    const supervisor = startSupervisor();
    const { port } = await supervisor.ready();
    await fetchText(port, '/exit?value=0').catch(() => undefined);
    await supervisor.ready(2);
    await untilServedBy(port, 2);
  });
});

describe.runIf(process.platform === 'linux')('kill -9 of the supervisor', () => {
  it.each([
    ['idle', undefined],
    ['blocked', '/block?value=8000'],
  ])('ends an %s worker and frees the port, and the next start needs no help', async (_name, path) => {
    const supervisor = startSupervisor();
    const { port, workerPid } = await supervisor.ready();
    const blocked = path === undefined ? undefined : fetchText(port, path).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const killedAt = Date.now();
    supervisor.signal('SIGKILL');
    await supervisor.end;
    await until(() => !isRunning(workerPid), 'the worker is gone', 2_000);
    expect(Date.now() - killedAt).toBeLessThan(1_000);
    await blocked;
    expect(supervisor.locks()).toHaveLength(1);
    const successor = startSupervisor({ home: supervisor.home, config: { gateway: { port } } });
    await successor.ready();
    expect(await fetchWorker(port)).toMatchObject({ generation: 1 });
  });
});
