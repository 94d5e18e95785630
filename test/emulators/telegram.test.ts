import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { callBot } from './call-bot.ts';
import { startTelegramEmulator, type TelegramEmulator } from './start.ts';

const token = '123456:ABC-def_1';
let telegram: TelegramEmulator;

beforeAll(async () => {
  telegram = await startTelegramEmulator({ seed: 7 });
});
afterAll(() => telegram.stop());
beforeEach(async () => {
  await telegram.reset();
  await telegram.registerBot({ token, username: 'helper_bot' });
});

const call = (method: string, params?: object) => callBot(telegram.url, token, method, params);

describe('the Telegram emulator and its tokens', () => {
  it('introduces a registered bot with the id of its token', async () => {
    const { status, result } = await call('getMe');
    expect(status).toBe(200);
    expect(result).toMatchObject({ id: 123456, is_bot: true, username: 'helper_bot' });
    expect(result.can_read_all_group_messages).toBe(false);
  });

  it('answers an unknown token with 401 Unauthorized', async () => {
    const answer = await callBot(telegram.url, '99:other', 'getMe');
    expect(answer).toMatchObject({ status: 401, ok: false, description: 'Unauthorized' });
  });

  it('tells a badly written token apart from an unknown one', async () => {
    const answer = await callBot(telegram.url, 'no-colon', 'getMe');
    expect(answer).toMatchObject({ status: 401, description: 'Unauthorized: invalid token specified' });
  });

  it('answers a revoked token, and its parked poll, with 401', async () => {
    const parked = call('getUpdates', { timeout: 30 });
    await untilParked();
    await telegram.revoke(token);
    expect(await parked).toMatchObject({ status: 401, description: 'Unauthorized' });
    expect((await call('getMe')).status).toBe(401);
  });

  it('answers an unknown method and an unknown path with 404 in the envelope', async () => {
    expect(await call('flyToMoon')).toMatchObject({ status: 404, description: 'Not Found: method not found' });
    const response = await fetch(`${telegram.url}/elsewhere`);
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({ ok: false, error_code: 404, description: 'Not Found' });
  });
});

