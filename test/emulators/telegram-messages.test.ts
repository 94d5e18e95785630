import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { callBot } from './call-bot.ts';
import { startTelegramEmulator, type TelegramEmulator } from './start.ts';

const token = '123456:ABC-def_1';
const chat = 5;
let telegram: TelegramEmulator;

beforeAll(async () => {
  telegram = await startTelegramEmulator();
});
afterAll(() => telegram.stop());
beforeEach(async () => {
  await telegram.reset();
  await telegram.registerBot({ token, username: 'helper_bot' });
  await telegram.userMessage({ token, chat, from: chat, text: 'hello' });
});

const call = (method: string, params?: object) => callBot(telegram.url, token, method, params);
const send = (text: string, more: object = {}) => call('sendMessage', { chat_id: chat, text, ...more });

describe('sendMessage', () => {
  it('numbers messages per chat and returns them as the Bot API does', async () => {
    const { result } = await send('hi');
    expect(result).toMatchObject({
      message_id: 2,
      text: 'hi',
      chat: { id: chat, type: 'private' },
      from: { id: 123456, is_bot: true },
    });
    await telegram.userMessage({ token, chat: 6, from: 6, text: 'hello' });
    expect((await call('sendMessage', { chat_id: '6', text: 'hi' })).result.message_id).toBe(2);
  });

  it.each([
    ['an unknown chat', { chat_id: 404, text: 'x' }, 'Bad Request: chat not found'],
    ['no chat', { text: 'x' }, 'Bad Request: chat_id is empty'],
    ['no text', { chat_id: chat, text: '' }, 'Bad Request: message text is empty'],
    ['only blank text', { chat_id: chat, text: ' \n ' }, 'Bad Request: text must be non-empty'],
    ['too much text', { chat_id: chat, text: 'a'.repeat(4097) }, 'Bad Request: message is too long'],
    ['an unknown mode', { chat_id: chat, text: 'x', parse_mode: 'XML' }, 'Bad Request: unsupported parse_mode'],
    [
      'a topic where there are none',
      { chat_id: chat, text: 'x', message_thread_id: 3 },
      'Bad Request: message thread not found',
    ],
    [
      'a missing message to reply to',
      { chat_id: chat, text: 'x', reply_parameters: { message_id: 99 } },
      'Bad Request: message to be replied not found',
    ],
  ])('refuses %s', async (_what, params, description) => {
    expect(await call('sendMessage', params)).toMatchObject({ status: 400, ok: false, description });
  });

  it('counts code points after the markup was taken out', async () => {
    expect((await send('🏟'.repeat(4096))).status).toBe(200);
    expect((await send(`<b>${'a'.repeat(4096)}</b>`, { parse_mode: 'HTML' })).status).toBe(200);
    expect((await send(`<b>${'a'.repeat(4097)}</b>`, { parse_mode: 'HTML' })).status).toBe(400);
  });

  it('sends without the reply when that is allowed', async () => {
    const { result } = await send('x', { reply_parameters: { message_id: 99, allow_sending_without_reply: true } });
    expect(result.reply_to_message).toBeUndefined();
  });

  it('is forbidden while the person blocks the bot', async () => {
    await telegram.block(token, chat);
    expect(await send('x')).toMatchObject({ status: 403, description: 'Forbidden: bot was blocked by the user' });
    await telegram.block(token, chat, false);
    const [, blocked, unblocked] = (await call('getUpdates')).result;
    expect(blocked.my_chat_member).toMatchObject({ new_chat_member: { status: 'kicked' }, chat: { id: chat } });
    expect(unblocked.my_chat_member).toMatchObject({ new_chat_member: { status: 'member' } });
    expect((await send('x')).status).toBe(200);
  });

  it('is forbidden in a group that threw the bot out', async () => {
    await telegram.userMessage({ token, chat: -9, from: 5, text: '/hi' });
    await telegram.block(token, -9);
    const answer = await call('sendMessage', { chat_id: -9, text: 'x' });
    expect(answer).toMatchObject({ status: 403, description: 'Forbidden: bot was kicked from the group chat' });
  });

  it('is forbidden to an account that is gone', async () => {
    await telegram.deactivate(token, chat);
    expect(await send('x')).toMatchObject({ status: 403, description: 'Forbidden: user is deactivated' });
  });

  it('reaches a chat in which nobody wrote yet', async () => {
    await telegram.createChat(token, { id: 8 });
    expect((await call('sendMessage', { chat_id: 8, text: 'first' })).result.message_id).toBe(1);
  });

  it('names the supergroup that a group became', async () => {
    await telegram.userMessage({ token, chat: -9, from: 5, text: '/hi' });
    await telegram.migrateGroup(token, -9, -1_000_000_000_009);
    expect(await call('sendMessage', { chat_id: -9, text: 'x' })).toMatchObject({
      status: 400,
      description: 'Bad Request: group chat was upgraded to a supergroup chat',
      parameters: { migrate_to_chat_id: -1_000_000_000_009 },
    });
    expect((await call('sendMessage', { chat_id: -1_000_000_000_009, text: 'x' })).status).toBe(200);
    const { result } = await call('getUpdates', { offset: -2 });
    expect(result).toMatchObject([
      { message: { chat: { id: -9 }, migrate_to_chat_id: -1_000_000_000_009 } },
      { message: { chat: { id: -1_000_000_000_009, type: 'supergroup' }, migrate_from_chat_id: -9 } },
    ]);
  });

  it('stores what a person sees next to what the bot sent', async () => {
    await send('  <b>bold</b> &amp; plain ', { parse_mode: 'HTML' });
    const { messages } = await telegram.transcript(token, chat);
    expect(messages[1]).toMatchObject({
      from: 'bot',
      text: 'bold & plain',
      raw: '  <b>bold</b> &amp; plain ',
      parseMode: 'HTML',
    });
  });
});

