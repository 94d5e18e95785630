import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from './eventually.ts';
import { type Gateway, runXopc, startGateway, stopAll } from './gateway.ts';
import { type Bot, startWorld, type World } from './world.ts';

const team = { id: -100_700, type: 'supergroup', title: 'Team' } as const;
const family = { id: -100_701, type: 'supergroup', title: 'Family' } as const;

let world: World;
let open: Gateway[] = [];

beforeAll(async () => {
  world = await startWorld();
});
afterEach(async () => {
  await Promise.all(open.map((gateway) => gateway.stop()));
  open = [];
});
afterAll(async () => {
  await stopAll();
  await world.stop();
});

/** A gateway with a bot that sees everything that is said in its groups. */
async function start(telegram: Parameters<World['configure']>[1]): Promise<{ bot: Bot; gateway: Gateway }> {
  const bot = await world.createBot({ privacy: false });
  const gateway = await startGateway({ config: world.configure(bot, telegram) });
  open.push(gateway);
  return { bot, gateway };
}

/** The bot polls again once it has dealt with what it got. */
const isHandled = ({ token }: Bot): Promise<unknown> =>
  eventually('confirmed updates', async () => (await world.telegram.pendingUpdates(token)).length === 0);

const tell = ({ username }: Bot, text: string): string => `@${username} ${text}`;

describe('in groups the bot answers', () => {
  it('by default nobody whom the owner did not let in, without a word or a code', async () => {
    const { bot, gateway } = await start({ dmPolicy: 'pairing', allowFrom: [22] });
    await bot.say(team, tell(bot, 'let me in'), 21);
    await bot.say(22, 'a later message elsewhere');
    await bot.texts(22, 1);
    expect(await bot.answers(team.id)).toEqual([]);
    expect((await runXopc(gateway.home, ['gateway', 'pairing', 'list'])).stdout).not.toContain('21');
    await eventually('the log', () => {
      const line = gateway.home
        .readLog()
        .split('\n')
        .find((text) => text.includes('was not let in'));
      return line?.includes('"sender":"21"') === true && line.includes(`"chat":"${team.id}"`);
    });
  });

  it('people on the lists, paired people and everybody in listed groups', async () => {
    const { bot, gateway } = await start({
      dmPolicy: 'pairing',
      groupAllowFrom: [31],
      allowFrom: ['32'],
      groups: { [family.id]: {} },
    });
    for (const from of [31, 32, 33]) await bot.say(team, tell(bot, `I am ${from}`), from);
    await bot.say(family, tell(bot, 'I am at home'), 33);
    expect((await bot.texts(team.id, 2)).sort()).toEqual(['echo: User 31: I am 31', 'echo: User 32: I am 32']);
    expect(await bot.texts(family.id, 1)).toEqual(['echo: User 33: I am at home']);

    await bot.say(33, 'let me in');
    const [told = ''] = await bot.texts(33, 1);
    const code = /approve ([A-Z2-9]{8})$/.exec(told)?.[1] ?? '';
    const list = await runXopc(gateway.home, ['gateway', 'pairing', 'list']);
    expect(list.stdout).toMatch(new RegExp(`^telegram/default: 33 .*${code}, valid until \\d{4}-\\d{2}-\\d{2}T`, 'm'));
    const approved = await runXopc(gateway.home, ['gateway', 'pairing', 'approve', code.toLowerCase()]);
    expect(approved.stdout).toContain('telegram/default');
    await bot.say(team, tell(bot, 'I am paired'), 33);
    expect((await bot.texts(team.id, 3)).sort()).toEqual([
      'echo: User 31: I am 31',
      'echo: User 32: I am 32',
      'echo: User 33: I am paired',
    ]);
  });

  it('anyone who speaks to it when groups are open, and nothing that is said to others or changed later', async () => {
    const { bot } = await start({ groupPolicy: 'open', groups: { [family.id]: { enabled: false } } });
    const morning = await world.telegram.userMessage({ token: bot.token, chat: team, from: 41, text: 'good morning' });
    await bot.say(family, tell(bot, 'anybody there?'), 41);
    await bot.say(team, tell(bot, 'what is new?'), 42);
    expect(await bot.texts(team.id, 1)).toEqual(['echo: User 41: good morning\n\nUser 42: what is new?']);
    const { message_id } = morning;
    await world.telegram.editMessage({ token: bot.token, chat: team.id, message_id, text: tell(bot, 'good morning') });
    await bot.say(43, 'a later message elsewhere');
    await bot.texts(43, 1);
    await isHandled(bot);
    expect(await bot.answers(team.id)).toHaveLength(1);
    expect(await bot.answers(family.id)).toEqual([]);
  });

  it('everything where no mention is needed', async () => {
    const { bot } = await start({ groupPolicy: 'open', groups: { [family.id]: { requireMention: false } } });
    await bot.say(team, 'good morning', 51);
    await bot.say(family, 'good morning', 51);
    expect(await bot.texts(family.id, 1)).toEqual(['echo: User 51: good morning']);
    await isHandled(bot);
    expect(await bot.answers(team.id)).toEqual([]);
  });

  it('nobody when they are disabled, while private messages are answered', async () => {
    const { bot } = await start({ groupPolicy: 'disabled', groupAllowFrom: ['*'], groups: { [team.id]: {} } });
    await bot.say(team, tell(bot, 'hello'), 61);
    await bot.say(61, 'hello');
    expect(await bot.texts(61, 1)).toEqual(['echo: hello']);
    expect(await bot.answers(team.id)).toEqual([]);
  });
});
