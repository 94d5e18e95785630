import { afterEach, describe, expect, it } from 'vitest';
import { fetchText, startLoad, untilServedBy } from './http-load.ts';
import { isRunning, startSupervisor, stopAll, until } from './running-supervisor.ts';

afterEach(stopAll);

describe('a worker that leaks', () => {
  it('is replaced without a failed request before the system has to kill it', async () => {
    const supervisor = startSupervisor({ config: { gateway: { port: 0, maxRssMb: 100 } } });
    const { port, workerPid } = await supervisor.ready();
    const load = startLoad(port, 4);
    await fetchText(port, '/leak?value=120');
    await until(() => supervisor.log().some((record) => record['to'] === 'restarting'), 'it is too big', 15_000);
    await supervisor.ready(2);
    await untilServedBy(port, 2);
    await until(() => !isRunning(workerPid), 'the big one is gone', 15_000);
    expect((await load.stop()).failures).toEqual([]);
    expect(supervisor.log().find((record) => record['to'] === 'restarting')?.['reason']).toBe(
      'worker 1 uses more than 100 MB',
    );
    expect((await supervisor.ask({ do: 'status' })).crashes.recent).toBe(0);
  }, 40_000);
});
