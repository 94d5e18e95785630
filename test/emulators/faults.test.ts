import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { callBot } from './call-bot.ts';
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
  await telegram.userMessage({ token, chat: 5, from: 5, text: 'hello' });
});

const send = (text: string, signal?: AbortSignal) =>
  callBot(telegram.url, token, 'sendMessage', { chat_id: 5, text }, signal);
const botTexts = async () => {
  const { messages } = await telegram.transcript(token, 5);
  return messages.filter(({ from }) => from === 'bot').map(({ text }) => text);
};
const lastSend = async () => (await telegram.calls({ method: 'sendMessage' })).at(-1);

describe('a fault', () => {
  it('drop-before cuts the connection without effect', async () => {
    await telegram.addFault({ match: { method: 'sendMessage' }, action: 'drop-before' });
    await expect(send('lost')).rejects.toThrow('fetch failed');
    expect(await botTexts()).toEqual([]);
    expect(await lastSend()).toMatchObject({ outcome: 'dropped', fault: 'drop-before', processed: false });
  });

  it('drop-after cuts the connection after the effect, so that a blind retry makes a duplicate', async () => {
    await telegram.addFault({ match: { method: 'sendMessage' }, action: 'drop-after' });
    await expect(send('twice')).rejects.toThrow('fetch failed');
    expect(await lastSend()).toMatchObject({ outcome: 'dropped', processed: true, messageId: 2 });
    await send('twice');
    expect(await botTexts()).toEqual(['twice', 'twice']);
  });

  it('drop-after on a poll loses the answer but not the update', async () => {
    await telegram.addFault({ match: { method: 'getUpdates' }, action: 'drop-after' });
    await expect(callBot(telegram.url, token, 'getUpdates', { offset: 1 })).rejects.toThrow('fetch failed');
    expect((await callBot(telegram.url, token, 'getUpdates', { offset: 1 })).result).toHaveLength(1);
  });

  it.each([
    [false, []],
    [true, ['silence']],
  ])('half-open never answers (with effect: %s)', async (process, expected) => {
    await telegram.addFault({ match: { method: 'sendMessage' }, action: 'half-open', process });
    await expect(send('silence', AbortSignal.timeout(150))).rejects.toThrow();
    expect(await botTexts()).toEqual(expected);
    await vi.waitFor(async () => expect(await lastSend()).toMatchObject({ outcome: 'aborted', fault: 'half-open' }));
  });

  it.each([
    ['before', 1],
    ['after', 0],
  ] as const)('slow has its effect %s the delay', async (effect, sentMeanwhile) => {
    await telegram.addFault({ match: { method: 'sendMessage' }, action: 'slow', delayMs: 60_000, effect });
    const sending = send('slowly');
    await vi.waitFor(async () => expect(await lastSend()).toMatchObject({ outcome: 'pending' }));
    expect(await botTexts()).toHaveLength(sentMeanwhile);
    await telegram.advanceClock(60_001);
    expect((await sending).status).toBe(200);
    expect(await botTexts()).toEqual(['slowly']);
  });

  it("status answers in the platform's envelope, or as a proxy's HTML page", async () => {
    await telegram.addFault({ match: { method: 'sendMessage' }, action: 'status', status: 500 });
    expect(await send('x')).toMatchObject({ status: 500, ok: false, description: 'Internal Server Error' });
    await telegram.addFault({ action: 'status', status: 502, html: true, headers: { server: 'nginx' } });
    const response = await fetch(`${telegram.url}/bot${token}/getMe`);
    expect(response.status).toBe(502);
    expect(response.headers.get('server')).toBe('nginx');
    expect(await response.text()).toContain('<h1>502</h1>');
    expect(await botTexts()).toEqual([]);
  });

  it('status with process hides an effect behind a gateway error', async () => {
    await telegram.addFault({ match: { method: 'sendMessage' }, action: 'status', status: 504, process: true });
    expect((await send('done anyway')).status).toBe(504);
    expect(await botTexts()).toEqual(['done anyway']);
    expect(await lastSend()).toMatchObject({ outcome: 504, processed: true });
  });

  it('429 and 409 speak the exact texts', async () => {
    await telegram.addFault({ match: { method: 'sendMessage' }, action: '429', retryAfter: 7 });
    const refused = await send('x');
    expect(refused).toMatchObject({
      status: 429,
      description: 'Too Many Requests: retry after 7',
      parameters: { retry_after: 7 },
    });
    expect(refused.headers.get('retry-after')).toBe('7');
    await telegram.addFault({ match: { method: 'getUpdates' }, action: '409' });
    expect((await callBot(telegram.url, token, 'getUpdates')).description).toContain('terminated by other getUpdates');
  });

  it('malformed-json and truncate-body have their effect and spoil the answer', async () => {
    await telegram.addFault({ match: { contains: 'broken' }, action: 'malformed-json' });
    await expect(send('broken')).rejects.toThrow(SyntaxError);
    await telegram.addFault({ match: { contains: 'cut' }, action: 'truncate-body' });
    await expect(send('cut')).rejects.toThrow('terminated');
    expect(await botTexts()).toEqual(['broken', 'cut']);
  });
});

describe('a fault rule', () => {
  const statuses = async (texts: string[]) => {
    const seen: number[] = [];
    for (const text of texts) seen.push((await send(text)).status);
    return seen;
  };

  it('hits once by default, or as often as times says', async () => {
    await telegram.addFault({ match: { method: 'sendmessage' }, action: 'status', status: 500 });
    expect(await statuses(['a', 'b'])).toEqual([500, 200]);
    await telegram.addFault({ match: { method: 'sendMessage' }, action: 'status', status: 500, times: 2 });
    expect(await statuses(['a', 'b', 'c'])).toEqual([500, 500, 200]);
    await telegram.addFault({ match: { method: 'sendMessage' }, action: 'status', status: 503, times: -1 });
    expect(await statuses(['a', 'b', 'c'])).toEqual([503, 503, 503]);
    await telegram.clearFaults();
    expect(await statuses(['a'])).toEqual([200]);
  });

  it('can wait for the nth match, one chat, one text or one token', async () => {
    await telegram.addFault({ match: { method: 'sendMessage', nth: 2 }, action: 'status', status: 500 });
    expect(await statuses(['a', 'b', 'c'])).toEqual([200, 500, 200]);
    await telegram.addFault({ match: { chat: 6 }, action: 'status', status: 500 });
    await telegram.addFault({ match: { contains: 'needle' }, action: 'status', status: 501 });
    await telegram.addFault({ match: { token: '77:other' }, action: 'status', status: 502 });
    expect(await statuses(['hay', 'a needle', 'hay'])).toEqual([200, 501, 200]);
    expect((await callBot(telegram.url, token, 'sendChatAction', { chat_id: 6, action: 'typing' })).status).toBe(500);
  });

  it('with a mistake in it is refused, so that no test passes for want of its fault', async () => {
    const post = (rule: object) =>
      fetch(`${telegram.url}/__/faults`, { method: 'POST', body: JSON.stringify(rule) }).then(({ status }) => status);
    expect(await post({ action: 'explode' })).toBe(400);
    expect(await post({ action: 'slow', dealyMs: 5 })).toBe(400);
    expect(await post({ action: 'slow', match: { methods: 'x' } })).toBe(400);
    expect(await post({ action: 'status' })).toBe(400);
  });
});
