import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stopAll } from '../e2e/gateway.ts';
import { startWorld, type World } from '../e2e/world.ts';
import { createRandom } from '../emulators/core/random.ts';
import { describeEvidence } from './account.ts';
import { type Evidence, judge } from './invariants.ts';
import { createScene, type Scene } from './scene.ts';
import { soak } from './soak.ts';
import { strike } from './strikes.ts';
import { keepTalking } from './traffic.ts';

/** `npm run chaos`: hundreds of kills under load; with CHAOS_SOAK=1 many people at the same time instead, and no kills. */

const SEED = Number(process.env['CHAOS_SEED'] ?? 20_261_126);
const KILLS = Number(process.env['CHAOS_KILLS'] ?? 200);
const IS_SOAK = process.env['CHAOS_SOAK'] === '1';

const CHATS = 50;
const MESSAGE_EVERY_MS = 150;
const KILL_EVERY_MS = 1_000;
const CALM_MS = 120_000;
/** Each worker that dies makes the next one wait twice as long, unless the supervisor is a new one. */
const WORKERS_IN_A_ROW = 4;

const TELL_EVERY = 20;

const SOAK = { chats: 1_000, messages: 10, timeoutMs: 900_000 };

// What was started must not outlive this program, also when that is interrupted.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void stopAll().finally(() => process.exit(1)));
}
const world = await startWorld();
let isKept = false;
try {
  // Nobody reads it, and it grows with every message.
  await world.llm.configure({ journal: false });
  process.exitCode = IS_SOAK ? await runSoak(world) : await runKills(world);
} finally {
  if (!isKept) await stopAll();
  await world.stop();
}

/** Returns the exit code. */
async function runKills(target: World): Promise<number> {
  process.stderr.write(`seed ${SEED}, ${KILLS} kills …\n`);
  const scene = await createScene(target);
  let isOver = false;
  const talking = keepTalking(target, scene, {
    random: createRandom(SEED + 1),
    chats: CHATS,
    everyMs: MESSAGE_EVERY_MS,
    isOver: () => isOver,
  });
  await kill(scene, createRandom(SEED)).finally(() => {
    isOver = true;
  });
  await talking;
  await target.telegram.clearFaults();
  const problems = await scene.settle(CALM_MS);
  const evidence = await scene.evidence();
  if (problems.length > 0) await keep(scene, evidence);
  return report(problems, evidence);
}

/** Strikes the serving worker, the whole tree, or whichever worker there is, also while the next one starts. */
async function kill(scene: Scene, random: () => number): Promise<void> {
  let inARow = 0;
  let told = 0;
  while (scene.kills() < KILLS) {
    // Some come so soon that nothing has begun to serve properly.
    await sleep(random() < 0.2 ? random() * 50 : random() * 2 * KILL_EVERY_MS);
    const isTree = inARow >= WORKERS_IN_A_ROW || random() < 0.4;
    inARow = isTree ? 0 : inARow + 1;
    if (isTree) await scene.kill('tree');
    else if (random() < 0.3) await strike(scene, 'kill any worker', random);
    else await scene.kill('worker');
    if (scene.kills() < told + TELL_EVERY) continue;
    told = scene.kills();
    process.stderr.write(`${told} kills\n`);
  }
}

/** Ends the gateway and leaves its files, with everything that was seen, to whoever looks for the cause. */
async function keep(scene: Scene, { calls, kills, answers }: Evidence): Promise<void> {
  const { home, kill: killGateway } = scene.gateway();
  await killGateway('tree');
  const seen = { kills, answers: [...answers], calls };
  writeFileSync(join(home.path, 'evidence.json'), JSON.stringify(seen, null, 1));
  isKept = true;
  process.stderr.write(`Left for inspection: ${home.path}\n`);
}

async function runSoak(target: World): Promise<number> {
  process.stderr.write(`${SOAK.chats} chats with ${SOAK.messages} messages each …\n`);
  const { problems, evidence, perSecond, peakMb } = await soak(target, SOAK);
  const code = report(problems, evidence);
  const memory = `worker ${peakMb.worker} MB, supervisor ${peakMb.supervisor} MB`;
  process.stdout.write(`${perSecond} messages/s; peak RSS: ${memory}\n`);
  return code;
}

function report(problems: readonly string[], evidence: Evidence): number {
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  process.stdout.write(`${describeEvidence(evidence)}\n`);
  // On a busy machine nobody can tell a send whose answer was stored late from one that was marked without need.
  const needless = judge(evidence).filter(({ kind }) => kind === 'marked without need');
  return problems.length === needless.length ? 0 : 1;
}
