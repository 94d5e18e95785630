import { readFileSync, utimesSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, it } from 'vitest';
import { modifiedAtMs } from '../../lib/fs.ts';
import { resolvePaths } from '../../lib/paths.ts';
import { fetchWorker } from './http-load.ts';
import { isRunning, startSupervisor, stopAll, until } from './running-supervisor.ts';

afterAll(stopAll);

// These mostly wait for a limit to pass, so they do it side by side.
describe.concurrent('a start', () => {
  it('on a busy port ends with 69 and lets go of its lock', async ({ expect }) => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const supervisor = startSupervisor({ config: { gateway: { port } } });
    const end = await supervisor.end;
    server.close();
    expect(end).toMatchObject({ code: 69, refused: { message: expect.stringContaining(`Port ${port} is already`) } });
    expect(supervisor.locks()).toEqual([]);
  });

  it('beside a running one ends with 75 and names it; the running one goes on', async ({ expect }) => {
    const first = startSupervisor();
    const { port } = await first.ready();
    const end = await startSupervisor({ home: first.home }).end;
    expect(end.code).toBe(75);
    expect(end.refused?.message).toContain(`PID ${first.pid}`);
    expect(end.refused?.message).toContain('phase running');
    expect(await fetchWorker(port)).toMatchObject({ generation: 1 });
  });

  it('of another configuration on the same state directory ends with 78 and names the first', async ({ expect }) => {
    const first = startSupervisor();
    await first.ready();
    const other = startSupervisor({ env: { XOPC_STATE_DIR: first.home } });
    const end = await other.end;
    expect(end.code).toBe(78);
    expect(end.refused?.message).toContain(join(first.home, 'xopc.json'));
    expect(other.locks()).toEqual([]);
  });

  it('whose worker finds somebody else listening ends with 69', async ({ expect }) => {
    const supervisor = startSupervisor({ mode: 'listen-failed' });
    const end = await supervisor.end;
    expect(end.code).toBe(69);
    expect(end.refused?.message).toContain('is already in use. Use --force to kill existing process.');
    expect(supervisor.locks()).toEqual([]);
  });
});

describe.concurrent('a stop', () => {
  it('kills a worker that ignores it after 6 s, and still ends with 0', async ({ expect }) => {
    const supervisor = startSupervisor({ mode: 'ignore-drain' });
    const { workerPid } = await supervisor.ready();
    const stoppedAt = Date.now();
    supervisor.signal('SIGTERM');
    expect((await supervisor.end).code).toBe(0);
    expect(Date.now() - stoppedAt).toBeGreaterThan(5_900);
    expect(Date.now() - stoppedAt).toBeLessThan(7_000);
    expect(isRunning(workerPid)).toBe(false);
  }, 10_000);
});

describe.concurrent('the locks', () => {
  it('are touched every ten seconds, so that other containers see that their owner lives', async ({ expect }) => {
    const supervisor = startSupervisor();
    await supervisor.ready();
    const { lockFile, runDir } = resolvePaths({ XOPC_HOME: supervisor.home, HOME: supervisor.home });
    const files = [lockFile, join(runDir, 'state.lock')];
    await until(() => readFileSync(lockFile, 'utf8').includes('"phase":"running"'), 'nothing else writes to them');
    for (const file of files) utimesSync(file, 0, 0);
    await until(() => files.every((file) => modifiedAtMs(file) > 0), 'both are touched', 20_000);
    expect(await supervisor.ask({ do: 'status' })).toMatchObject({ phase: 'running' });
  });
});
