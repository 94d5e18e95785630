import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { callBot } from './call-bot.ts';
import { startTelegramEmulator, type TelegramEmulator } from './start.ts';

interface Arrival {
  readonly headers: IncomingHttpHeaders;
  readonly update: { update_id: number; message: { text: string; chat: { id: number } } };
}
interface Answer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

const token = '123456:ABC-def_1';
let telegram: TelegramEmulator;
let server: Server;
let hook: string;
let arrivals: Arrival[];
let answer: (arrival: Arrival) => Answer;

beforeAll(async () => {
  telegram = await startTelegramEmulator();
});
afterAll(() => telegram.stop());
beforeEach(async () => {
  arrivals = [];
  answer = () => ({ status: 200 });
  server = createServer((req, res) => {
    let body = '';
    req.on('data', (part: Buffer) => {
      body += part.toString();
    });
    req.on('end', () => {
      const arrival: Arrival = { headers: req.headers, update: JSON.parse(body) };
      arrivals.push(arrival);
      const { status, headers, body: text } = answer(arrival);
      res.writeHead(status, { 'content-type': 'application/json', ...headers });
      res.end(text ?? '');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  hook = `http://127.0.0.1:${port}/hook`;
  await telegram.reset();
  await telegram.registerBot({ token, username: 'helper_bot' });
});
afterEach(async () => {
  await telegram.reset();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const call = (method: string, params?: object) => callBot(telegram.url, token, method, params);
const write = (text: string, chat = 5) => telegram.userMessage({ token, chat, from: 5, text });
const texts = () => arrivals.map(({ update }) => update.message.text);

describe('a webhook', () => {
  it('gets every update with the secret header', async () => {
    expect((await call('setWebhook', { url: hook, secret_token: 's3cret_-' })).result).toBe(true);
    const { update_id } = await write('hello');
    await vi.waitFor(() => expect(arrivals).toHaveLength(1));
    expect(arrivals[0]?.headers['x-telegram-bot-api-secret-token']).toBe('s3cret_-');
    expect(arrivals[0]?.update).toMatchObject({ update_id, message: { text: 'hello' } });
    await vi.waitFor(async () => expect(await telegram.pendingUpdates(token)).toEqual([]));
  });

  it('gets what was waiting when it is set, and drops it when asked', async () => {
    await write('early');
    await call('setWebhook', { url: hook });
    await vi.waitFor(() => expect(texts()).toEqual(['early']));
    await call('deleteWebhook');
    await write('later');
    await call('deleteWebhook', { drop_pending_updates: true });
    expect(await telegram.pendingUpdates(token)).toEqual([]);
  });

  it('turns getUpdates away, and ends a parked one', async () => {
    const parked = call('getUpdates', { timeout: 30 });
    await vi.waitFor(async () => expect(await telegram.calls({ method: 'getUpdates' })).toHaveLength(1));
    await call('setWebhook', { url: hook });
    expect(await parked).toMatchObject({ status: 409, description: 'Conflict: terminated by setWebhook request' });
    await telegram.advanceClock(3001);
    expect(await call('getUpdates')).toMatchObject({
      status: 409,
      description:
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
    });
  });

  it('keeps the order of a chat while one update is refused, and lets other chats pass', async () => {
    let refusals = 2;
    answer = ({ update }) => {
      if (update.message.text !== 'one' || refusals === 0) return { status: 200 };
      refusals -= 1;
      return { status: 500 };
    };
    await call('setWebhook', { url: hook });
    await write('one');
    await write('two');
    await write('other chat', 6);
    await vi.waitFor(() => expect(texts().filter((text) => text === 'one')).toHaveLength(2));
    await vi.waitFor(() => expect(texts()).toContain('other chat'));
    expect(texts()).not.toContain('two');
    expect((await call('getWebhookInfo')).result).toMatchObject({
      url: hook,
      pending_update_count: 2,
      last_error_message: 'Wrong response from the webhook: 500',
    });
    await telegram.advanceClock(2001);
    await vi.waitFor(() =>
      expect(texts().filter((text) => text !== 'other chat')).toEqual(['one', 'one', 'one', 'two']),
    );
  });

  it('waits as long as Retry-After says', async () => {
    answer = () => (arrivals.length === 1 ? { status: 503, headers: { 'retry-after': '100' } } : { status: 200 });
    await call('setWebhook', { url: hook });
    await write('one');
    await vi.waitFor(async () => expect(await telegram.deliveries(token)).toHaveLength(1));
    await telegram.advanceClock(99_000);
    expect(arrivals).toHaveLength(1);
    await telegram.advanceClock(1500);
    await vi.waitFor(() => expect(arrivals).toHaveLength(2));
    await vi.waitFor(async () =>
      expect((await telegram.deliveries(token)).map(({ outcome }) => outcome)).toEqual([503, 200]),
    );
  });

  it('waits an hour at most, whatever Retry-After says', async () => {
    answer = () => (arrivals.length === 1 ? { status: 503, headers: { 'retry-after': '80000' } } : { status: 200 });
    await call('setWebhook', { url: hook });
    await write('one');
    await vi.waitFor(async () => expect(await telegram.deliveries(token)).toHaveLength(1));
    await telegram.advanceClock(3_590_000);
    expect(arrivals).toHaveLength(1);
    await telegram.advanceClock(11_000);
    await vi.waitFor(() => expect(arrivals).toHaveLength(2));
  });

  it('may answer with a method call', async () => {
    answer = () => ({ status: 200, body: JSON.stringify({ method: 'sendMessage', chat_id: 5, text: 'pong' }) });
    await call('setWebhook', { url: hook });
    await write('ping');
    await vi.waitFor(async () => {
      const { messages } = await telegram.transcript(token, 5);
      expect(messages.map(({ text }) => text)).toEqual(['ping', 'pong']);
    });
  });

  it('can be set once a second, needs a clean secret and a real address', async () => {
    expect((await call('setWebhook', { url: 'nowhere' })).description).toBe(
      'Bad Request: invalid webhook URL specified',
    );
    expect((await call('setWebhook', { url: hook, secret_token: 'no spaces' })).status).toBe(400);
    expect((await call('setWebhook', { url: hook })).status).toBe(200);
    expect(await call('setWebhook', { url: hook })).toMatchObject({ status: 429, parameters: { retry_after: 1 } });
    await telegram.advanceClock(1001);
    expect((await call('setWebhook', { url: '' })).result).toBe(true);
    expect((await call('getWebhookInfo')).result.url).toBe('');
  });
});
