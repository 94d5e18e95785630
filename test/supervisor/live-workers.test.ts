import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { WorkerMessage } from '../../lib/ipc.ts';
import type { WorkerEnd } from '../../supervisor/child.ts';
import { LiveWorkers, type LiveWorkersOptions } from '../../supervisor/live-workers.ts';
import { fetchText, fetchWorker } from './http-load.ts';
import { INSTANCE, openWorkerScene } from './loop-scene.ts';
import { findTitled, isRunning } from './process-tree.ts';
import { type LogRecord, until } from './running-supervisor.ts';

type Said = { generation: number; message: WorkerMessage };
type Ended = { generation: number; end: WorkerEnd; killReason: string | null };
type Scene = {
  workers: LiveWorkers;
  home: string;
  port: number;
  records: LogRecord[];
  said: Said[];
  ended: Ended[];
  responderEnds: number;
};

describe('a forked worker', () => {
  it('is listed with its pid, its role and its output, and says hello', async () => {
    const { workers, said, home } = await openScene();
    workers.fork(1, 'serve');
    await untilSaid(said, 1, 'worker.hello');
    const worker = workers.get(1);
    expect(worker).toMatchObject({
      generation: 1,
      role: 'serve',
      killReason: null,
      fatalMessage: null,
      heartbeat: null,
    });
    expect(workers.list()).toEqual([worker]);
    expect(isRunning(worker?.pid ?? 0)).toBe(true);
    expect(existsSync(join(home, 'logs', 'worker-1.stderr'))).toBe(true);
  });

  it('is welcomed with what it shall be and the socket, and then serves', async () => {
    const { workers, said, port } = await openScene();
    workers.fork(1, 'safe');
    await untilSaid(said, 1, 'worker.hello');
    workers.welcome(1, 7);
    await untilSaid(said, 1, 'worker.ready');
    expect(await fetchWorker(port)).toMatchObject({ generation: 1, epoch: 7, role: 'safe', instanceId: INSTANCE });
  });

  it('bears the mark of its instance, by which what it leaves behind is known', async () => {
    const { workers, said, port } = await openScene();
    await serve(workers, said, 1);
    const child = Number(await fetchText(port, '/child'));
    expect(readFileSync(`/proc/${child}/environ`, 'utf8')).toContain(`XOPC_INSTANCE=${INSTANCE}`);
  });

  it('is told of the others that live', async () => {
    const { workers, said, home } = await openScene();
    await serve(workers, said, 1);
    workers.fork(2, 'serve');
    await untilSaid(said, 2, 'worker.hello');
    workers.welcome(2, null);
    await untilSaid(said, 2, 'worker.ready');
    workers.send(2, { t: 'peer.exited', generation: 1 });
    await until(() => existsSync(join(home, 'peers.log')), 'it heard of it');
    expect(readFileSync(join(home, 'peers.log'), 'utf8')).toBe('2 saw 1\n');
  });

  it('that cannot be started has ended, though not before the call returns', async () => {
    const { workers, ended } = await openScene({ launcher: ['/nowhere/at-all'] });
    workers.fork(1, 'serve');
    expect(workers.list()).toHaveLength(1);
    expect(workers.get(1)?.pid).toBeUndefined();
    expect(ended).toEqual([]);
    await until(() => ended.length > 0, 'its end is reported');
    expect(ended[0]?.end.cause).toContain('cannot be started: spawn /nowhere/at-all ENOENT');
    expect(workers.list()).toEqual([]);
  });

  it('whose command line Node refuses has ended in the same way', async () => {
    const { workers, ended } = await openScene({ launcher: ['a\0b'] });
    workers.fork(1, 'serve');
    expect(ended).toEqual([]);
    await until(() => ended.length > 0, 'its end is reported');
    expect(ended[0]?.end).toMatchObject({ code: null, signal: null });
  });
});

describe('the end of a worker', () => {
  it('by our hand tells why, the first reason if there are several', async () => {
    const { workers, said, ended, records } = await openScene();
    workers.fork(1, 'serve');
    await untilSaid(said, 1, 'worker.hello');
    workers.kill(1, 'the first reason');
    workers.kill(1, 'the second reason');
    await until(() => ended.length > 0, 'its end is reported');
    expect(ended).toMatchObject([{ generation: 1, killReason: 'the first reason', end: { signal: 'SIGKILL' } }]);
    expect(records.filter(({ msg }) => msg === 'Killing a worker.')).toHaveLength(2);
  });

  it('is reported once, and after it nothing is said to it or of it', async () => {
    const { workers, said, ended } = await openScene();
    await serve(workers, said, 1);
    process.kill(workers.get(1)?.pid ?? 0, 'SIGKILL');
    await until(() => ended.length > 0, 'its end is reported');
    const { length } = said;
    workers.send(1, { t: 'worker.report' });
    workers.welcome(1, 1);
    workers.promote(1, 1);
    workers.rebuild(1, { requestsMs: 1, turnsMs: 1 });
    workers.kill(1, 'too late');
    await sleep(50);
    expect([ended.length, said.length]).toEqual([1, length]);
    expect(workers.get(1)).toBeUndefined();
  });

  it('of one that never was is no event', async () => {
    const { workers, ended } = await openScene();
    workers.kill(9, 'why not');
    workers.send(9, { t: 'worker.report' });
    await sleep(20);
    expect(ended).toEqual([]);
  });
});

