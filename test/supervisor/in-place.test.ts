import { afterEach, describe, expect, it } from 'vitest';
import { fetchWorker, startLoad } from './http-load.ts';
import { startSupervisor, stopAll, until } from './running-supervisor.ts';

afterEach(stopAll);

const env = { XOPC_NO_RESPAWN: '1' };

describe('with XOPC_NO_RESPAWN', () => {
  it('a restart rebuilds the worker in its own process, and refuses nobody', async () => {
    const supervisor = startSupervisor({ env });
    const { port, workerPid } = await supervisor.ready();
    const load = startLoad(port, 4);
    supervisor.signal('SIGUSR1');
    await until(() => supervisor.log().filter((record) => record['to'] === 'running').length === 2, 'it runs again');
    const { failures } = await load.stop();
    expect(failures.filter((failure) => failure.includes('ECONNREFUSED'))).toEqual([]);
    expect(await fetchWorker(port)).toMatchObject({ generation: 1, pid: workerPid });
  });

  it('a worker that refuses goes on, and the reason is told', async () => {
    const supervisor = startSupervisor({ env, mode: 'refuse-rebuild' });
    const { port } = await supervisor.ready();
    supervisor.signal('SIGUSR1');
    await until(() => supervisor.log().some(({ msg }) => msg.includes('goes on as it was')), 'it refused');
    expect(await supervisor.ask({ do: 'status' })).toMatchObject({
      phase: 'running',
      restartFailure: 'gateway.port: must be a number',
    });
    expect(await fetchWorker(port)).toMatchObject({ generation: 1 });
  });

  it('a worker that dies is replaced all the same', async () => {
    const supervisor = startSupervisor({ env });
    const { port, workerPid } = await supervisor.ready();
    process.kill(workerPid, 'SIGKILL');
    await supervisor.ready(2);
    expect(await fetchWorker(port)).toMatchObject({ generation: 2 });
  });
});
