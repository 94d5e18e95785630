import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ExitError } from '../../lib/errors.ts';
import { fetchText, fetchWorker, untilServedBy } from './http-load.ts';
import { type LoopScene, openLoopScene, untilActive, untilGone } from './loop-scene.ts';
import { listTree } from './process-tree.ts';
import { type LogRecord, until } from './running-supervisor.ts';

describe('a run loop', () => {
  it('forks a worker when it is started, and tells each change and who serves', async () => {
    const scene = await openLoopScene();
    const { loop, changes, activated, port } = scene;
    expect(loop.phase).toBe('starting');
    expect(listTree(scene.home)).toEqual([]);
    loop.start();
    expect(loop.candidate).toBe(1);
    const pid = await untilActive(scene);
    expect(changes).toEqual([
      { workerPid: pid, reason: 'worker 1 is ready' },
      { phase: 'running', reason: 'worker 1 is ready' },
    ]);
    expect(activated).toEqual([{ generation: 1, pid, bootMs: expect.any(Number) }]);
    expect(loop.candidate).toBeNull();
    expect(await fetchWorker(port)).toMatchObject({ generation: 1, pid });
  });

  it('that was stopped before it was started forks nobody and ends with 0', async () => {
    const { loop, home } = await openLoopScene();
    const before = countTimers();
    loop.stop('SIGTERM');
    loop.start();
    expect(await loop.done).toEqual({ exitCode: 0, failure: null });
    expect(listTree(home)).toEqual([]);
    // What still ticks would keep the process alive.
    expect(countTimers()).toBeLessThanOrEqual(before);
  });

  it('has the answer to a status at any time, also before the start and after the end', async () => {
    const scene = await openLoopScene();
    const { loop } = scene;
    expect(loop.status()).toMatchObject({ phase: 'starting', reason: 'the gateway was started', workers: [] });
    loop.start();
    await untilActive(scene);
    await until(() => loop.status().workers[0]?.heartbeat !== null, 'a heartbeat came');
    expect(loop.status()).toMatchObject({ phase: 'running', active: 1, workers: [{ heartbeat: { turns: 4 } }] });
    loop.stop('SIGTERM');
    await loop.done;
    expect(loop.status()).toMatchObject({ phase: 'stopped', reason: 'exit code 0', workers: [], active: null });
  });
});

describe('a signal', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('%s stops it in order', async (signal) => {
    const scene = await startScene();
    scene.loop.onSignal(signal);
    expect(scene.loop.phase).toBe('draining');
    expect(await scene.loop.done).toEqual({ exitCode: 0, failure: null });
    expect(listTree(scene.home)).toEqual([]);
  });

  it('that comes again while it stops ends it at once, with the code of the signal', async () => {
    const scene = await startScene('ignore-drain');
    scene.loop.onSignal('SIGTERM');
    scene.loop.onSignal('SIGINT');
    expect(await scene.loop.done).toEqual({ exitCode: 130, failure: null });
    expect(logged(scene, 'Killing a worker.')).toMatchObject([{ reason: 'second SIGINT' }]);
  });

  it('SIGUSR1 replaces the worker, under the name that it is given', async () => {
    const scene = await startScene();
    scene.loop.onSignal('SIGUSR1', 'xopc gateway restart');
    await untilServed(scene, 2);
    expect(logged(scene, 'Restart requested.')).toMatchObject([{ reason: 'xopc gateway restart' }]);
  });

  it('SIGHUP without a terminal reads the configuration again', async () => {
    const scene = await startScene();
    scene.loop.onSignal('SIGHUP');
    await untilServed(scene, 2);
    expect(logged(scene, 'Restart requested.')).toMatchObject([{ reason: 'SIGHUP: the configuration is read again' }]);
  });

  it('SIGUSR2 writes a report, asks the workers for theirs, and changes nothing', async () => {
    const scene = await startScene();
    scene.loop.onSignal('SIGUSR2');
    await until(() => existsSync(join(scene.home, 'reports.log')), 'the worker was asked');
    expect(logged(scene, 'Diagnostic report.')).toMatchObject([
      { state: { phase: 'running' }, status: { active: 1 }, memory: { rss: expect.any(Number) } },
    ]);
    expect(await fetchWorker(scene.port)).toMatchObject({ generation: 1 });
  });

  it('that may not restart it is logged, not thrown', async () => {
    const scene = await startScene();
    scene.essentials.allowsRestart = false;
    scene.loop.onSignal('SIGUSR1');
    scene.loop.onSignal('SIGHUP');
    await sleep(50);
    expect(logged(scene, 'Restart refused')).toHaveLength(2);
    expect(await fetchWorker(scene.port)).toMatchObject({ generation: 1 });
  });
});