describe('the Telegram emulator and its parameters', () => {
  beforeEach(() => telegram.userMessage({ token, chat: 5, from: 5, text: 'hello' }));

  it('takes them from the query with GET and a method name in any case', async () => {
    const query = new URLSearchParams({ chat_id: '5', text: 'by query' });
    const response = await fetch(`${telegram.url}/bot${token}/SENDmessage?${query}`);
    expect(response.status).toBe(200);
    const [sent] = await telegram.calls({ method: 'sendMessage' });
    expect(sent).toMatchObject({ method: 'sendMessage', outcome: 200, messageId: 2, params: { text: 'by query' } });
  });

  it('takes them urlencoded, with structures as JSON in a string', async () => {
    const body = new URLSearchParams({ chat_id: '5', text: 'form', reply_parameters: '{"message_id":1}' });
    const response = await fetch(`${telegram.url}/bot${token}/sendMessage`, { method: 'POST', body });
    expect(await response.json()).toMatchObject({ result: { reply_to_message: { message_id: 1, text: 'hello' } } });
  });

  it('takes them from multipart text fields without hurting UTF-8', async () => {
    const body = new FormData();
    body.set('chat_id', '5');
    body.set('text', 'grüße 🏟\r\nsecond line');
    body.set('reply_parameters', JSON.stringify({ message_id: 1 }));
    const response = await fetch(`${telegram.url}/bot${token}/sendMessage`, { method: 'POST', body });
    expect(await response.json()).toMatchObject({
      result: { text: 'grüße 🏟\r\nsecond line', reply_to_message: { message_id: 1 } },
    });
  });

  it('refuses JSON that is none', async () => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${telegram.url}/bot${token}/getMe`, { method: 'POST', headers, body: '{oops' });
    expect(response.status).toBe(400);
  });
});

describe('the Telegram emulator and people', () => {
  const group = { id: -200, type: 'group' as const, title: 'Team' };
  const forum = { id: -1_000_000_000_300, title: 'Forum', isForum: true };
  const updates = async () => (await call('getUpdates', { timeout: 0, offset: 1 })).result;

  it('marks commands, mentions and links in UTF-16 units', async () => {
    const text = '🏟 /start@helper_bot hi @someone see https://example.org/a.';
    await telegram.userMessage({ token, chat: 5, from: { id: 5, username: 'eve', first_name: 'Eve' }, text });
    const [{ message }] = await updates();
    expect(message.entities).toEqual([
      { type: 'bot_command', offset: 3, length: 17 },
      { type: 'mention', offset: 24, length: 8 },
      { type: 'url', offset: 37, length: 21 },
    ]);
    expect(message.chat).toEqual({ id: 5, type: 'private', first_name: 'Eve', username: 'eve' });
    expect(message.date).toBeCloseTo(Date.now() / 1000, -1);
  });

  it('hides ordinary group messages from a bot with privacy mode', async () => {
    const say = (text: string) => telegram.userMessage({ token, chat: group, from: 6, text });
    expect((await say('just talk')).update_id).toBeNull();
    expect((await say('hi @other_bot')).update_id).toBeNull();
    expect((await say('/start@other_bot')).update_id).toBeNull();
    expect((await say('/start')).update_id).not.toBeNull();
    expect((await say('hey @Helper_Bot!')).update_id).not.toBeNull();
  });

  it('shows a reply to the bot in spite of privacy mode', async () => {
    await telegram.userMessage({ token, chat: group, from: 6, text: '/start' });
    const { result } = await call('sendMessage', { chat_id: group.id, text: 'yes?' });
    const reply = { token, chat: group.id, from: 6, text: 'go on', replyTo: result.message_id };
    expect((await telegram.userMessage(reply)).update_id).not.toBeNull();
    const received = await updates();
    expect(received.at(-1).message.reply_to_message).toMatchObject({ text: 'yes?', from: { id: 123456 } });
  });

  it('shows every group message to a bot without privacy mode', async () => {
    await telegram.registerBot({ token: '77:open', username: 'open_bot', privacy: false });
    const posted = await telegram.userMessage({ token: '77:open', chat: group, from: 6, text: 'just talk' });
    expect(posted.update_id).not.toBeNull();
    expect((await callBot(telegram.url, '77:open', 'getMe')).result.can_read_all_group_messages).toBe(true);
  });

  it('marks topic messages of a forum and shows them as replies to the topic', async () => {
    await telegram.userMessage({ token, chat: forum, from: 6, text: '/ask', thread: 40 });
    const [{ message }] = await updates();
    expect(message).toMatchObject({ message_thread_id: 40, is_topic_message: true });
    expect(message.reply_to_message).toMatchObject({ message_id: 40, forum_topic_created: { name: 'Topic 40' } });
    const { result } = await call('sendMessage', { chat_id: forum.id, text: 'here', message_thread_id: 40 });
    expect(result).toMatchObject({ message_thread_id: 40, is_topic_message: true });
  });

  it('refuses an unknown topic and the number of the general one', async () => {
    await telegram.userMessage({ token, chat: forum, from: 6, text: '/ask', thread: 40 });
    for (const message_thread_id of [1, 41]) {
      const answer = await call('sendMessage', { chat_id: forum.id, text: 'x', message_thread_id });
      expect(answer).toMatchObject({ status: 400, description: 'Bad Request: message thread not found' });
    }
  });

  it('gives reply chains of an ordinary supergroup a thread id that is no topic', async () => {
    const chat = { id: -1_000_000_000_400 };
    const first = await telegram.userMessage({ token, chat, from: 6, text: '/one' });
    await telegram.userMessage({ token, chat, from: 6, text: '/two', replyTo: first.message_id });
    const [, { message }] = await updates();
    expect(message.message_thread_id).toBe(first.message_id);
    expect(message.is_topic_message).toBeUndefined();
  });

  it('tells the bot about an edit and keeps both texts', async () => {
    const { message_id } = await telegram.userMessage({ token, chat: 5, from: 5, text: 'helo' });
    await telegram.editMessage({ token, chat: 5, message_id, text: 'hello' });
    const [, edited] = await updates();
    expect(edited.edited_message).toMatchObject({ message_id, text: 'hello' });
    expect(edited.edited_message.edit_date).toBeTypeOf('number');
    const [message] = (await telegram.transcript(token, 5)).messages;
    expect(message).toMatchObject({ original: 'helo', text: 'hello', edits: [{ text: 'hello' }] });
  });

  it('carries a button press, which can be answered once', async () => {
    await telegram.userMessage({ token, chat: 5, from: 5, text: 'menu' });
    const reply_markup = { inline_keyboard: [[{ text: 'Yes', callback_data: 'yes' }]] };
    const { result } = await call('sendMessage', { chat_id: 5, text: 'sure?', reply_markup });
    const { id } = await telegram.click({ token, chat: 5, from: 5, message_id: result.message_id, data: 'yes' });
    const query = (await updates()).at(-1).callback_query;
    expect(query).toMatchObject({ id, data: 'yes', message: { text: 'sure?' } });
    expect((await call('answerCallbackQuery', { callback_query_id: id })).result).toBe(true);
    expect((await call('answerCallbackQuery', { callback_query_id: id })).description).toContain('query is too old');
  });

  it('shows typing for five seconds, prolongs it, and ends it with the message', async () => {
    await telegram.userMessage({ token, chat: 5, from: 5, text: 'hi' });
    await call('sendChatAction', { chat_id: 5, action: 'typing' });
    await telegram.advanceClock(4000);
    await call('sendChatAction', { chat_id: 5, action: 'typing' });
    await telegram.advanceClock(1000);
    const { result } = await call('sendMessage', { chat_id: 5, text: 'done' });
    await telegram.advanceClock(60_000);
    await call('sendChatAction', { chat_id: 5, action: 'typing' });
    const { messages, typing } = await telegram.transcript(token, 5);
    const sent = messages.find(({ message_id }) => message_id === result.message_id);
    expect(typing).toHaveLength(2);
    expect(typing[0]?.until).toBe(sent?.at);
    expect((typing[1]?.until ?? 0) - (typing[1]?.from ?? 0)).toBe(5000);
    expect((await call('sendChatAction', { chat_id: 5, action: 'dance' })).description).toBe(
      'Bad Request: wrong parameter action in request',
    );
  });
});

async function untilParked(): Promise<void> {
  for (;;) {
    const polls = await telegram.calls({ token, method: 'getUpdates' });
    if (polls.some(({ outcome }) => outcome === 'pending')) return;
  }
}
