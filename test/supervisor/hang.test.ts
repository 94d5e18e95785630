import { afterAll, describe, it } from 'vitest';
import { fetchText, fetchWorker, startLoad, untilServedBy } from './http-load.ts';
import { isRunning, type RunningSupervisor, startSupervisor, stopAll, until } from './running-supervisor.ts';

afterAll(stopAll);

/** A third of it brings up a replacement: 1 s. */
const config = { gateway: { port: 0, drainTimeout: '2s', hangTimeout: '3s' } };

// These wait for limits to pass, so they do it side by side.
describe.concurrent('a worker whose main loop hangs', () => {
  it('is replaced beside it, reported and killed', async ({ expect }) => {
    const supervisor = startSupervisor({ config });
    const { port, workerPid } = await supervisor.ready();
    const blockedAt = Date.now();
    void fetchText(port, '/spin?value=60000').catch(() => undefined);
    const { generation } = await supervisor.ready(2);
    expect(generation).toBe(2);
    expect((await fetchWorker(port)).generation).toBe(2);
    await until(() => !isRunning(workerPid), 'the hanging worker is killed', 8_000);
    expect(Date.now() - blockedAt).toBeGreaterThan(2_500);
    const dump = logged(supervisor, 'hangs')[0];
    expect(dump).toMatchObject({ generation: 1, lastHeartbeat: { turns: 4 } });
    expect(dump?.['processState']).toContain('running');
    await until(() => logged(supervisor, 'Worker is gone').length === 1, 'its end is noticed');
    const { lastExits, crashes } = await supervisor.ask({ do: 'status' });
    expect(lastExits[0]).toMatchObject({ generation: 1, signal: 'SIGKILL', isCrash: true });
    expect(lastExits[0]?.reason).toMatch(/hung: its main loop was silent for \d+ s$/);
    expect(crashes.recent).toBe(1);
  });

  it('is replaced and killed when it was stopped by a signal too', async ({ expect }) => {
    const supervisor = startSupervisor({ config });
    const { port, workerPid } = await supervisor.ready();
    process.kill(workerPid, 'SIGSTOP');
    await supervisor.ready(2);
    await untilServedBy(port, 2);
    await until(() => !isRunning(workerPid), 'the stopped worker is killed', 8_000);
    await until(() => logged(supervisor, 'hangs')[0]?.['processState'] === 'stopped by a signal', 'it is reported');
    expect(await fetchWorker(port)).toMatchObject({ generation: 2 });
  });

  it('for less than that comes back, finishes what it has and is no crash', async ({ expect }) => {
    const supervisor = startSupervisor({ config: { gateway: { port: 0, hangTimeout: '9s' } } });
    const { port } = await supervisor.ready();
    const blocked = fetchText(port, '/block?value=6000');
    await supervisor.ready(2, 10_000);
    expect(await blocked).toBe('blocked');
    await until(() => logged(supervisor, 'Worker is gone').length === 1, 'the old one left', 10_000);
    expect(logged(supervisor, 'Killing')).toEqual([]);
    expect(await supervisor.ask({ do: 'status' })).toMatchObject({ crashes: { recent: 0 }, phase: 'running' });
  });

  it('is left alone when hangTimeout is 0', async ({ expect }) => {
    const supervisor = startSupervisor({ config: { gateway: { port: 0, hangTimeout: 0 } } });
    const { port } = await supervisor.ready();
    expect(await fetchText(port, '/block?value=2500')).toBe('blocked');
    expect(await fetchWorker(port)).toMatchObject({ generation: 1 });
  });

  it('can be asked about, stopped and replaced all the same', async ({ expect }) => {
    const supervisor = startSupervisor({ config: { gateway: { port: 0, drainTimeout: '1s' } } });
    const { workerPid } = await supervisor.ready();
    process.kill(workerPid, 'SIGSTOP');
    expect(await supervisor.ask({ do: 'status' })).toMatchObject({ phase: 'running', active: 1 });
    expect(await supervisor.ask({ do: 'restart', force: true, reason: 'test' })).toEqual({ generation: 2 });
    await supervisor.ready(2);
    expect(await supervisor.ask({ do: 'stop' })).toEqual({ phase: 'draining' });
    expect((await supervisor.end).code).toBe(0);
    expect(isRunning(workerPid)).toBe(false);
  });
});

describe.concurrent('a supervisor that was itself suspended', () => {
  it('blames no worker for its own silence', async ({ expect }) => {
    const supervisor = startSupervisor({ config: { gateway: { port: 0, hangTimeout: '9s' } } });
    const { port, workerPid } = await supervisor.ready();
    const load = startLoad(port, 2);
    process.kill(workerPid, 'SIGSTOP');
    process.kill(supervisor.pid, 'SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    process.kill(supervisor.pid, 'SIGCONT');
    process.kill(workerPid, 'SIGCONT');
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect((await load.stop()).failures).toEqual([]);
    expect(await fetchWorker(port)).toMatchObject({ generation: 1 });
    expect(logged(supervisor, 'Killing')).toEqual([]);
  });

  it('leaves its worker serving', async ({ expect }) => {
    const supervisor = startSupervisor();
    const { port } = await supervisor.ready();
    process.kill(supervisor.pid, 'SIGSTOP');
    const load = startLoad(port, 4);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    process.kill(supervisor.pid, 'SIGCONT');
    const { failures, total } = await load.stop();
    expect(failures).toEqual([]);
    expect(total).toBeGreaterThan(50);
  });
});

function logged(supervisor: RunningSupervisor, text: string): Record<string, unknown>[] {
  return supervisor.log().filter(({ msg }) => msg.includes(text));
}
