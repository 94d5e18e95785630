import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { stopAll } from '../e2e/gateway.ts';
import { startWorld, type World } from '../e2e/world.ts';
import { createScene, type Scene, whileSending, whileThinking } from './scene.ts';

const chat = 401;

let world: World;
let scene: Scene;

beforeAll(async () => {
  world = await startWorld();
});
afterAll(async () => {
  await stopAll();
  await world.stop();
});
beforeEach(async () => {
  scene = await createScene(world);
});
afterEach(() => scene.gateway().kill('tree'));

/** Lets everything come to rest and returns what the person in the chat has got. */
const outcome = async (): Promise<string[]> => {
  expect(await scene.settle()).toEqual([]);
  return (await scene.bot.answers(chat)).map(({ text }) => text);
};

it('a replaced worker that is killed while it finishes a turn leaves the turn to the new one', async () => {
  await scene.ask(chat, 'left behind', '[[delay=1200]]');
  await whileThinking(world, 'left behind');
  const old = await scene.replace();
  await scene.ask(chat, 'waits');
  await scene.strike(old);
  expect(await outcome()).toEqual(['left behind', 'waits']);
});

it('a new worker that is killed while the old one finishes a turn costs no answer', async () => {
  await scene.ask(chat, 'finished', '[[delay=900]]');
  await whileThinking(world, 'finished');
  await scene.replace();
  await scene.ask(chat, 'next');
  await scene.strike();
  expect(await outcome()).toEqual(['finished', 'next']);
});

it('old and new worker killed together cost no answer', async () => {
  await scene.ask(chat, 'both', '[[delay=900]]');
  await whileThinking(world, 'both');
  const old = await scene.replace();
  await Promise.all([scene.strike(old), scene.strike()]);
  expect(await outcome()).toEqual(['both']);
});

it('a restart in the middle of a send waits for the platform, and nothing is sent twice', async () => {
  const match = { method: 'sendMessage', token: scene.bot.token };
  await world.telegram.addFault({ match, action: 'slow', effect: 'before', delayMs: 1_500 });
  await scene.ask(chat, 'slowly');
  await whileSending(world, scene.bot, 'slowly');
  await scene.replace();
  await scene.ask(chat, 'after it');
  expect(await outcome()).toEqual(['slowly', 'after it']);
});
