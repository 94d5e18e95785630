import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../e2e/eventually.ts';
import { stopAll } from '../e2e/gateway.ts';
import { startWorld, type World } from '../e2e/world.ts';
import type { TelegramCall } from '../emulators/telegram/control-contract.ts';
import { createScene, type Scene, type Victim, whileSending, whileThinking } from './scene.ts';

const MARK = '\n\n(possible repeat after an interruption)';

/** An answer that takes three parts on Telegram. */
const LONG = Array.from({ length: 1_300 }, (_none, index) => `part${index}`).join(' ');

let world: World;

beforeAll(async () => {
  world = await startWorld();
});
afterAll(async () => {
  await stopAll();
  await world.stop();
});

describe.each<Victim>(['worker', 'tree'])('after kill -9 of the %s', (victim) => {
  const chat = 101;
  let scene: Scene;

  // A supervisor of its own each time: after several crashes it would wait longer and longer.
  beforeEach(async () => {
    scene = await createScene(world);
  });
  afterEach(() => scene.gateway().kill('tree'));

  /** Lets everything come to rest and returns what the person in the chat has got. */
  const outcome = async (): Promise<string[]> => {
    expect(await scene.settle()).toEqual([]);
    return (await scene.bot.answers(chat)).map(({ text }) => text);
  };

  const untilPoll = (isIt: (poll: TelegramCall) => boolean): Promise<TelegramCall> =>
    eventually('such a poll', async () =>
      (await world.telegram.calls({ token: scene.bot.token, method: 'getUpdates' })).find(isIt),
    );

  it('with messages on the wire that nobody has stored yet, they come again and are answered once', async () => {
    const match = { method: 'getUpdates', token: scene.bot.token };
    await untilPoll(({ outcome }) => outcome === 'pending');
    await world.telegram.addFault({ match, action: 'slow', effect: 'before', delayMs: 3_000 });
    // Ends the poll that is open already; the next one is slow.
    await scene.ask(chat, 'before');
    await untilPoll(({ fault, outcome }) => fault === 'slow' && outcome === 'pending');
    await eventually('the first answer is delivered', async () => {
      const { body } = await scene.gateway().request('/api/health');
      return (
        JSON.stringify(body['queues']) === '{"inbox":0,"outbox":0}' && (await scene.bot.answers(chat)).length === 1
      );
    });
    await scene.ask(chat, 'on the wire');
    const { updateIds } = await untilPoll(({ fault, updateIds: ids }) => fault === 'slow' && ids?.length === 1);
    await scene.kill(victim);
    expect(await outcome()).toEqual(['before', 'on the wire']);
    const polls = await world.telegram.calls(match);
    expect(polls.filter((poll) => poll.updateIds?.join() === updateIds?.join())).toHaveLength(2);
  });

  it('with a message that is stored and was never confirmed to the platform, it is answered once', async () => {
    const match = { method: 'getUpdates', token: scene.bot.token };
    await world.telegram.addFault({ match, action: 'drop-before', times: -1 });
    await scene.ask(chat, 'unconfirmed', '[[delay=700]]');
    // A poll is only made after the message of the one before was stored.
    await untilPoll(({ outcome }) => outcome === 'dropped');
    expect(await world.telegram.pendingUpdates(scene.bot.token)).toHaveLength(1);
    const killing = scene.kill(victim);
    await world.telegram.clearFaults();
    await killing;
    expect(await outcome()).toEqual(['unconfirmed']);
  });

  it('in the middle of a turn, the question is answered once', async () => {
    const answer = `answer ${victim}`;
    await scene.ask(chat, answer, '[[delay=900]]');
    await whileThinking(world, answer);
    await scene.kill(victim);
    expect(await outcome()).toEqual([answer]);
  });

  it('in the middle of a send that has arrived already, the copy is marked', async () => {
    await world.telegram.addFault({
      match: { method: 'sendMessage', token: scene.bot.token },
      ...{ action: 'slow', effect: 'before', delayMs: 3_000 },
    });
    await scene.ask(chat, 'arrived');
    await whileSending(world, scene.bot, 'arrived');
    await scene.kill(victim);
    expect(await outcome()).toEqual(['arrived', `arrived${MARK}`]);
  });

  it('in the middle of a send that never arrives, the text comes once, marked', async () => {
    await world.telegram.addFault({
      match: { method: 'sendMessage', token: scene.bot.token },
      ...{ action: 'half-open' },
    });
    await scene.ask(chat, 'silence');
    await whileSending(world, scene.bot, 'silence');
    await scene.kill(victim);
    expect(await outcome()).toEqual([`silence${MARK}`]);
  });

  it('after a send whose answer got lost, nothing is lost and the copy is marked', async () => {
    await world.telegram.addFault({
      match: { method: 'sendMessage', token: scene.bot.token },
      ...{ action: 'drop-after' },
    });
    await scene.ask(chat, 'unheard');
    await scene.bot.texts(chat, 1);
    await scene.kill(victim);
    expect(await outcome()).toEqual(['unheard', `unheard${MARK}`]);
  });

  it('between two parts, the rest follows and nothing comes twice', async () => {
    await world.telegram.addFault({
      match: { method: 'sendMessage', token: scene.bot.token, contains: 'part600 ' },
      ...{ action: '429', retryAfter: 1 },
    });
    await scene.ask(chat, LONG);
    await eventually('the second part is refused', async () => {
      const calls = await world.telegram.calls({ token: scene.bot.token, method: 'sendMessage' });
      return calls.at(-1)?.outcome === 429;
    });
    await sleep(50);
    await scene.kill(victim);
    const texts = await outcome();
    expect(texts).toHaveLength(3);
    expect(texts.join(' ')).toBe(LONG);
  });

  describe('while an answer grows', () => {
    const words = Array.from({ length: 24 }, (_none, index) => `word${index}`).join(' ');
    const slowly = '[[chunks=12]][[gap=250]]';
    const untilCall = (method: string, isIt: (call: TelegramCall) => boolean = () => true): Promise<TelegramCall> =>
      eventually(method, async () => (await world.telegram.calls({ token: scene.bot.token, method })).find(isIt));
    const isPending = ({ outcome }: TelegramCall): boolean => outcome === 'pending';

    it('after its first words were sent, it goes on in the same message', async () => {
      await scene.ask(chat, words, slowly);
      await scene.bot.texts(chat, 1);
      await untilCall('editMessageText');
      await scene.kill(victim);
      expect(await outcome()).toEqual([words]);
    });

    it('while its first words are being sent, it comes anew, marked', async () => {
      const match = { method: 'sendMessage', token: scene.bot.token };
      await world.telegram.addFault({ match, action: 'slow', effect: 'before', delayMs: 3_000 });
      await scene.ask(chat, words, slowly);
      await untilCall('sendMessage', isPending);
      await scene.kill(victim);
      const [first, second, ...others] = await outcome();
      expect(first).toMatch(/ …$/);
      expect([second, others]).toEqual([`${words}${MARK}`, []]);
    });

    it('while it takes the place of what was shown, it is there once', async () => {
      const match = { method: 'editMessageText', token: scene.bot.token, contains: 'word23' };
      await world.telegram.addFault({ match, action: 'slow', effect: 'before', delayMs: 3_000 });
      await scene.ask(chat, words, slowly);
      await untilCall('editMessageText', (call) => isPending(call) && String(call.params['text']).endsWith('word23'));
      await scene.kill(victim);
      expect(await outcome()).toEqual([words]);
    });
  });

  it.each([0, 4, 12, 30])('%i ms after a question was asked, it is answered once', async (ms) => {
    await scene.ask(chat, 'answer');
    await sleep(ms);
    await scene.kill(victim);
    expect((await outcome()).at(-1)).toMatch(/^answer/);
  });
});

it('a question that ends the worker twice is set aside with a word to its person, and others are served', async () => {
  const scene = await createScene(world);
  await scene.ask(201, 'poison', '[[delay=30000]]');
  await whileThinking(world, 'poison', 1);
  await scene.kill('worker');
  await whileThinking(world, 'poison', 2);
  await scene.ask(202, 'healthy', '[[delay=300]]');
  await scene.kill('worker');
  expect(await scene.settle()).toEqual([]);
  expect(await scene.bot.texts(201, 1)).toEqual([expect.stringContaining('set aside')]);
  expect(await scene.bot.texts(202, 1)).toEqual(['healthy']);
});