describe('the HTML reader', () => {
  const html = (text: string) => send(text, { parse_mode: 'HTML' });

  // Texts and offsets of the first six are those of the real server's own tests.
  it.each([
    ['🏟 🏟&lt;<abac>', 'Unsupported start tag "abac" at byte offset 13'],
    ['🏟 🏟&lt;<i   =aba>', 'Empty attribute name in the tag "i" at byte offset 13'],
    ['🏟 🏟&lt;<i    aba>', 'Can\'t find end tag corresponding to start tag "i"'],
    ['🏟 🏟&lt;<i    aba  =  190azAz-.,', 'Unexpected end of name token at byte offset 27'],
    ['🏟 🏟&lt;<i>a</i   ', 'Unclosed end tag at byte offset 17'],
    ['🏟 🏟&lt;<i>a</em   >', 'Unmatched end tag at byte offset 17, expected "</i>", found "</em>"'],
    ['<b>a', 'Can\'t find end tag corresponding to start tag "b"'],
    ['a</b>', 'Unexpected end tag at byte offset 1'],
    ['1 < 2', 'Unsupported start tag "" at byte offset 2'],
    ['x<b', 'Unclosed start tag at byte offset 1'],
    ['<span>x</span>', 'Tag "span" must have class "tg-spoiler" at byte offset 0'],
  ])('refuses %j', async (text, reason) => {
    expect(await html(text)).toMatchObject({
      status: 400,
      description: `Bad Request: can't parse entities: ${reason}`,
    });
  });

  it('finds nested entities, links and code with a language', async () => {
    const { result } = await html(
      '<b>a<i>b</i></b> <a href="https://example.org/?a=1&amp;b=2">link</a> <pre><code class="language-ts">x &lt; y</code></pre>',
    );
    expect(result.text).toBe('ab link x < y');
    expect(result.entities).toEqual([
      { type: 'bold', offset: 0, length: 2 },
      { type: 'italic', offset: 1, length: 1 },
      { type: 'text_link', offset: 3, length: 4, url: 'https://example.org/?a=1&b=2' },
      { type: 'pre', offset: 8, length: 5, language: 'ts' },
    ]);
  });
});

describe('the Markdown readers', () => {
  const markdown = (text: string) => send(text, { parse_mode: 'MarkdownV2' });

  // Texts and offsets of the first eight are those of the real server's own tests.
  it.each([
    ['🏟 🏟_abacaba', "Can't find end of Italic entity at byte offset 9"],
    ['🏟 🏟_abac * asd ', "Can't find end of Bold entity at byte offset 15"],
    ['🏟 🏟`', "Can't find end of Code entity at byte offset 9"],
    ['🏟 🏟```', "Can't find end of Pre entity at byte offset 9"],
    ['🏟 🏟```a ', "Can't find end of PreCode entity at byte offset 9"],
    ['🏟 🏟__🏟 🏟_', "Can't find end of Italic entity at byte offset 20"],
    ['🏟 🏟_🏟 🏟__', "Can't find end of Underline entity at byte offset 19"],
    ['🏟 🏟_abac * asd _', "Can't find end of Italic entity at byte offset 21"],
    ['1. one', "Character '.' is reserved and must be escaped with the preceding '\\'"],
    ['a > b', "Character '>' is reserved and must be escaped with the preceding '\\'"],
    ['well!', "Character '!' is reserved and must be escaped with the preceding '\\'"],
    ['[a](http://x', "Can't find end of a URL at byte offset 4"],
  ])('refuse %j', async (text, reason) => {
    const answer = await markdown(text);
    expect(answer).toMatchObject({ status: 400, description: `Bad Request: can't parse entities: ${reason}` });
  });

  it('find entities, escapes, quotes and code', async () => {
    const { result } = await markdown('*b _i_* 1\\. ||s|| [l](http://example.org/)\n>q\n```js\nx.y\n```');
    expect(result.text).toBe('b i 1. s l\nq\nx.y');
    expect(result.entities).toEqual([
      { type: 'bold', offset: 0, length: 3 },
      { type: 'italic', offset: 2, length: 1 },
      { type: 'spoiler', offset: 7, length: 1 },
      { type: 'text_link', offset: 9, length: 1, url: 'http://example.org/' },
      { type: 'blockquote', offset: 11, length: 2 },
      { type: 'pre', offset: 13, length: 3, language: 'js' },
    ]);
  });

  it('read the old mode, too', async () => {
    const { result } = await send('*b* _i_ \\*x', { parse_mode: 'Markdown' });
    expect(result).toMatchObject({ text: 'b i *x', entities: [{ type: 'bold' }, { type: 'italic' }] });
    const answer = await send('a *b', { parse_mode: 'Markdown' });
    expect(answer.description).toContain("Can't find end of the entity starting at byte offset 2");
  });
});