describe('a restart', () => {
  it('throws what the operator can do when the configuration forbids it', async () => {
    const scene = await startScene();
    scene.essentials.allowsRestart = false;
    expect(() => scene.loop.restart('a test', false)).toThrow(ExitError);
    expect(() => scene.loop.restart('a test', false)).toThrow('commands.restart is false');
  });

  it('goes by the settings of that moment', async () => {
    const scene = await startScene();
    scene.essentials.crashLimit = 7;
    scene.loop.restart('a test', false);
    expect(scene.loop.status().crashes.limit).toBe(7);
    await untilServed(scene, 2);
  });

  it('by the worker itself is followed, if it is allowed', async () => {
    const scene = await startScene();
    expect(await fetchText(scene.port, '/restart')).toBe('asked');
    await untilServed(scene, 2);
    expect(logged(scene, 'Restart requested.')).toMatchObject([{ reason: 'asked over HTTP' }]);
  });

  it('in place keeps the process', async () => {
    const scene = await openLoopScene({}, true);
    scene.loop.start();
    const pid = await untilActive(scene);
    scene.loop.restart('a test', false);
    expect(scene.loop.candidate).toBe(1);
    await until(() => scene.loop.phase === 'running', 'it runs again');
    expect(await fetchWorker(scene.port)).toMatchObject({ generation: 1, pid });
  });

  it('while it stops is refused by the state and ends nothing', async () => {
    const scene = await startScene('ignore-drain');
    scene.loop.stop('SIGTERM');
    scene.loop.restart('a test', false);
    expect(scene.loop.phase).toBe('draining');
    expect(logged(scene, 'Restart ignored: the gateway is stopping.')).toHaveLength(1);
  });
});

describe('the end of a worker', () => {
  it('that crashed is in the journal with its last words, and another one serves', async () => {
    const scene = await startScene();
    await fetchText(scene.port, '/shout?value=1&line=Error:%20out%20of%20luck');
    await fetchText(scene.port, '/exit?value=3').catch(() => undefined);
    await untilServed(scene, 2);
    const [exit] = scene.loop.status().lastExits;
    expect(exit).toMatchObject({
      ...{ generation: 1, code: 3, signal: null, isCrash: true, reason: 'exit code 3' },
      firstErrorLine: 'Error: out of luck',
    });
    expect(readFileSync(exit?.crashLog ?? '', 'utf8')).toContain('Error: out of luck');
  });

  it('that was told to end is no crash', async () => {
    const scene = await startScene();
    scene.loop.restart('a test', false);
    await untilServed(scene, 2);
    await until(() => scene.loop.status().lastExits.length === 1, 'the old one has left');
    const { lastExits, crashes } = scene.loop.status();
    expect(lastExits).toMatchObject([{ generation: 1, code: 0, isCrash: false, crashLog: null }]);
    expect(crashes.recent).toBe(0);
  });

  it('by our hand tells both: how, and why', async () => {
    const scene = await startScene('ignore-drain');
    scene.loop.stop('SIGTERM');
    scene.loop.stop('SIGTERM');
    await scene.loop.done;
    expect(scene.loop.status().lastExits).toMatchObject([{ reason: 'SIGKILL, second SIGTERM', isCrash: false }]);
  });

  it('with a reason that needs a person ends the loop with it', async () => {
    const scene = await openLoopScene();
    scene.setMode('exit-78');
    scene.loop.start();
    expect(await scene.loop.done).toEqual({
      exitCode: 78,
      failure: { exitCode: 78, message: 'gateway.port: must be a number', hint: 'Correct the file.' },
    });
  });
});

describe('each second', () => {
  it('the standard error of each worker is kept short', async () => {
    const scene = await startScene();
    await fetchText(scene.port, '/shout?value=30000');
    const file = join(scene.home, 'logs', 'worker-1.stderr');
    expect(statSync(file).size).toBeGreaterThan(2 ** 20);
    await until(() => statSync(file).size <= 2 ** 20, 'it is cut');
  });

  it('a silent worker is noticed, replaced and killed', async () => {
    const scene = await openLoopScene({ hangTimeoutMs: 1_500 });
    scene.loop.start();
    const pid = await untilActive(scene);
    await until(() => scene.loop.status().workers[0]?.heartbeat !== null, 'a heartbeat came');
    process.kill(pid, 'SIGSTOP');
    await untilServed(scene, 2);
    await untilGone(pid);
    await until(() => logged(scene, 'Worker is gone.').length > 0, 'its end is noticed');
    expect(logged(scene, 'The main loop of a worker hangs.')).toMatchObject([
      { generation: 1, level: 50, lastHeartbeat: { turns: 4 } },
    ]);
    expect(scene.loop.status()).toMatchObject({ phase: 'running', active: 2, crashes: { recent: 1 } });
  });
});

describe('a port that does not answer', () => {
  it('gets the worker replaced', async () => {
    const scene = await startScene();
    scene.loop.onUnreachable('the port did not answer 3 times in a row: no answer');
    await untilServed(scene, 2);
    expect(logged(scene, 'State changed.')).toContainEqual(
      expect.objectContaining({ to: 'restarting', reason: expect.stringContaining('did not answer 3 times') }),
    );
  });

  it('is no news while no worker serves', async () => {
    const { loop } = await openLoopScene();
    loop.onUnreachable('nobody is there');
    expect(loop.phase).toBe('starting');
  });
});

function countTimers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
}

async function startScene(mode = 'serve'): Promise<LoopScene> {
  const scene = await openLoopScene();
  scene.setMode(mode);
  scene.loop.start();
  await untilActive(scene);
  return scene;
}

async function untilServed(scene: LoopScene, generation: number): Promise<void> {
  await untilActive(scene, generation);
  await untilServedBy(scene.port, generation);
}

function logged({ records }: LoopScene, text: string): LogRecord[] {
  return records.filter(({ msg }) => msg.startsWith(text));
}
