import { afterAll, beforeAll, expect, it } from 'vitest';
import { stopAll } from '../e2e/gateway.ts';
import { startWorld, type World } from '../e2e/world.ts';
import { soak } from './soak.ts';

let world: World;

beforeAll(async () => {
  world = await startWorld();
});
afterAll(async () => {
  await stopAll();
  await world.stop();
});

it('a hundred chats that write five messages each at the same time all get their answers, once and in order', async () => {
  const { problems, evidence } = await soak(world, { chats: 100, messages: 5, timeoutMs: 40_000 });
  expect(problems).toEqual([]);
  expect(evidence.asked).toHaveLength(500);
});
