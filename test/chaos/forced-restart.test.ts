import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../e2e/eventually.ts';
import { stopAll } from '../e2e/gateway.ts';
import { startWorld, type World } from '../e2e/world.ts';
import { createScene, type Scene } from './scene.ts';
import { askStatus, forceRestart } from './strikes.ts';

const CHATS = [501, 502, 503, 504, 505, 506];
const MARK = '\n\n(possible repeat after an interruption)';

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

describe.each([
  ['another worker', {}],
  ['the same worker, rebuilt in place', { XOPC_NO_RESPAWN: '1' }],
])('a forced restart (DRAIN-2) that leaves to %s', (_who, env) => {
  beforeEach(async () => {
    await world.llm.reset();
    scene = await createScene(world, { env });
  });

  it('six replies that the platform does not take yet, has each delivered once', async () => {
    const match = { method: 'sendMessage', token: scene.bot.token };
    await world.telegram.addFault({ match, action: '429', retryAfter: 1, times: CHATS.length });
    await askAll('reply to');
    await untilSends((outcomes) => outcomes.filter((outcome) => outcome === 429).length === CHATS.length);
    await restart();
    expect(await outcome()).toEqual(CHATS.map((chat) => [`reply to ${chat}`]));
  });

  it('six turns that run, has each question answered once, and the model no longer works on the old ones', async () => {
    await askAll('turn of', '[[delay=1500]]');
    await untilThoughts((outcomes) => outcomes.filter((outcome) => outcome === 'pending').length === CHATS.length);
    await restart();
    await untilThoughts((outcomes) => outcomes.filter((outcome) => outcome === 'aborted').length === CHATS.length);
    expect(await outcome()).toEqual(CHATS.map((chat) => [`turn of ${chat}`]));
    expect(scene.gateway().home.readLog()).not.toContain('cannot be stored');
  });
});

describe('a forced restart in the middle of six sends', () => {
  it('waits for the platform, and nothing is sent twice', async () => {
    scene = await createScene(world);
    await sendSlowly(1_500);
    await restart();
    expect(await outcome()).toEqual(CHATS.map((chat) => [`sent to ${chat}`]));
  });

  it('does not wait in place, where nobody else serves: the copies are marked', async () => {
    scene = await createScene(world, { env: { XOPC_NO_RESPAWN: '1' } });
    await sendSlowly(2_500);
    scene.blame();
    await restart();
    expect(await outcome()).toEqual(CHATS.map((chat) => [`sent to ${chat}`, `sent to ${chat}${MARK}`]));
  });
});

async function askAll(what: string, orders = ''): Promise<void> {
  await Promise.all(CHATS.map((chat) => scene.ask(chat, `${what} ${chat}`, orders)));
}

/** Resolves when all sends have arrived and none is answered. */
async function sendSlowly(delayMs: number): Promise<void> {
  const match = { method: 'sendMessage', token: scene.bot.token };
  const fault = { match, action: 'slow', effect: 'before', times: CHATS.length } as const;
  await world.telegram.addFault({ ...fault, delayMs });
  await askAll('sent to');
  await untilSends((outcomes) => outcomes.filter((outcome) => outcome === 'pending').length === CHATS.length);
}

/** Resolves when the next worker serves, or the same one again. */
async function restart(): Promise<void> {
  const { since } = await askStatus(scene.gateway());
  await forceRestart(scene.gateway());
  await eventually('the end of the restart', async () => {
    const status = await askStatus(scene.gateway());
    return status.phase === 'running' && status.since !== since;
  });
}

/** Lets everything come to rest and returns what each person has got. */
async function outcome(): Promise<string[][]> {
  expect(await scene.settle()).toEqual([]);
  const answers = await Promise.all(CHATS.map((chat) => scene.bot.answers(chat)));
  return answers.map((messages) => messages.map(({ text }) => text));
}

type Outcomes = (number | string)[];

async function untilSends(isSo: (outcomes: Outcomes) => boolean): Promise<void> {
  await eventually('the sends', async () => {
    const calls = await world.telegram.calls({ token: scene.bot.token, method: 'sendMessage' });
    return isSo(calls.map(({ outcome }) => outcome));
  });
}

async function untilThoughts(isSo: (outcomes: Outcomes) => boolean): Promise<void> {
  await eventually('the thoughts', async () => isSo((await world.llm.calls()).map(({ outcome }) => outcome)));
}
