import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { eventually } from '../e2e/eventually.ts';
import { stopAll } from '../e2e/gateway.ts';
import { findProcesses } from '../e2e/processes.ts';
import { startWorld, type World } from '../e2e/world.ts';
import { createRandom } from '../emulators/core/random.ts';
import { startLoad } from '../supervisor/http-load.ts';
import { createScene, type Scene } from './scene.ts';
import { askStatus, STRIKES, type Strike, strike } from './strikes.ts';
import { makeTraffic } from './traffic.ts';

/** Another one can be tried with CHAOS_SEED, a longer storm (in seconds) with CHAOS_STORM_S. */
const SEED = Number(process.env['CHAOS_SEED'] ?? 20_261_125);
const STORM_MS = Number(process.env['CHAOS_STORM_S'] ?? 10) * 1_000;
const MESSAGE_EVERY_MS = 320;
const STRIKE_EVERY_MS = 600;

/** How long what the storm left behind may take: crashes in quick succession cost up to 30 s of waiting. */
const CALM_MS = 45_000;

let world: World;
let scene: Scene;

beforeAll(async () => {
  world = await startWorld();
});
afterAll(async () => {
  await stopAll();
  await world.stop();
});
afterEach(() => scene.gateway().kill('tree'));

it(
  `nothing is lost, doubled or swapped, and the gateway is whole again, after a storm of all strikes (seed ${SEED})`,
  async () => {
    scene = await createScene(world, { settings: { standby: true, hangTimeout: '3s' } });
    await endure({ kinds: STRIKES, durationMs: STORM_MS });
    await eventually('one worker that serves and nothing else but a standby', async () => {
      const { phase, workers } = await askStatus(scene.gateway());
      // After one that died the next standby takes its time; it is never older than the worker that serves.
      const isWhole = phase === 'running' && /^ready(,warm)?$/.test(workers.map(({ stage }) => stage).join());
      return isWhole && findProcesses(scene.gateway().home.path).length === 1 + workers.length;
    });
  },
  STORM_MS + 2 * CALM_MS,
);

it(
  `nothing is lost, doubled or swapped, and nobody is refused, while the worker is rebuilt in place (seed ${SEED})`,
  async () => {
    scene = await createScene(world, { env: { XOPC_NO_RESPAWN: '1' } });
    const pid = scene.gateway().workerPid();
    const load = startLoad(scene.gateway().port, 4, '/health');
    await endure({ kinds: ['restart', 'restart twice', 'force restart'], durationMs: STORM_MS / 2 });
    const { failures } = await load.stop();
    expect(failures.filter((failure) => failure.includes('ECONNREFUSED'))).toEqual([]);
    expect(scene.gateway().workerPid()).toBe(pid);
    // What a forced restart took from the process must not go on in it.
    expect(scene.gateway().home.readLog()).not.toContain('cannot be stored');
  },
  STORM_MS + 2 * CALM_MS,
);

it(
  `a worker that dies while it is rebuilt in place costs no answer either (seed ${SEED})`,
  async () => {
    scene = await createScene(world, { env: { XOPC_NO_RESPAWN: '1' } });
    await endure({ kinds: ['restart', 'restart twice', 'kill worker'], durationMs: STORM_MS / 2 });
  },
  STORM_MS + 2 * CALM_MS,
);

type Storm = { kinds: readonly Strike[]; durationMs: number };

/** People write while the gateway is struck; then it is asked to restart, and must come to rest by itself. */
async function endure({ kinds, durationMs }: Storm): Promise<void> {
  const random = createRandom(SEED);
  const messages = Math.round(durationMs / MESSAGE_EVERY_MS);
  const struck: string[] = [];
  const striking = strikeAgainAndAgain({ kinds, durationMs }, random, struck);
  await makeTraffic(world, scene, { random: createRandom(SEED + 1), messages, durationMs });
  await striking;
  scene.gateway().signal('SIGUSR1');
  await scene.ask(301, 'after the storm');
  expect(await scene.settle(CALM_MS), `after ${struck.join(', ')}`).toEqual([]);
}

async function strikeAgainAndAgain(
  { kinds, durationMs }: Storm,
  random: () => number,
  struck: string[],
): Promise<void> {
  const startedAt = Date.now();
  while (Date.now() - startedAt < durationMs) {
    await sleep(STRIKE_EVERY_MS * (0.3 + 1.4 * random()));
    const kind = kinds[Math.floor(random() * kinds.length)] ?? 'restart';
    struck.push(`${kind} at ${Date.now() - startedAt} ms`);
    await strike(scene, kind, random);
  }
}