describe('a standby', () => {
  it('serves when it is promoted, with the lease that it is given', async () => {
    const { workers, said, port } = await openScene();
    workers.fork(1, 'standby');
    await untilSaid(said, 1, 'worker.hello');
    workers.welcome(1, null);
    await untilSaid(said, 1, 'worker.warm');
    expect(said.filter(({ message }) => message.t === 'worker.ready')).toEqual([]);
    workers.promote(1, 4);
    await untilSaid(said, 1, 'worker.ready');
    expect(await fetchWorker(port)).toMatchObject({ generation: 1, epoch: 4 });
  });
});

describe('a worker that rebuilds itself', () => {
  it('is given the socket again, and serves on', async () => {
    const { workers, said, port } = await openScene();
    await serve(workers, said, 1);
    const pid = workers.get(1)?.pid;
    workers.rebuild(1, { requestsMs: 100, turnsMs: 100 });
    await until(() => countSaid(said, 1, 'worker.ready') === 2, 'it is ready again');
    expect(await fetchWorker(port)).toMatchObject({ generation: 1, pid });
  });
});

describe.runIf(process.platform === 'linux')('the responder', () => {
  it('answers 503 on the socket until it is told to end', async () => {
    const { workers, home, port, records } = await openScene();
    workers.startResponder();
    await untilAnswered(port);
    expect(findTitled(home, 'xopc-responder')).toBeDefined();
    workers.stopResponder();
    await until(() => findTitled(home, 'xopc-responder') === undefined, 'it is gone');
    expect(records).toMatchObject([{ level: 40, msg: expect.stringContaining('answered 503') }]);
  });

  it('that ends by itself is told of; one that was told to end is not', async () => {
    const scene = await openScene();
    const { workers, home, port } = scene;
    workers.startResponder();
    await untilAnswered(port);
    process.kill(findTitled(home, 'xopc-responder') ?? 0, 'SIGKILL');
    await until(() => scene.responderEnds === 1, 'its end is reported');
    workers.startResponder();
    await untilAnswered(port);
    workers.stopResponder();
    await until(() => findTitled(home, 'xopc-responder') === undefined, 'it is gone');
    await sleep(50);
    expect(scene.responderEnds).toBe(1);
  });

  it('that is told to end before it has begun does end', async () => {
    const { workers, home } = await openScene();
    workers.startResponder();
    workers.stopResponder();
    await sleep(300);
    await until(() => findTitled(home, 'xopc-responder') === undefined, 'it is gone');
  });

  it('that is suspended when it shall end is killed within about a second', async () => {
    const { workers, home, port } = await openScene();
    workers.startResponder();
    await untilAnswered(port);
    const pid = findTitled(home, 'xopc-responder') ?? 0;
    process.kill(pid, 'SIGSTOP');
    workers.stopResponder();
    await until(() => !isRunning(pid), 'it is gone', 5_000);
  });

  it('that is still leaving is killed when all is closed', async () => {
    const { workers, home, port } = await openScene();
    workers.startResponder();
    await untilAnswered(port);
    const pid = findTitled(home, 'xopc-responder') ?? 0;
    process.kill(pid, 'SIGSTOP');
    workers.stopResponder();
    workers.close();
    await until(() => !isRunning(pid), 'it is gone', 900);
  });

  it('that cannot be started has ended', async () => {
    const scene = await openScene({ launcher: ['/nowhere/at-all'] });
    scene.workers.startResponder();
    expect(scene.responderEnds).toBe(0);
    await until(() => scene.responderEnds === 1, 'its end is reported');
    scene.workers.stopResponder();
  });

  it('leaves the port to the next worker without a gap', async () => {
    const { workers, said, port } = await openScene();
    workers.startResponder();
    await untilAnswered(port);
    await serve(workers, said, 1);
    workers.stopResponder();
    await sleep(100);
    expect(await fetchWorker(port)).toMatchObject({ generation: 1 });
  });
});

async function openScene(change: Partial<LiveWorkersOptions> = {}): Promise<Scene> {
  const { home, port, records, options } = await openWorkerScene();
  writeFileSync(join(home, 'mode'), 'serve');
  const said: Said[] = [];
  const ended: Ended[] = [];
  const workers = new LiveWorkers({
    ...options,
    onMessage: ({ generation }, message) => said.push({ generation, message }),
    onExit({ generation, killReason, output }, end) {
      output.close({ keep: false });
      ended.push({ generation, end, killReason });
    },
    onResponderExit() {
      scene.responderEnds += 1;
    },
    ...change,
  });
  const scene: Scene = { workers, home, port, records, said, ended, responderEnds: 0 };
  onTestFinished(async () => {
    for (const { generation } of workers.list()) workers.kill(generation, 'the test is over');
    await until(() => workers.list().length === 0, 'all have ended');
  });
  return scene;
}

/** Forks a worker and lets it serve with the lease. */
async function serve(workers: LiveWorkers, said: readonly Said[], generation: number): Promise<void> {
  workers.fork(generation, 'serve');
  await untilSaid(said, generation, 'worker.hello');
  workers.welcome(generation, generation);
  await untilSaid(said, generation, 'worker.ready');
}

async function untilSaid(said: readonly Said[], generation: number, type: WorkerMessage['t']): Promise<void> {
  await until(() => countSaid(said, generation, type) > 0, `worker ${generation} says ${type}`);
}

function countSaid(said: readonly Said[], generation: number, type: WorkerMessage['t']): number {
  return said.filter((item) => item.generation === generation && item.message.t === type).length;
}

/** Waits for a 503, which may come only after a while of no answer. */
async function untilAnswered(port: number): Promise<void> {
  for (let failure = ''; !failure.includes('status 503'); ) {
    failure = await fetchText(port, '/').catch(String);
    await sleep(10);
  }
}
