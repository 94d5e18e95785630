import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Phase, SupervisorStatus } from '../../lib/control.ts';
import { fetchText } from './http-load.ts';
import { findTitled } from './process-tree.ts';
import { type RunningSupervisor, startSupervisor } from './running-supervisor.ts';

/** What a gateway is doing when one of its processes is struck. */
export type Moment =
  | 'starting'
  | 'running'
  | 'restarting'
  | 'handing over'
  | 'finishing a request'
  | 'in backoff'
  | 'in safe mode'
  | 'stopping';

export type Part = 'supervisor' | 'active worker' | 'candidate' | 'old worker' | 'standby' | 'responder';

/** A gateway at such a moment. Its port is 0 before it has served; in `pids` stands who lives then. */
export type Scene = {
  moment: Moment;
  supervisor: RunningSupervisor;
  port: number;
  pids: ReadonlyMap<Part, number>;
};

/** Long limits would make a test wait for them; a worker that is silent for a third of the hang limit is replaced. */
const GATEWAY = { port: 0, hangTimeout: '3s', drainTimeout: '1s', crashLimit: 0 };
const PATIENCE_MS = 20_000;
const BUSY_MS = 1_500;

/** Starts a gateway and brings it to that moment. */
export async function reach(moment: Moment): Promise<Scene> {
  switch (moment) {
    case 'starting':
      return reachStarting();
    case 'running':
      return reachRunning();
    case 'restarting':
      return reachRestarting();
    case 'handing over':
      return reachHandOver();
    case 'finishing a request':
      return reachFinishing();
    case 'in backoff':
      return reachBackoff();
    case 'in safe mode':
      return reachSafeMode();
    case 'stopping':
      return reachStopping();
    default:
      return moment satisfies never;
  }
}

/** Tells the workers that wait for it to go on, and lets the next ones be good. */
export function lift({ supervisor }: Scene): void {
  supervisor.setMode('serve');
  writeFileSync(join(supervisor.home, 'go'), '');
}

/** Asks for the status until it is as wanted; fails with the last one after 20 s. */
export async function untilStatus(
  supervisor: RunningSupervisor,
  isWanted: (status: SupervisorStatus) => boolean,
): Promise<SupervisorStatus> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const status = await supervisor.ask({ do: 'status' }).catch(() => undefined);
    if (status !== undefined && isWanted(status)) return status;
    if (Date.now() > deadline) throw new Error(`The status stays ${JSON.stringify(status)}`);
    await sleep(20);
  }
}

/** Connects again and again until stopped, and returns how often it was refused. Without an answer it goes on. */
export function knock(port: number): { stop(): Promise<number> } {
  let isStopped = false;
  let refused = 0;
  const running = (async () => {
    while (!isStopped) {
      if ((await connectTo(port)) === 'ECONNREFUSED') refused += 1;
      await sleep(25);
    }
  })();
  return {
    async stop() {
      isStopped = true;
      await running;
      return refused;
    },
  };
}

/** Connects once; resolves with the name of the error, or undefined. */
export function connectTo(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.on('connect', () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.on('error', (error) => resolve('code' in error ? String(error.code) : error.message));
  });
}

async function reachStarting(): Promise<Scene> {
  const supervisor = startSupervisor({ mode: 'waits', config: { gateway: GATEWAY } });
  const status = await untilStatus(supervisor, ({ workers }) => workers[0]?.stage === 'booting');
  return describe('starting', supervisor, 0, [['candidate', pidOf(status, 1)]]);
}

async function reachRunning(): Promise<Scene> {
  const supervisor = startSupervisor({ config: { gateway: { ...GATEWAY, standby: true } } });
  const { port, workerPid } = await supervisor.ready(1, PATIENCE_MS);
  const status = await untilStatus(supervisor, ({ workers }) => workers.some(({ stage }) => stage === 'warm'));
  return describe('running', supervisor, port, [
    ['active worker', workerPid],
    ['standby', pidOf(status, 2)],
  ]);
}

