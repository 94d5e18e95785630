import { afterEach, describe, expect, it } from 'vitest';
import { fetchWorker, startLoad, untilServedBy } from './http-load.ts';
import { isRunning, type RunningSupervisor, startSupervisor, stopAll, until } from './running-supervisor.ts';

afterEach(stopAll);

const config = { gateway: { port: 0, standby: true } };

/** Resolves with the pid of the standby once it is warm. */
async function warmStandby(supervisor: RunningSupervisor, generation: number): Promise<number> {
  for (;;) {
    const { workers } = await supervisor.ask({ do: 'status' });
    const found = workers.find((worker) => worker.generation === generation && worker.stage === 'warm');
    if (found?.pid !== undefined && found.pid !== null) return found.pid;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('a standby', () => {
  it('serves at once when the worker is killed, with the lease, and is followed by another one', async () => {
    const supervisor = startSupervisor({ config });
    const { port, workerPid } = await supervisor.ready();
    const standbyPid = await warmStandby(supervisor, 2);
    const load = startLoad(port, 4);
    process.kill(workerPid, 'SIGKILL');
    const { workerPid: promoted } = await supervisor.ready(2);
    expect(promoted).toBe(standbyPid);
    await untilServedBy(port, 2);
    const { failures } = await load.stop();
    expect(failures.filter((failure) => failure.includes('ECONNREFUSED'))).toEqual([]);
    expect(await fetchWorker(port)).toMatchObject({ epoch: 2 });
    await warmStandby(supervisor, 3);
  });

  it('is replaced with the worker by a restart', async () => {
    const supervisor = startSupervisor({ config });
    await supervisor.ready();
    const standbyPid = await warmStandby(supervisor, 2);
    supervisor.signal('SIGUSR1');
    await supervisor.ready(3);
    await until(() => !isRunning(standbyPid), 'the old standby is gone');
    await warmStandby(supervisor, 4);
  });

  it('that is killed is no crash of the gateway', async () => {
    const supervisor = startSupervisor({ config });
    const { port } = await supervisor.ready();
    process.kill(await warmStandby(supervisor, 2), 'SIGKILL');
    await until(() => supervisor.log().some(({ msg }) => msg === 'Worker is gone.'), 'its end is noticed');
    const { phase, crashes } = await supervisor.ask({ do: 'status' });
    expect({ phase, crashes }).toEqual({ phase: 'running', crashes: { recent: 0, limit: 5 } });
    expect(await fetchWorker(port)).toMatchObject({ generation: 1 });
  });

  it('dies with a supervisor that is killed', async () => {
    const supervisor = startSupervisor({ config });
    await supervisor.ready();
    const standbyPid = await warmStandby(supervisor, 2);
    supervisor.signal('SIGKILL');
    await until(() => !isRunning(standbyPid), 'the standby is gone', 2_000);
  });
});
