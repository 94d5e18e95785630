import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTelegramEmulator, type TelegramEmulator } from '../../../emulators/start.ts';
import { createSession, NEVER, type Session } from './harness.ts';

let telegram: TelegramEmulator;
let open: Session[] = [];
beforeAll(async () => {
  telegram = await startTelegramEmulator();
});
afterAll(() => telegram.stop());
afterEach(async () => {
  await Promise.all(open.map((session) => session.channel.stop()));
  open = [];
});

async function begin(...more: Parameters<typeof createSession> extends [unknown, ...infer Rest] ? Rest : never) {
  const session = await createSession(telegram, ...more);
  open.push(session);
  return session;
}

const say = (session: Session, text: string, more: object = {}) =>
  telegram.userMessage({ token: session.token, chat: 42, from: { id: 42, first_name: 'Ada' }, text, ...more });

describe('a private message', () => {
  it('comes in once, in our terms', async () => {
    const session = await begin();
    await session.channel.start(NEVER);
    const { update_id: updateId, message_id: messageId } = await say(session, 'hello');
    await expect.poll(session.texts).toEqual(['hello']);
    expect(session.messages()[0]).toEqual({
      accountId: 'default',
      peer: { kind: 'direct', id: '42' },
      senderId: '42',
      senderName: 'Ada',
      text: 'hello',
      isAddressed: true,
      dedupeKey: `update:${updateId}`,
      messageId: String(messageId),
      sentAt: expect.closeTo(Date.now(), -4),
    });
  });

  it('that waited is handed over with the others in one batch, in order, with the cursor behind the last', async () => {
    const session = await begin();
    for (const text of ['a', 'b', 'c']) await say(session, text);
    const pending = await telegram.pendingUpdates(session.token);
    await session.channel.start(NEVER);
    await expect.poll(session.texts).toEqual(['a', 'b', 'c']);
    expect(session.batches).toHaveLength(1);
    expect(session.cursor).toBe(String(Math.max(...pending) + 1));
  });

  it('is confirmed to Telegram only after it was committed', async () => {
    const session = await begin();
    let release = () => {};
    const committed = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { receive } = session.context;
    session.context.receive = async (...given) => {
      await committed;
      await receive(...given);
    };
    await say(session, 'precious');
    await session.channel.start(NEVER);
    await expect
      .poll(async () => (await telegram.calls({ token: session.token, method: 'getUpdates' })).length)
      .toBe(1);
    expect(await telegram.pendingUpdates(session.token)).toHaveLength(1);
    release();
    await expect.poll(() => telegram.pendingUpdates(session.token)).toHaveLength(0);
  });

  it('comes again when it could not be committed, and is lost in no case', async () => {
    const session = await begin();
    session.failReceive = 2;
    await say(session, 'again');
    await session.channel.start(NEVER);
    await expect.poll(session.texts, { timeout: 5_000 }).toEqual(['again']);
    expect(session.statuses.some((status) => status.lastError?.includes('disk full'))).toBe(true);
    expect(session.channel.status()[0]?.state).toBe('up');
  });

  it('is not taken in twice by a restart', async () => {
    const session = await begin();
    await session.channel.start(NEVER);
    await say(session, 'one');
    await expect.poll(session.texts).toEqual(['one']);
    await session.channel.stop();
    await say(session, 'two');
    await session.channel.start(NEVER);
    await expect.poll(session.texts).toEqual(['one', 'two']);
    const polls = await telegram.calls({ token: session.token, method: 'getUpdates' });
    expect(polls.some((call) => String(call.params['offset']) === session.batches[0]?.cursor)).toBe(true);
  });

  it('gets through when the stored cursor is far ahead of a queue that started over', async () => {
    const session = await begin();
    session.cursor = '2147480000';
    await say(session, 'still here');
    await session.channel.start(NEVER);
    await expect.poll(session.texts).toEqual(['still here']);
  });

  it('keeps its order in a burst over several polls', async () => {
    const session = await begin();
    await session.channel.start(NEVER);
    const texts = Array.from({ length: 30 }, (_unused, index) => `m${index}`);
    for (const text of texts) await say(session, text);
    await expect.poll(session.texts).toEqual(texts);
  });

  it('that is edited later comes in as its new wording, not as another message', async () => {
    const session = await begin();
    await session.channel.start(NEVER);
    const { message_id: messageId } = await say(session, 'first');
    await expect.poll(session.texts).toEqual(['first']);
    await telegram.editMessage({ token: session.token, chat: 42, message_id: messageId, text: 'changed' });
    await say(session, 'second');
    await expect.poll(session.texts).toEqual(['first', 'changed', 'second']);
    expect(session.messages().map(({ isEdit }) => isEdit)).toEqual([undefined, true, undefined]);
    expect(session.messages()[1]).toMatchObject({ messageId: String(messageId), isAddressed: true });
  });
});

describe('a group message', () => {
  const group = { id: -1_000_000_000_500, type: 'supergroup', title: 'Team' } as const;

  it('comes in and tells whether it speaks to the bot, as far as privacy mode shows it', async () => {
    const session = await begin();
    const username = `bot_${session.token.split(':')[0]}`;
    await session.channel.start(NEVER);
    const inGroup = (text: string, more: object = {}) => say(session, text, { chat: group, ...more });
    await inGroup('good morning all');
    await inGroup(`@${username.toUpperCase()}, what is new?`);
    await inGroup(`/status@${username} now`);
    await inGroup(`/status@another_bot now`);
    await inGroup(`ask @${username} later`);
    const { remoteId } = await session.send({ chatId: String(group.id), text: 'an answer' });
    await inGroup('a reply to it', { replyTo: Number(remoteId) });
    await expect
      .poll(session.texts)
      .toEqual(['what is new?', '/status now', `ask @${username} later`, 'a reply to it']);
    expect(session.messages()[0]?.peer).toEqual({ kind: 'group', id: String(group.id) });
    expect(session.messages()[0]?.senderId).toBe('42');
    expect(session.messages().every(({ isAddressed }) => isAddressed)).toBe(true);
  });

  it('that speaks to others comes in as such when the bot may read everything', async () => {
    const session = await begin({ isRegistered: false, token: '7999:canary-token-of-a-curious-bot' });
    await telegram.registerBot({ token: session.token, username: 'curious_bot', privacy: false });
    await session.channel.start(NEVER);
    const { message_id } = await say(session, 'good morning all', { chat: group });
    await telegram.editMessage({ token: session.token, chat: group.id, message_id, text: 'good evening all' });
    await expect.poll(session.texts).toEqual(['good morning all', 'good evening all']);
    const [first, second] = session.messages();
    expect([first?.isAddressed, first?.isEdit, second?.isAddressed, second?.isEdit]).toEqual([
      false,
      undefined,
      false,
      true,
    ]);
    expect(second?.messageId).toBe(first?.messageId);
    expect(second?.dedupeKey).not.toBe(first?.dedupeKey);
  });

  it('of a topic belongs to a conversation of its own', async () => {
    const session = await begin();
    const username = `bot_${session.token.split(':')[0]}`;
    await session.channel.start(NEVER);
    const forum = { ...group, id: -1_000_000_000_501, isForum: true };
    await say(session, `@${username} in a topic`, { chat: forum, thread: 7 });
    await expect.poll(session.texts).toEqual(['in a topic']);
    expect(session.messages()[0]?.peer).toEqual({ kind: 'group', id: String(forum.id), threadId: '7' });
  });
});
