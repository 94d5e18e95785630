import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { fetchText, fetchWorker, untilServedBy } from './http-load.ts';
import { type RunningSupervisor, startSupervisor, stopAll, until } from './running-supervisor.ts';

afterEach(stopAll);

/** Two crashes are enough, so that nobody waits for the pauses before five. */
const config = { gateway: { port: 0, crashLimit: 2 } };

async function untilPhase(supervisor: RunningSupervisor, phase: string): Promise<void> {
  await until(
    () => supervisor.log().findLast(({ msg }) => msg === 'State changed.')?.['to'] === phase,
    `the phase is ${phase}`,
    10_000,
  );
}

describe('a crash loop', () => {
  it('ends in safe mode, which serves, and says why', async () => {
    const supervisor = startSupervisor({ mode: 'crash-after-ready', config });
    await untilPhase(supervisor, 'safe-mode');
    const { port, generation } = await supervisor.ready(3);
    expect(await fetchWorker(port)).toMatchObject({ generation, role: 'safe' });
    const status = await supervisor.ask({ do: 'status' });
    expect(status).toMatchObject({ phase: 'safe-mode', crashes: { recent: 2, limit: 2 } });
    expect(status.lastExits.slice(0, 2)).toMatchObject([
      { generation: 2, code: 1, isCrash: true },
      { generation: 1, code: 1, isCrash: true },
    ]);
    expect(supervisor.log().filter(({ msg }) => msg.includes('Going on in safe mode'))).toHaveLength(1);
  });

  it('is left by a restart once the cause is gone', async () => {
    const supervisor = startSupervisor({ mode: 'crash-after-ready', config });
    await untilPhase(supervisor, 'safe-mode');
    supervisor.setMode('serve');
    await supervisor.ask({ do: 'restart', force: false, reason: 'test' });
    const { port } = await supervisor.ready(4);
    await untilPhase(supervisor, 'running');
    await untilServedBy(port, 4);
    // The safe worker may take a last connection.
    await expect.poll(() => fetchWorker(port)).toMatchObject({ role: 'serve' });
  });

  it('is left by itself when the configuration is changed', async () => {
    const supervisor = startSupervisor({ mode: 'crash-after-ready', config });
    await untilPhase(supervisor, 'safe-mode');
    supervisor.setMode('serve');
    writeFileSync(join(supervisor.home, 'xopc.json'), JSON.stringify({ gateway: { port: 0 }, logging: {} }));
    const { port } = await supervisor.ready(4);
    await untilPhase(supervisor, 'running');
    // The old one may still take a connection while it drains.
    await untilServedBy(port, 4);
    await vi.waitFor(async () => expect(await fetchWorker(port)).toMatchObject({ role: 'serve' }));
  });

  it('goes on in safe mode when the restart fails', async () => {
    const supervisor = startSupervisor({ mode: 'crash-after-ready', config });
    await untilPhase(supervisor, 'safe-mode');
    supervisor.setMode('exit-78');
    await supervisor.ask({ do: 'restart', force: false, reason: 'test' });
    await until(() => supervisor.log().some(({ msg }) => msg.includes('the old one goes on')), 'the restart failed');
    const { phase, restartFailure } = await supervisor.ask({ do: 'status' });
    expect({ phase, restartFailure }).toEqual({
      phase: 'safe-mode',
      restartFailure: 'gateway.port: must be a number',
    });
  });
});

describe('a worker that cannot even boot', () => {
  it('is tried with growing pauses, while callers are told 503 within two seconds', async () => {
    const supervisor = startSupervisor();
    const { port, workerPid } = await supervisor.ready();
    supervisor.setMode('exit-1');
    process.kill(workerPid, 'SIGKILL');
    const startedAt = Date.now();
    await until(() => supervisor.log().some(({ msg }) => msg.includes('answered 503')), 'the responder starts');
    await expect(fetchText(port, '/')).rejects.toThrow('status 503');
    expect(Date.now() - startedAt).toBeLessThan(5_000);
    const { phase, active } = await supervisor.ask({ do: 'status' });
    expect(['backoff', 'starting']).toContain(phase);
    expect(active).toBeNull();
    supervisor.setMode('serve');
    const { generation } = await supervisor.ready(2);
    await until(
      () => supervisor.log().some((record) => record['to'] === 'safe-mode' || record['to'] === 'running'),
      'it serves',
    );
    expect((await fetchWorker(port)).generation).toBeGreaterThanOrEqual(generation);
  }, 40_000);

  it('can be stopped at any moment of that', async () => {
    const supervisor = startSupervisor({ mode: 'exit-1' });
    await until(() => supervisor.log().some(({ msg }) => msg.includes('answered 503')), 'the responder starts');
    supervisor.signal('SIGTERM');
    expect((await supervisor.end).code).toBe(0);
  });
});
