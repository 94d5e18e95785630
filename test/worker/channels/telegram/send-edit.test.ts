import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Rejected, Unknown, Unreachable } from '../../../../worker/channels/plugin.ts';
import { loadBotApi } from '../../../../worker/channels/telegram/bot-api.ts';
import { editText } from '../../../../worker/channels/telegram/send.ts';
import { startTelegramEmulator, type TelegramEmulator } from '../../../emulators/start.ts';
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

const sent = async () =>
  (await telegram.transcript(session.token, 42)).messages.filter((message) => message.from === 'bot');

describe('changing a message', () => {
  const edit = async (more: { chatId?: string; messageId?: string; text?: string } = {}, signal = NEVER) => {
    const api = (await loadBotApi())(session.token, telegram.url);
    const messageId = more.messageId ?? (await session.send()).remoteId;
    return editText(api, { chatId: '42', text: 'new', ...more, messageId }, signal);
  };
  const edits = async () => (await telegram.calls({ token: session.token, method: 'editMessageText' })).length;

  it('shows the new text in its place, Markdown as what it means', async () => {
    const { remoteId: messageId } = await session.send();
    expect(await edit({ messageId, text: 'plain & new' })).toBe('edited');
    expect(await edit({ messageId, text: '**a** <' })).toBe('edited');
    const [message] = await sent();
    expect(message).toMatchObject({ text: 'a <', original: 'hello', parseMode: 'HTML' });
    expect(message?.edits.map((change) => change.text)).toEqual(['plain & new', 'a <']);
  });

  it.each(['hello', '*hello*'])('is done when the message already says so (%s)', async (text) => {
    const { remoteId: messageId } = await session.send({ text });
    expect(await edit({ messageId, text })).toBe('edited');
    expect((await sent())[0]?.edits).toEqual([]);
  });

  it('shows the source when the markup was refused', async () => {
    const body = JSON.stringify({ ok: false, error_code: 400, description: "Bad Request: can't parse entities: x" });
    await telegram.addFault({ match: { method: 'editMessageText' }, action: 'status', status: 400, body });
    expect(await edit({ text: '*a*' })).toBe('edited');
    expect((await sent())[0]).toMatchObject({ text: '*a*' });
    expect(await edits()).toBe(2);
  });

  it('finds that the message is gone, is not ours, or never was', async () => {
    const [theirs] = (await telegram.transcript(session.token, 42)).messages;
    expect(await edit({ messageId: '999999' })).toBe('gone');
    expect(await edit({ messageId: String(theirs?.message_id) })).toBe('gone');
    expect(await edit({ messageId: 'none' })).toBe('gone');
  });

  it('finds that the group left its messages behind when it became a supergroup', async () => {
    const chatId = '-77';
    const group = { id: -77, type: 'group' } as const;
    await telegram.userMessage({ token: session.token, chat: group, from: 42, text: 'x' });
    const { remoteId: messageId } = await session.send({ chatId });
    await telegram.migrateGroup(session.token, -77, -1_000_000_000_501);
    expect(await edit({ chatId, messageId })).toBe('gone');
  });

  it('fails in the terms of a send', async () => {
    const { remoteId: messageId } = await session.send();
    await expect(edit({ messageId }, AbortSignal.abort())).rejects.toBeInstanceOf(Unreachable);
    await telegram.addFault({ match: { method: 'editMessageText' }, action: '429', retryAfter: 3 });
    await expect(edit({ messageId })).rejects.toMatchObject({ name: 'RateLimited', retryAfterMs: 3_000 });
    await telegram.addFault({ match: { method: 'editMessageText' }, action: 'drop-after' });
    await expect(edit({ messageId })).rejects.toBeInstanceOf(Unknown);
    await expect(edit({ messageId, text: 'x'.repeat(5_000) })).rejects.toBeInstanceOf(Rejected);
    await telegram.block(session.token, 42);
    await expect(edit({ messageId })).rejects.toMatchObject({ name: 'Rejected', isPeerGone: true });
  });
});