describe('changing messages', () => {
  it('edits an own message and remembers every text', async () => {
    const { result } = await send('one');
    const edit = (text: string) => call('editMessageText', { chat_id: chat, message_id: result.message_id, text });
    expect((await edit('two')).result).toMatchObject({ text: 'two', edit_date: expect.any(Number) });
    await edit('three');
    const { messages } = await telegram.transcript(token, chat);
    expect(messages[1]).toMatchObject({ original: 'one', text: 'three' });
    expect(messages[1]?.edits.map(({ text }) => text)).toEqual(['two', 'three']);
    expect(await edit('three')).toMatchObject({
      status: 400,
      description: expect.stringMatching(/^Bad Request: message is not modified: specified new message content/),
    });
  });

  it("refuses to edit what is not there or not the bot's", async () => {
    const edit = (message_id: number) => call('editMessageText', { chat_id: chat, message_id, text: 'x' });
    expect((await edit(99)).description).toBe('Bad Request: message to edit not found');
    expect((await edit(1)).description).toBe("Bad Request: message can't be edited");
  });

  it('deletes a message once, and never after 48 hours', async () => {
    const { result } = await send('one');
    const { result: old } = await send('two');
    const remove = (message_id: number) => call('deleteMessage', { chat_id: chat, message_id });
    expect((await remove(result.message_id)).result).toBe(true);
    expect((await remove(result.message_id)).description).toBe('Bad Request: message to delete not found');
    await telegram.advanceClock(49 * 3_600_000);
    expect((await remove(old.message_id)).description).toBe("Bad Request: message can't be deleted");
    const { messages } = await telegram.transcript(token, chat);
    expect(messages.map(({ deleted }) => deleted ?? false)).toEqual([false, true, false]);
  });

  it('limits the flood only when told to, and says how long to wait', async () => {
    await telegram.setLimits({ perChatPerSecond: 1 }, token);
    expect((await send('one')).status).toBe(200);
    const refused = await send('two');
    expect(refused).toMatchObject({
      status: 429,
      description: 'Too Many Requests: retry after 1',
      parameters: { retry_after: 1 },
    });
    expect(refused.headers.get('retry-after')).toBe('1');
    await telegram.advanceClock(1001);
    expect((await send('three')).status).toBe(200);
  });

  it('limits groups per minute', async () => {
    await telegram.userMessage({ token, chat: -9, from: 5, text: '/hi' });
    await telegram.setLimits({ perGroupPerMinute: 2 });
    const toGroup = () => call('sendMessage', { chat_id: -9, text: 'x' });
    expect([(await toGroup()).status, (await toGroup()).status]).toEqual([200, 200]);
    expect((await toGroup()).parameters?.retry_after).toBeGreaterThan(55);
    expect((await send('private is free')).status).toBe(200);
  });

  it('takes drafts in private chats only and leaves no message', async () => {
    expect((await call('sendMessageDraft', { chat_id: chat, draft_id: 1, text: 'thinking' })).result).toBe(true);
    expect((await call('sendMessageDraft', { chat_id: chat, draft_id: 0, text: 'x' })).status).toBe(400);
    const { messages, drafts } = await telegram.transcript(token, chat);
    expect(messages).toHaveLength(1);
    expect(drafts).toMatchObject([{ draftId: 1, text: 'thinking' }]);
  });

  it('stores commands, reactions and tells about chats', async () => {
    const commands = [{ command: 'start', description: 'Begin' }];
    expect((await call('setMyCommands', { commands })).result).toBe(true);
    expect((await call('getMyCommands')).result).toEqual(commands);
    expect((await call('setMyCommands', { commands: [{ command: 'No!', description: 'x' }] })).status).toBe(400);
    const reaction = [{ type: 'emoji', emoji: '👀' }];
    expect((await call('setMessageReaction', { chat_id: chat, message_id: 1, reaction })).result).toBe(true);
    expect((await call('getChat', { chat_id: chat })).result).toMatchObject({ id: chat, type: 'private' });
    expect((await call('getChatMember', { chat_id: chat, user_id: chat })).result.status).toBe('member');
  });
});
