import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, type ExpectStatic, it } from 'vitest';
import { resolvePaths } from '../../lib/paths.ts';
import { stateLockFile } from '../../supervisor/instance-locks.ts';
import { acquireLock, inspectLock } from '../../supervisor/lock.ts';
import { fetchWorker } from './http-load.ts';
import { findLeaseFaults, forgetLeaseJournal, readLeaseJournal } from './lease-journal.ts';
import { listTree } from './process-tree.ts';
import { startSupervisor, stopAll, until } from './running-supervisor.ts';
import {
  connectTo,
  knock,
  lift,
  type Moment,
  type Part,
  reach,
  type Scene,
  SETTLED,
  untilStatus,
} from './signal-scene.ts';

afterAll(stopAll);

/** `frozen` stays stopped, `paused` goes on after a while, `orphaned` is stopped when the supervisor is killed. */
const STRIKES = ['killed', 'frozen', 'paused', 'orphaned'] as const;
type Strike = (typeof STRIKES)[number];

/** Who lives when. */
const PARTS: readonly [Moment, readonly Part[]][] = [
  ['starting', ['supervisor', 'candidate']],
  ['running', ['supervisor', 'active worker', 'standby']],
  ['restarting', ['supervisor', 'active worker', 'candidate']],
  ['handing over', ['supervisor', 'active worker', 'old worker']],
  ['finishing a request', ['supervisor', 'active worker', 'old worker']],
  ['in backoff', ['supervisor', 'responder']],
  ['in safe mode', ['supervisor', 'active worker']],
  ['stopping', ['supervisor', 'active worker']],
];

type Cell = [moment: Moment, part: Part, strike: Strike];

const CELLS: readonly Cell[] = PARTS.flatMap(([moment, parts]) =>
  parts.flatMap((part) => strikesOn(moment, part).map((how): Cell => [moment, part, how])),
);

/** A supervisor that stays stopped does nothing; and whether it was stopped when it is killed is the same to the others. */
function strikesOn(moment: Moment, part: Part): readonly Strike[] {
  if (part !== 'supervisor') return STRIKES;
  return moment === 'running' ? ['killed', 'paused', 'orphaned'] : ['killed', 'paused'];
}

/** Long enough that a silent worker is replaced, and not so long that it is killed. */
const PAUSE_MS = 2_000;
const PATIENCE_MS = 20_000;

describe.runIf(process.platform === 'linux').concurrent('a gateway', () => {
  it.for(CELLS.filter(isCurable))('%s, with its %s %s, is well again by itself', async (cell, { expect }) => {
    const [moment, part, how] = cell;
    const scene = await reach(moment);
    const knocking = knock(scene.port);
    await strike(scene, cell);
    lift(scene);
    const port = await expectService(expect, scene, how === 'paused' ? undefined : scene.pids.get(part));
    const refused = await knocking.stop();
    // Before the first worker nobody listens.
    if (moment !== 'starting') expect(refused).toBe(0);
    scene.supervisor.signal('SIGTERM');
    await expectEnd(expect, { ...scene, port });
  });

  it.for(CELLS.filter(isFatal))(
    '%s, with its %s %s, leaves nothing in the way of the next',
    async (cell, { expect }) => {
      const [moment] = cell;
      const scene = await reach(moment);
      await strike(scene, cell);
      await scene.supervisor.end;
      await until(() => listTree(scene.supervisor.home).length === 0, 'nothing of it is left', 2_000);
      expect(findLeaseFaults(readLeaseJournal(scene.supervisor.home))).toEqual([]);
      await expectSuccessor(expect, scene);
    },
  );

  it.for(CELLS.filter(isStoppable))('%s, with its %s %s, ends with 0 when it is stopped', async (cell, { expect }) => {
    const [moment] = cell;
    const scene = await reach(moment);
    await strike(scene, cell);
    if (moment !== 'stopping') scene.supervisor.signal('SIGTERM');
    await expectEnd(expect, scene);
  });
});

