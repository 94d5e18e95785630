import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RateLimited, Rejected, Unknown, Unreachable } from '../../../../worker/channels/plugin.ts';
import { startTelegramEmulator, type TelegramEmulator } from '../../../emulators/start.ts';
import { closedPort } from '../../agent/providers/closed-port.ts';
import { failureOf } from './failure.ts';
import { createSession, NEVER, type Session } from './harness.ts';

let telegram: TelegramEmulator;
let session: Session;
beforeAll(async () => {
  telegram = await startTelegramEmulator();
});
afterAll(async () => {
  await session.channel.stop();
  await telegram.stop();
});
beforeEach(async () => {
  await session?.channel.stop();
  await telegram.clearFaults();
  session = await createSession(telegram);
  await session.channel.start(NEVER);
  await telegram.userMessage({ token: session.token, chat: 42, from: 42, text: 'hi' });
});

const sent = async (chat = 42) =>
  (await telegram.transcript(session.token, chat)).messages.filter((message) => message.from === 'bot');
const attempts = async () => (await telegram.calls({ token: session.token, method: 'sendMessage' })).length;

async function refuse(reason: string, parameters: object = {}): Promise<void> {
  const body = JSON.stringify({ ok: false, error_code: 400, description: `Bad Request: ${reason}`, parameters });
  await telegram.addFault({ match: { method: 'sendMessage' }, action: 'status', status: 400, body });
}

describe('sending', () => {
  it('shows a text without markup once, exactly as it is, and returns its id', async () => {
    const text = '2*3 <i>d</i> & [e](f) \\ snake_case\n\n你好 👋';
    const { remoteId } = await session.send({ text });
    const messages = await sent();
    expect(messages.map((message) => message.text)).toEqual([text]);
    expect(String(messages[0]?.message_id)).toBe(remoteId);
    expect(messages[0]?.parseMode).toBeUndefined();
  });

  it('shows Markdown as what it means', async () => {
    await session.send({ text: '# Look\n**a** < `b` [c](https://x.org)\n```js\nd\n```' });
    expect(await sent()).toMatchObject([{ text: 'Look\na < b c\nd', parseMode: 'HTML' }]);
  });

  it.each(["can't parse entities: Unsupported start tag", 'message text is empty', 'text must be non-empty'])(
    'shows the source once when the markup was refused: %s',
    async (reason) => {
      await refuse(reason);
      await session.send({ text: '**a** <b>' });
      expect((await sent()).map(({ text, parseMode }) => ({ text, parseMode }))).toEqual([{ text: '**a** <b>' }]);
      expect(await attempts()).toBe(2);
    },
  );

  it('repairs the reply, the topic, the markup and the chat of one message', async () => {
    await telegram.userMessage({ token: session.token, chat: -100_500, from: 42, text: 'x' });
    await refuse('message thread not found');
    await refuse('message to be replied not found');
    await refuse("can't parse entities: x");
    await refuse('group chat was upgraded to a supergroup chat', { migrate_to_chat_id: -100_500 });
    const posted = await session.send({ chatId: '-77', text: '*a*', threadId: '7', replyTo: '5' });
    expect(posted).toMatchObject({ migratedTo: '-100500' });
    expect(await sent(-100_500)).toMatchObject([{ text: '*a*' }]);
  });

  it('replies to a message, and sends without the reply when that message is gone', async () => {
    const [asked] = (await telegram.transcript(session.token, 42)).messages;
    await session.send({ replyTo: String(asked?.message_id) });
    await session.send({ replyTo: '999999' });
    expect((await sent()).map((message) => message.replyTo)).toEqual([asked?.message_id, undefined]);
  });

  it('goes to its topic, to the general one without saying so, and to the group when the topic is gone', async () => {
    const forum = { id: -1_000_000_000_600, type: 'supergroup', isForum: true } as const;
    const chatId = String(forum.id);
    await telegram.userMessage({ token: session.token, chat: forum, from: 42, text: 'x', thread: 7 });
    await session.send({ chatId, threadId: '7' });
    await session.send({ chatId, threadId: '1' });
    await session.send({ chatId, threadId: '8888' });
    expect((await sent(forum.id)).map((message) => message.thread)).toEqual([7, undefined, undefined]);
  });

  it('shows that it is typing', async () => {
    await session.channel.showTyping({ accountId: 'default', chatId: '42' }, NEVER);
    expect((await telegram.transcript(session.token, 42)).typing).toMatchObject([{ action: 'typing' }]);
  });

  it('follows a group that became a supergroup, and tells its new id', async () => {
    const group = { id: -77, type: 'group' } as const;
    await telegram.userMessage({ token: session.token, chat: group, from: 42, text: 'x' });
    await telegram.migrateGroup(session.token, -77, -1_000_000_000_500);
    const posted = await session.send({ chatId: '-77' });
    const [message] = await sent(-1_000_000_000_500);
    expect(posted).toEqual({ remoteId: String(message?.message_id), migratedTo: '-1000000000500' });
    expect(await session.send()).not.toHaveProperty('migratedTo');
  });
});

