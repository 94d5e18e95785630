import { Api, Bot, GrammyError, HttpError } from 'grammy';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { startTelegramEmulator, type TelegramEmulator } from './start.ts';

const token = '123456:ABC-def_1';
let telegram: TelegramEmulator;

beforeAll(async () => {
  telegram = await startTelegramEmulator();
});
afterAll(() => telegram.stop());
beforeEach(async () => {
  await telegram.reset();
  await telegram.registerBot({ token, username: 'helper_bot' });
});

const createApi = () => new Api(token, { apiRoot: telegram.url });

describe('the real grammY client', () => {
  it('reads and writes through its Api', async () => {
    const api = createApi();
    expect((await api.getMe()).username).toBe('helper_bot');
    const { message_id } = await telegram.userMessage({ token, chat: 5, from: 5, text: 'hello' });
    const [update] = await api.getUpdates({ offset: 0, timeout: 1, allowed_updates: ['message'] });
    expect(update?.message?.text).toBe('hello');
    await api.sendChatAction(5, 'typing');
    const sent = await api.sendMessage(5, '<b>hi</b>', { parse_mode: 'HTML', reply_parameters: { message_id } });
    expect(sent).toMatchObject({ text: 'hi', reply_to_message: { text: 'hello' } });
    await api.editMessageText(5, sent.message_id, 'hi again');
    await api.deleteMessage(5, sent.message_id);
    const { messages } = await telegram.transcript(token, 5);
    expect(messages.map(({ text }) => text)).toEqual(['hello', 'hi again']);
  });

  it('sees definite answers as GrammyError and unknown outcomes as HttpError', async () => {
    const api = createApi();
    const refused = await api.sendMessage(404, 'x').catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(GrammyError);
    expect(refused).toMatchObject({ error_code: 400, description: 'Bad Request: chat not found' });
    await telegram.addFault({ match: { method: 'getMe' }, action: '429', retryAfter: 3 });
    expect(await api.getMe().catch((error: unknown) => error)).toMatchObject({ parameters: { retry_after: 3 } });
    await telegram.addFault({ match: { method: 'getMe' }, action: 'drop-after' });
    expect(await api.getMe().catch((error: unknown) => error)).toBeInstanceOf(HttpError);
    await telegram.addFault({ match: { method: 'getMe' }, action: 'status', status: 502, html: true });
    expect(await api.getMe().catch((error: unknown) => error)).toBeInstanceOf(HttpError);
  });

  it('runs a bot from start to stop without two polls at once', async () => {
    const bot = new Bot(token, { client: { apiRoot: telegram.url } });
    bot.on('message:text', async (context) => {
      await context.reply(`echo: ${context.message.text}`);
    });
    const running = bot.start();
    await vi.waitFor(() => expect(bot.isRunning()).toBe(true));
    for (const text of ['one', 'two', 'three']) await telegram.userMessage({ token, chat: 5, from: 5, text });
    await vi.waitFor(async () => {
      const { messages } = await telegram.transcript(token, 5);
      const replies = messages.filter(({ from }) => from === 'bot').map(({ text }) => text);
      expect(replies).toEqual(['echo: one', 'echo: two', 'echo: three']);
    });
    await bot.stop();
    await running;
    expect(await telegram.pendingUpdates(token)).toEqual([]);
    const polls = await telegram.calls({ method: 'getUpdates' });
    expect(polls.every(({ pollsInFlight }) => pollsInFlight === 1)).toBe(true);
  });

  it('gives up on a conflict when two bots poll with one token', async () => {
    const first = new Bot(token, { client: { apiRoot: telegram.url } });
    const ending = first.start().catch((error: unknown) => error);
    await vi.waitFor(async () => expect(await telegram.calls({ method: 'getUpdates' })).toHaveLength(1));
    const second = new AbortController();
    const stealing = createApi()
      .getUpdates({ offset: 1, timeout: 30 }, second.signal as never)
      .catch(() => undefined);
    expect(await ending).toMatchObject({ error_code: 409 });
    second.abort();
    await stealing;
  });
});
