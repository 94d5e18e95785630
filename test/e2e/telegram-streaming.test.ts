import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TranscriptMessage } from '../emulators/telegram/control-contract.ts';
import { eventually } from './eventually.ts';
import { type Gateway, startGateway, stopAll } from './gateway.ts';
import { type Bot, startWorld, type World } from './world.ts';

const WORDS =
  'The first sentence is here. The second one follows it. The third one is a little longer than that. And this is the end.';
/** Grows over some three seconds. */
const SLOWLY = `[[chunks=10]][[gap=300]][[say=${WORDS}]]`;
const team = { id: -100_800, type: 'supergroup', title: 'Team' } as const;

/** Several gateways share the machine. */
const PATIENCE_MS = 40_000;

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(async () => {
  await stopAll();
  await world.stop();
});

async function start(settings: Parameters<World['configure']>[1] = {}): Promise<{ bot: Bot; gateway: Gateway }> {
  const bot = await world.createBot();
  return { bot, gateway: await startGateway({ config: world.configure(bot, settings) }) };
}

/** The chat when its last message ends as the answer does. */
const untilWhole = (bot: Bot, chat: number, text = WORDS): Promise<TranscriptMessage[]> =>
  eventually(
    'the whole answer',
    async () => {
      const seen = await bot.answers(chat);
      return seen.at(-1)?.text === text && seen;
    },
    PATIENCE_MS,
  );

const stagesOf = ({ original, edits }: TranscriptMessage): string[] => [original, ...edits.map(({ text }) => text)];

describe.concurrent('an answer on Telegram that takes its time', () => {
  it('grows in one message and ends as it was meant', async () => {
    const { bot } = await start();
    await bot.say(1, SLOWLY);
    const answers = await untilWhole(bot, 1);
    expect(answers).toHaveLength(1);
    const stages = answers.flatMap(stagesOf);
    expect(stages.length).toBeGreaterThan(1);
    for (const stage of stages.slice(0, -1)) {
      expect(stage).toMatch(/ …$/);
      expect(WORDS.startsWith(stage.slice(0, -2))).toBe(true);
    }
    const times = [answers[0]?.at ?? 0, ...(answers[0]?.edits.map(({ at }) => at) ?? [])];
    // The last edit is the answer, which waits for nothing.
    for (let index = 1; index < times.length - 1; index += 1)
      expect((times[index] ?? 0) - (times[index - 1] ?? 0)).toBeGreaterThan(1_400);
  });

  it('shows whole sentences when it is asked to', async () => {
    const { bot } = await start({ streamMode: 'block' });
    await bot.say(1, SLOWLY);
    const [answer] = await untilWhole(bot, 1);
    const stages = answer === undefined ? [] : stagesOf(answer);
    expect(stages.length).toBeGreaterThan(1);
    for (const stage of stages.slice(0, -1)) expect(stage).toMatch(/\. …$/);
  });

  it('comes at once and whole when growing is off', async () => {
    const { bot } = await start({ streamMode: 'off' });
    await bot.say(1, SLOWLY);
    expect((await untilWhole(bot, 1)).map(stagesOf)).toEqual([[WORDS]]);
  });

  it('goes on in further messages when it is long, in order', async () => {
    const { bot } = await start();
    await bot.say(1, '[[chunks=10]][[gap=200]][[long=9000]]');
    const answers = await eventually('all parts', async () => {
      const seen = await bot.answers(1);
      return seen.length >= 3 && !seen.some(({ text }) => text.endsWith(' …')) && seen;
    });
    expect(answers.map(({ text }) => text.length > 4_096)).not.toContain(true);
    expect(answers[0]?.edits.length).toBeGreaterThan(0);
    expect(answers.slice(1).flatMap(({ edits }) => edits)).toEqual([]);
  });

  it('is whole in the end although the platform wants fewer edits', async () => {
    const { bot } = await start();
    const match = { method: 'editMessageText', token: bot.token };
    await world.telegram.addFault({ match, action: '429', retryAfter: 1, times: 1 });
    await bot.say(1, SLOWLY);
    const answers = await untilWhole(bot, 1);
    expect(answers).toHaveLength(1);
  });

  it('is sent anew when the message in which it grew was deleted', async () => {
    const { bot } = await start();
    await bot.say(1, SLOWLY);
    await bot.texts(1, 1);
    const [draft] = await bot.answers(1);
    await fetch(`${world.telegram.url}/bot${bot.token}/deleteMessage?chat_id=1&message_id=${draft?.message_id}`);
    const answers = await untilWhole(bot, 1);
    expect(answers.filter(({ deleted }) => deleted !== true).flatMap(stagesOf)).toEqual([WORDS]);
  });

  it('goes on in the same message after the worker was killed', async () => {
    const { bot, gateway } = await start();
    await bot.say(1, `[[chunks=10]][[gap=400]][[say=${WORDS}]]`);
    // With the first edit the id of the message is known and written down.
    await eventually('an edit', async () => ((await bot.answers(1))[0]?.edits.length ?? 0) > 0, PATIENCE_MS);
    const worker = gateway.workerPid();
    process.kill(worker, 'SIGKILL');
    await gateway.nextWorker(worker);
    expect(await untilWhole(bot, 1)).toHaveLength(1);
  });
});

describe.concurrent('an answer on Telegram quotes the question', () => {
  const quotes = async (
    settings: Parameters<World['configure']>[1],
    chat: number | typeof team,
  ): Promise<boolean[]> => {
    const { bot } = await start({ streamMode: 'off', groupPolicy: 'open', ...settings });
    await bot.say(chat, `@${bot.username} [[long=5000]]`, 5);
    await bot.texts(typeof chat === 'number' ? chat : chat.id, 2);
    return (await bot.answers(typeof chat === 'number' ? chat : chat.id)).map(({ replyTo }) => replyTo !== undefined);
  };

  it('in groups with its first part, in private not at all', async () => {
    expect(await quotes({}, team)).toEqual([true, false]);
    expect(await quotes({}, 5)).toEqual([false, false]);
  });

  it('with each part, the first or none, as the account says', async () => {
    expect(await quotes({ replyToMode: 'all' }, 5)).toEqual([true, true]);
    expect(await quotes({ replyToMode: 'first' }, 5)).toEqual([true, false]);
    expect(await quotes({ replyToMode: 'off' }, team)).toEqual([false, false]);
  });
});