describe('a send that fails', () => {
  it('is rejected when the person blocked the bot or has no account any more', async () => {
    await telegram.block(session.token, 42);
    const error = await failureOf(session.send());
    expect(error).toBeInstanceOf(Rejected);
    expect(error.message).toContain('bot was blocked by the user (403)');
    expect(error).toMatchObject({ isPeerGone: true });
    await telegram.deactivate(session.token, 42);
    expect(await failureOf(session.send())).toMatchObject({ name: 'Rejected', isPeerGone: true });
  });

  it('is rejected when the text is too long, with or without markup, but the next one arrives', async () => {
    for (const text of ['x'.repeat(5_000), `**${'x'.repeat(5_000)}**`]) {
      expect(await failureOf(session.send({ text }))).toMatchObject({ name: 'Rejected', isPeerGone: false });
    }
    expect(await attempts()).toBe(2);
    await session.send();
  });

  it('is rejected when the source is refused as well', async () => {
    for (const _attempt of [1, 2]) await refuse("can't parse entities: x");
    expect(await failureOf(session.send({ text: '*a*' }))).toBeInstanceOf(Rejected);
    expect(await attempts()).toBe(2);
  });

  it('waits for a new token when this one was revoked', async () => {
    await telegram.revoke(session.token);
    expect(await failureOf(session.send())).toMatchObject({
      name: 'Unreachable',
      message: expect.stringContaining('401'),
    });
  });

  it('is rejected for a chat or an account that does not exist', async () => {
    expect(await failureOf(session.send({ chatId: '4040' }))).toMatchObject({ name: 'Rejected', isPeerGone: true });
    expect(await failureOf(session.send({ accountId: 'other' }))).toBeInstanceOf(Rejected);
    expect(await failureOf(session.send({ text: '' }))).toBeInstanceOf(Rejected);
  });

  it('is rate limited with the time to wait in milliseconds', async () => {
    await telegram.addFault({ match: { method: 'sendMessage' }, action: '429', retryAfter: 17 });
    const error = await failureOf(session.send());
    expect(error).toBeInstanceOf(RateLimited);
    expect(error).toMatchObject({ retryAfterMs: 17_000 });
  });

  it.each([
    ['the answer is lost', { action: 'drop-after' }, 1],
    ['the connection breaks before the server has acted', { action: 'drop-before' }, 0],
    ['the server breaks', { action: 'status', status: 500 }, 0],
    ['a proxy answers in HTML', { action: 'status', status: 502, html: true }, 0],
    ['the answer is cut', { action: 'truncate-body' }, 1],
  ] as const)('is unknown, and tried only once, when %s', async (_what, fault, posted) => {
    await telegram.addFault({ match: { method: 'sendMessage' }, ...fault });
    expect(await failureOf(session.send())).toBeInstanceOf(Unknown);
    expect(await attempts()).toBe(1);
    expect(await sent()).toHaveLength(posted);
  });

  it('is unknown when it is cancelled under way, and certainly not sent when cancelled before', async () => {
    await telegram.addFault({ match: { method: 'sendMessage' }, action: 'half-open' });
    expect(await failureOf(session.send({}, AbortSignal.timeout(100)))).toBeInstanceOf(Unknown);
    expect(await failureOf(session.send({}, AbortSignal.abort()))).toBeInstanceOf(Unreachable);
    expect(await attempts()).toBe(1);
  });

  it.each([
    ['refuses connections', async () => `http://127.0.0.1:${await closedPort()}`],
    ['has no address', async () => 'http://no-such-host.invalid'],
  ])('is unreachable when the server %s', async (_what, root) => {
    const lost = await createSession(telegram, { account: { apiRoot: await root() }, isRegistered: false });
    await lost.channel.start(NEVER);
    expect(await failureOf(lost.send())).toBeInstanceOf(Unreachable);
    await lost.channel.stop();
  });

  it('is unreachable before the channel was started', async () => {
    const early = await createSession(telegram);
    expect(await failureOf(early.send())).toBeInstanceOf(Unreachable);
  });

  it('never shows the token', async () => {
    await telegram.addFault({ match: { method: 'sendMessage' }, action: 'drop-before' });
    for (let error: unknown = await failureOf(session.send()); error instanceof Error; error = error.cause) {
      expect(`${error.message} ${error.stack}`).not.toContain('canary');
    }
  });
});
