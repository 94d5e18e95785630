import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from './eventually.ts';
import { type Gateway, runXopc, startGateway, stopAll } from './gateway.ts';
import { type Bot, startWorld, type World } from './world.ts';

const group = { id: -100_500, type: 'supergroup', title: 'Team' } as const;

let world: World;
let bot: Bot;

beforeAll(async () => {
  world = await startWorld();
  bot = await world.createBot();
  await startGateway({ config: world.configure(bot, { groupPolicy: 'open' }) });
});
afterAll(async () => {
  await stopAll();
  await world.stop();
});

describe('a person who writes to the bot', () => {
  it('is answered once', async () => {
    await bot.say(11, 'hello');
    expect(await bot.texts(11, 1)).toEqual(['echo: hello']);
    await bot.say(11, 'and again');
    expect(await bot.texts(11, 2)).toEqual(['echo: hello', 'echo: and again']);
  });

  it('sees the bot typing while the model thinks, and no longer once the answer is there', async () => {
    await bot.say(12, '[[delay=1200]] think');
    await bot.texts(12, 1);
    const { typing, messages } = await world.telegram.transcript(bot.token, 12);
    const answer = messages.at(-1);
    expect(typing).toHaveLength(1);
    expect((answer?.at ?? 0) - (typing[0]?.from ?? 0)).toBeGreaterThan(1_000);
    expect(typing[0]?.until).toBeLessThanOrEqual(answer?.at ?? 0);
  });

  it('gets a long answer in several parts, in order and complete', async () => {
    await bot.say(13, '[[long=11000]]');
    const texts = await bot.texts(13, 3);
    expect(texts).toHaveLength(3);
    expect(texts.every((text) => text.length <= 4_096)).toBe(true);
    const words = texts.join(' ').split(/\s+/);
    expect(words.slice(0, -1)).toEqual(Array.from({ length: words.length - 1 }, (_none, index) => `word${index + 1}`));
    expect(texts.join(' ').length).toBeGreaterThanOrEqual(10_990);
  });

  it('is told when the model fails', async () => {
    await bot.say(14, '[[status=401]]');
    expect((await bot.texts(14, 1))[0]).toMatch(/^The model provider refused the credential/);
    await bot.say(14, '[[cut=1]] broken off');
    expect((await bot.texts(14, 2, 20_000))[1]).toMatch(/model/i);
    await bot.say(14, 'still there?');
    expect((await bot.texts(14, 3))[2]).toBe('echo: still there?');
  });

  it('has a conversation: the model sees what was said before', async () => {
    await bot.say(15, 'my name is Ada');
    await bot.texts(15, 1);
    await bot.say(15, '[[history]]');
    expect((await bot.texts(15, 2))[1]).toBe('history: user,assistant,user');
  });

  it('does not keep others waiting', async () => {
    await bot.say(16, '[[delay=1500]] slow');
    await bot.say(17, 'quick');
    await bot.texts(17, 1, 1_000);
    expect(await bot.answers(16)).toEqual([]);
    expect(await bot.texts(16, 1)).toEqual(['echo: slow']);
  });

  it('gets answers to several messages in the order they were asked', async () => {
    for (const text of ['[[delay=300]] one', 'two', 'three']) await bot.say(18, text);
    expect(await bot.texts(18, 3)).toEqual(['echo: one', 'echo: two', 'echo: three']);
  });
});

describe('a group', () => {
  it('hears the bot only when somebody speaks to it, in reply to that message', async () => {
    await bot.say(group, 'good morning everybody', 21);
    await bot.say(group, `@${bot.username} what time is it?`, 22);
    expect(await bot.texts(group.id, 1)).toEqual(['echo: User 22: what time is it?']);
    await bot.say(group, 'thanks', 21);
    await bot.say(11, 'a later message elsewhere');
    await bot.texts(11, 3);
    const [answer, ...others] = await bot.answers(group.id);
    expect(others).toEqual([]);
    expect(answer?.replyTo).toBe(2);
  });
});

describe('who may write in private', () => {
  const start = async (telegram: Parameters<World['configure']>[1]): Promise<{ bot: Bot; gateway: Gateway }> => {
    const own = await world.createBot();
    return { bot: own, gateway: await startGateway({ config: world.configure(own, telegram) }) };
  };

  /** The bot polls again once it has dealt with what it got. */
  const isHandled = (token: string): Promise<unknown> =>
    eventually('confirmed updates', async () => (await world.telegram.pendingUpdates(token)).length === 0);

  it('by default those whose pairing code the owner approved', async () => {
    const paired = await start({ dmPolicy: 'pairing' });
    await paired.bot.say(31, 'let me in');
    const [told = ''] = await paired.bot.texts(31, 1);
    const code = /gateway pairing approve ([A-Z2-9]{8})/.exec(told)?.[1] ?? '';
    await paired.bot.say(31, 'please');
    await isHandled(paired.bot.token);
    const list = await runXopc(paired.gateway.home, ['gateway', 'pairing', 'list']);
    expect(list.stdout).toContain(`31 (User 31) asks with code ${code}`);
    const approved = await runXopc(paired.gateway.home, ['gateway', 'pairing', 'approve', code]);
    expect(approved).toMatchObject({ code: 0, stdout: 'Approved: 31 (User 31) may now write to telegram/default.\n' });
    await paired.bot.say(31, 'hello');
    expect(await paired.bot.texts(31, 2)).toEqual([told, 'echo: hello']);

    await runXopc(paired.gateway.home, ['gateway', 'pairing', 'revoke', 'telegram', '31']);
    await paired.bot.say(31, 'and now?');
    expect((await paired.bot.texts(31, 3))[2]).toMatch(/approve the code/);
    const wrong = await runXopc(paired.gateway.home, ['gateway', 'pairing', 'approve', 'AAAAAAAA']);
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain('No open pairing request has this code');
    await paired.gateway.stop();
  });

  it('with an allowlist those on it, and nobody else is answered at all', async () => {
    const listed = await start({ dmPolicy: 'allowlist', allowFrom: [41, '42'] });
    for (const chat of [41, 42, 43]) await listed.bot.say(chat, 'hello');
    await listed.bot.texts(41, 1);
    await listed.bot.texts(42, 1);
    await isHandled(listed.bot.token);
    expect(await listed.bot.answers(43)).toEqual([]);
    await listed.gateway.stop();
  });

  it('nobody when private messages are disabled', async () => {
    const disabled = await start({ dmPolicy: 'disabled', allowFrom: ['*'] });
    await disabled.bot.say(51, 'hello');
    await isHandled(disabled.bot.token);
    expect((await disabled.gateway.request('/api/sessions')).body).toMatchObject({ total: 0 });
    expect(await disabled.bot.answers(51)).toEqual([]);
    await disabled.gateway.stop();
  });
});

it('a bot whose token is refused is shown as down, and the gateway serves on', async () => {
  const config = world.configure(bot, { botToken: '999:not-a-bot-of-anybody' });
  const refused = await startGateway({ config });
  const health = await eventually('the channel is down', async () => {
    const { body } = await refused.request('/api/health');
    return body['status'] === 'degraded' && body;
  });
  expect(JSON.stringify(health['channels'])).toContain('channels.telegram.botToken');
  expect((await refused.request('/api/agent', { method: 'POST', body: { message: 'hi' } })).status).toBe(200);
  await refused.stop();
});
