import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { stopAll } from '../e2e/gateway.ts';
import { startWorld, type World } from '../e2e/world.ts';
import { createRandom } from '../emulators/core/random.ts';
import { createScene, type Scene } from './scene.ts';

/** Another one can be tried with CHAOS_SEED. */
const SEED = Number(process.env['CHAOS_SEED'] ?? 20_261_124);
const MESSAGES = 25;
const CHATS = 6;
const STORM_MS = 8_000;
const STRIKE_EVERY_MS = 700;

let world: World;

beforeAll(async () => {
  world = await startWorld();
});
afterAll(async () => {
  await stopAll();
  await world.stop();
});

it(`nothing is lost, doubled or swapped while the worker is killed again and again (seed ${SEED})`, async () => {
  const scene = await createScene(world);
  const random = createRandom(SEED);
  const striking = strike(scene, random);
  for (let index = 1; index <= MESSAGES; index += 1) {
    await askSomething(scene, random, index);
    await sleep((random() * 2 * STORM_MS) / MESSAGES);
  }
  await striking;
  await scene.kill('tree');
  await scene.ask(301, 'after the storm');
  expect(await scene.settle(30_000)).toEqual([]);
}, 90_000);

async function strike(scene: Scene, random: () => number): Promise<void> {
  const until = Date.now() + STORM_MS;
  while (Date.now() < until) {
    await sleep(STRIKE_EVERY_MS * (0.5 + random()));
    await scene.strike();
  }
}

/** Quick, slow and long answers, some to a platform that is slow itself. */
async function askSomething(scene: Scene, random: () => number, index: number): Promise<void> {
  const words = random() < 0.25 ? 1_200 : 3;
  const answer = Array.from({ length: words }, (_none, word) => `m${index}w${word}`).join(' ');
  const orders = random() < 0.5 ? `[[delay=${Math.floor(random() * 600)}]]` : '[[chunks=8]][[gap=20]]';
  if (random() < 0.3) await delaySends(scene, random() < 0.5 ? 'before' : 'after');
  await scene.ask(301 + Math.floor(random() * CHATS), answer, orders);
}

async function delaySends(scene: Scene, effect: 'before' | 'after'): Promise<void> {
  const match = { method: 'sendMessage', token: scene.bot.token };
  await world.telegram.addFault({ match, action: 'slow', effect, delayMs: 300 });
}