/** The supervisor is killed; whatever else is stopped at that moment. */
function isFatal([, part, how]: Cell): boolean {
  return how === 'orphaned' || (how === 'killed' && part === 'supervisor');
}

/** It is to stop; or it would go on by itself only after 30 s, which is what a candidate has to boot. */
function isStoppable(cell: Cell): boolean {
  const [moment, part, how] = cell;
  return !isFatal(cell) && (moment === 'stopping' || (how === 'frozen' && part === 'candidate'));
}

function isCurable(cell: Cell): boolean {
  return !isFatal(cell) && !isStoppable(cell);
}

async function strike({ supervisor, pids }: Scene, [, part, how]: Cell): Promise<void> {
  const pid = pids.get(part);
  if (pid === undefined) throw new Error(`There is no ${part}`);
  process.kill(pid, how === 'killed' ? 'SIGKILL' : 'SIGSTOP');
  if (how === 'orphaned') supervisor.signal('SIGKILL');
  if (how !== 'paused') return;
  await sleep(PAUSE_MS);
  process.kill(pid, 'SIGCONT');
}

/** Returns the port once a worker serves and holds the lease, and nobody else lives but a standby; above all not the one that is lost. */
async function expectService(
  expect: ExpectStatic,
  { supervisor }: Scene,
  lostPid: number | undefined,
): Promise<number> {
  const { home, pid } = supervisor;
  const { port, active } = await untilStatus(supervisor, ({ phase, workers, ...status }) => {
    const known = new Set<number | undefined | null>([pid, ...workers.map((worker) => worker.pid)]);
    if (!SETTLED.has(phase) || known.has(lostPid)) return false;
    const isAtRest = workers.every(({ stage }) => stage === 'ready' || stage === 'warm');
    const hasLease = readLeaseJournal(home).at(-1)?.generation === status.active;
    return isAtRest && hasLease && listTree(home).every((other) => known.has(other));
  });
  expect(await fetchWorker(port)).toMatchObject({ generation: active });
  return port;
}

/** A stop that was asked for ends with 0 and leaves nothing. */
async function expectEnd(expect: ExpectStatic, { supervisor, port }: Scene): Promise<void> {
  const { home } = supervisor;
  expect(await supervisor.end).toMatchObject({ code: 0, refused: undefined });
  await until(() => listTree(home).length === 0, 'nothing of it is left', 2_000);
  if (port !== 0) expect(await connectTo(port)).toBe('ECONNREFUSED');
  expect(supervisor.locks()).toEqual([]);
  expect(findLeaseFaults(readLeaseJournal(home))).toEqual([]);
  const paths = resolvePaths({ XOPC_HOME: home, HOME: home });
  const owner = { configPath: paths.configPath, stateDir: paths.stateDir, instanceId: 'next', waitMs: 0 };
  for (const file of [paths.lockFile, stateLockFile(paths)]) {
    (await acquireLock({ ...owner, file, purpose: 'instance' })).release();
  }
}

/** The locks count as stale at the first look, and the port is free, so that the next start waits for nothing. */
async function expectSuccessor(expect: ExpectStatic, scene: Scene): Promise<void> {
  const { supervisor, port } = scene;
  const { home } = supervisor;
  const paths = resolvePaths({ XOPC_HOME: home, HOME: home });
  for (const file of [paths.lockFile, stateLockFile(paths)]) {
    expect((await inspectLock(file)).state).toBe('stale');
  }
  forgetLeaseJournal(home);
  const successor = startSupervisor({ home, config: { gateway: { port } } });
  const ready = await successor.ready(1, PATIENCE_MS);
  expect(await fetchWorker(ready.port)).toMatchObject({ generation: 1 });
  successor.signal('SIGTERM');
  await expectEnd(expect, { ...scene, supervisor: successor, port: ready.port });
}
