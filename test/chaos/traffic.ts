import { setTimeout as sleep } from 'node:timers/promises';
import type { World } from '../e2e/world.ts';
import type { Scene } from './scene.ts';

/** `random` gives numbers in [0, 1); the messages are spread over `durationMs`. */
export type Traffic = { random(): number; messages: number; durationMs: number };

/** The chats that people write in. */
const FIRST_CHAT = 301;
const CHATS = 6;

/** Has people write in six chats at random moments. Resolves when the last message is written. */
export async function makeTraffic(world: World, scene: Scene, traffic: Traffic): Promise<void> {
  const { random, messages, durationMs } = traffic;
  for (let index = 1; index <= messages; index += 1) {
    await askSomething(world, scene, { random, index });
    await sleep((random() * 2 * durationMs) / messages);
  }
}

/** Quick, slow and long answers, some to a platform that is slow itself. */
async function askSomething(
  world: World,
  scene: Scene,
  { random, index }: { random(): number; index: number },
): Promise<void> {
  const words = random() < 0.25 ? 1_200 : 3;
  const answer = Array.from({ length: words }, (_none, word) => `m${index}w${word}`).join(' ');
  const orders = random() < 0.5 ? `[[delay=${Math.floor(random() * 600)}]]` : '[[chunks=8]][[gap=20]]';
  if (random() < 0.3) await delaySends(world, scene, random() < 0.5 ? 'before' : 'after');
  await scene.ask(FIRST_CHAT + Math.floor(random() * CHATS), answer, orders);
}

async function delaySends(world: World, scene: Scene, effect: 'before' | 'after'): Promise<void> {
  const match = { method: 'sendMessage', token: scene.bot.token };
  await world.telegram.addFault({ match, action: 'slow', effect, delayMs: 300 });
}