async function reachRestarting(): Promise<Scene> {
  const supervisor = startSupervisor({ config: { gateway: GATEWAY } });
  const { port, workerPid } = await supervisor.ready(1, PATIENCE_MS);
  supervisor.setMode('waits');
  supervisor.signal('SIGUSR1');
  const status = await untilStatus(supervisor, ({ workers }) => workers[1]?.stage === 'booting');
  return describe('restarting', supervisor, port, [
    ['active worker', workerPid],
    ['candidate', pidOf(status, 2)],
  ]);
}

/** The old worker keeps the lease until it is told. */
async function reachHandOver(): Promise<Scene> {
  const supervisor = startSupervisor({ mode: 'drain-late', config: { gateway: GATEWAY } });
  const { port, workerPid } = await supervisor.ready(1, PATIENCE_MS);
  supervisor.setMode('serve');
  supervisor.signal('SIGUSR1');
  const next = await supervisor.ready(2, PATIENCE_MS);
  return describe('handing over', supervisor, port, [
    ['active worker', next.workerPid],
    ['old worker', workerPid],
  ]);
}

/** The old worker has given the lease away. */
async function reachFinishing(): Promise<Scene> {
  const supervisor = startSupervisor({ config: { gateway: GATEWAY } });
  const { port, workerPid } = await supervisor.ready(1, PATIENCE_MS);
  void fetchText(port, `/slow?value=${BUSY_MS}`).catch(() => undefined);
  await sleep(50);
  supervisor.signal('SIGUSR1');
  const next = await supervisor.ready(2, PATIENCE_MS);
  return describe('finishing a request', supervisor, port, [
    ['active worker', next.workerPid],
    ['old worker', workerPid],
  ]);
}

async function reachBackoff(): Promise<Scene> {
  const supervisor = startSupervisor({ config: { gateway: GATEWAY } });
  const { port, workerPid } = await supervisor.ready(1, PATIENCE_MS);
  supervisor.setMode('exit-1');
  process.kill(workerPid, 'SIGKILL');
  let responder: number | undefined;
  await untilStatus(supervisor, ({ phase }) => {
    responder = findTitled(supervisor.home, 'xopc-responder');
    return phase === 'backoff' && responder !== undefined;
  });
  return describe('in backoff', supervisor, port, [['responder', responder ?? 0]]);
}

async function reachSafeMode(): Promise<Scene> {
  const supervisor = startSupervisor({
    mode: 'crash-after-ready',
    config: { gateway: { ...GATEWAY, crashLimit: 1 } },
  });
  const { port } = await supervisor.ready(1, PATIENCE_MS);
  const { active, ...status } = await untilStatus(supervisor, ({ phase }) => phase === 'safe-mode');
  return describe('in safe mode', supervisor, port, [['active worker', pidOf(status, active ?? 0)]]);
}

async function reachStopping(): Promise<Scene> {
  const supervisor = startSupervisor({ mode: 'ignore-drain', config: { gateway: GATEWAY } });
  const { port, workerPid } = await supervisor.ready(1, PATIENCE_MS);
  await supervisor.ask({ do: 'stop' });
  return describe('stopping', supervisor, port, [['active worker', workerPid]]);
}

function describe(
  moment: Moment,
  supervisor: RunningSupervisor,
  port: number,
  others: readonly (readonly [Part, number])[],
): Scene {
  return { moment, supervisor, port, pids: new Map([['supervisor', supervisor.pid], ...others]) };
}

function pidOf({ workers }: Pick<SupervisorStatus, 'workers'>, generation: number): number {
  const pid = workers.find((worker) => worker.generation === generation)?.pid;
  if (pid === undefined || pid === null) throw new Error(`Worker ${generation} is not there`);
  return pid;
}

/** Phases in which a gateway has come to rest. */
export const SETTLED: ReadonlySet<Phase> = new Set<Phase>(['running', 'safe-mode']);
