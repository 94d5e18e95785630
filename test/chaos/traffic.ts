import { setTimeout as sleep } from 'node:timers/promises';
import type { World } from '../e2e/world.ts';
import type { Scene } from './scene.ts';
import { makeTrouble } from './trouble.ts';

/** `random` gives numbers in [0, 1); the messages are spread over `durationMs`. */
export type Traffic = { random(): number; messages: number; durationMs: number };

/** As much as it takes: a message about every `everyMs`, in so many chats, until the work is done. */
export type EndlessTraffic = { random(): number; chats: number; everyMs: number; isOver(): boolean };

/** The chats that people write in. */
const FIRST_CHAT = 301;
const CHATS = 6;

/** Has people write in six chats at random moments. Resolves when the last message is written. */
export async function makeTraffic(world: World, scene: Scene, traffic: Traffic): Promise<void> {
  const { random, messages, durationMs } = traffic;
  for (let index = 1; index <= messages; index += 1) {
    await askSomething(world, scene, { random, index, chats: CHATS });
    await sleep((random() * 2 * durationMs) / messages);
  }
}

/** Has people write until it is over; resolves with the number of messages. */
export async function keepTalking(world: World, scene: Scene, traffic: EndlessTraffic): Promise<number> {
  const { random, chats, everyMs, isOver } = traffic;
  let index = 0;
  while (!isOver()) {
    index += 1;
    await askSomething(world, scene, { random, index, chats });
    await sleep(random() * 2 * everyMs);
  }
  return index;
}

type Question = { random(): number; index: number; chats: number };

/** Quick, slow and long answers, some to a platform that is in trouble itself. */
async function askSomething(world: World, scene: Scene, { random, index, chats }: Question): Promise<void> {
  const words = random() < 0.25 ? 1_200 : 3;
  const answer = Array.from({ length: words }, (_none, word) => `m${index}w${word}`).join(' ');
  const orders = chooseOrders(random);
  if (random() < 0.4) await makeTrouble(world, scene, random);
  await scene.ask(FIRST_CHAT + Math.floor(random() * chats), answer, orders);
}

/** After a while, in one go, or so slowly that the answer is seen to grow. */
function chooseOrders(random: () => number): string {
  const choice = random();
  if (choice < 0.5) return `[[delay=${Math.floor(random() * 600)}]]`;
  return choice < 0.8 ? '[[chunks=8]][[gap=20]]' : '[[chunks=8]][[gap=250]]';
}
