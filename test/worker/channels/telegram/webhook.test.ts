import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createRedactor } from '../../../../lib/redact.ts';
import { createApp } from '../../../../worker/app.ts';
import { webhookRoutes } from '../../../../worker/routes/webhook.ts';
import { callBot } from '../../../emulators/call-bot.ts';
import { startTelegramEmulator, type TelegramEmulator } from '../../../emulators/start.ts';
import { createConfig } from '../../assembled-gateway.ts';
import { createRecordingLog } from '../../recording-log.ts';
import { createSecret, startLeaseProcess } from '../lease-holders.ts';
import { createSession, NEVER, type Session } from './harness.ts';

const SECRET = 'the-secret-of-the-webhook';

type Pushed = Session & { url: string; push(body: unknown, secret?: string): Promise<number> };

let telegram: TelegramEmulator;
let closing: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  telegram = await startTelegramEmulator();
});
afterAll(() => telegram.stop());
beforeEach(() => telegram.clearFaults());
afterEach(async () => {
  await Promise.all(closing.map((close) => close()));
  closing = [];
});

/** A session whose messages are pushed to a real HTTP application; nothing is started yet. */
async function begin(more: Parameters<typeof createSession>[1] = {}): Promise<Pushed> {
  let listener: RequestListener = (_request, response) => response.end();
  const server = createServer((request, response) => listener(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/webhook/telegram`;
  const account = { webhook: { url, readSecret: () => SECRET }, ...more.account };
  const session = await createSession(telegram, { ...more, account });
  listener = createApp({
    routes: webhookRoutes({
      config: createConfig(),
      registry: {
        has: () => true,
        takesHttp: () => true,
        receiveHttp: (_channel, request) => session.channel.receiveHttp(request),
      },
      inbound: { receive: async () => [] },
    }),
    credential: { mode: 'token', secret: 'canary-of-the-gateway', source: 'test' },
    gateway: createConfig().gateway,
    redactor: createRedactor(),
    log: createRecordingLog().log,
  }).callback();
  closing.push(async () => {
    await session.channel.stop();
    server.closeAllConnections();
    server.close();
  });
  const push = async (body: unknown, secret = SECRET): Promise<number> => {
    const headers = { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': secret };
    return (await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })).status;
  };
  return Object.assign(session, { url, push });
}

async function beginStarted(more: Parameters<typeof createSession>[1] = {}): Promise<Pushed> {
  const session = await begin(more);
  await session.channel.start(NEVER);
  await expect.poll(() => state(session)).toBe('up');
  return session;
}

const say = ({ token }: Session, text: string) => telegram.userMessage({ token, chat: 42, from: 42, text });
const state = (session: Session) => session.channel.status()[0]?.state;
const callsOf = ({ token }: Session, method: string) => telegram.calls({ token, method });
const outcomes = async ({ token }: Session) => (await telegram.deliveries(token)).map(({ outcome }) => outcome);
const update = (id: number, text: string) => ({
  update_id: id,
  message: { message_id: id, date: 1, chat: { id: 42, type: 'private' }, from: { id: 42, first_name: 'Ada' }, text },
});

describe('an account with a webhook', () => {
  it('sets it with its secret, drops nothing that waits, and polls for nothing', async () => {
    const session = await begin();
    await say(session, 'waiting');
    await session.channel.start(NEVER);
    await expect.poll(session.texts).toEqual(['waiting']);
    await say(session, 'hello');
    await expect.poll(session.texts).toEqual(['waiting', 'hello']);
    expect((await callsOf(session, 'setWebhook')).map(({ params }) => params)).toEqual([
      {
        url: session.url,
        secret_token: SECRET,
        allowed_updates: ['message', 'edited_message'],
        max_connections: 40,
        drop_pending_updates: false,
      },
    ]);
    expect(await callsOf(session, 'getUpdates')).toEqual([]);
    expect(session.batches.map(({ cursor }) => cursor)).toEqual([undefined, undefined]);
    expect(session.states()).toEqual(['starting', 'up']);
  });

  it('looks now and then whether it is still there, which proves the transport', async () => {
    const session = await beginStarted({ timing: { webhookCheckMs: 20 } });
    const before = session.channel.status()[0]?.lastExchangeAt ?? 0;
    await expect.poll(async () => (await callsOf(session, 'getWebhookInfo')).length).toBeGreaterThan(3);
    expect(session.channel.status()[0]?.lastExchangeAt).toBeGreaterThan(before);
    expect(await callsOf(session, 'setWebhook')).toHaveLength(1);
    expect(session.states()).toEqual(['starting', 'up']);
  });

  it('looks at once when the clock jumped', async () => {
    const session = await beginStarted();
    session.channel.reprobe();
    await expect.poll(async () => (await callsOf(session, 'getWebhookInfo')).length).toBe(2);
  });

  it('is left alone by a stop, so that Telegram keeps what comes meanwhile', async () => {
    const session = await beginStarted();
    await session.channel.stop();
    expect(state(session)).toBe('idle');
    expect((await callBot(telegram.url, session.token, 'getWebhookInfo')).result.url).toBe(session.url);
  });

  it('whose token is refused is down, and says what to check', async () => {
    const session = await begin({ isRegistered: false });
    await session.channel.start(NEVER);
    await expect.poll(() => state(session)).toBe('down');
    expect(session.lastError()).toContain('Check channels.telegram.botToken');
  });
});

describe('what is pushed', () => {
  it('is confirmed when it is committed, and comes again when it was not', async () => {
    const session = await begin();
    session.failReceive = 1;
    await session.channel.start(NEVER);
    await say(session, 'hello');
    await expect.poll(() => outcomes(session)).toEqual([503]);
    await telegram.advanceClock(1_001);
    await expect.poll(session.texts).toEqual(['hello']);
    expect(await outcomes(session)).toEqual([503, 200]);
  });

  it('is refused without the secret, and with another one', async () => {
    const session = await beginStarted();
    expect(await session.push(update(1, 'forged'), 'the-secret-of-the-webhooK')).toBe(401);
    expect(await session.push(update(1, 'forged'), '')).toBe(401);
    expect(session.texts()).toEqual([]);
  });

  it('is taken in before the channel is started, and while another worker runs the channels', async () => {
    const session = await begin();
    expect(await session.push(update(1, 'early'))).toBe(200);
    expect(session.texts()).toEqual(['early']);
    expect(await callsOf(session, 'setWebhook')).toEqual([]);
  });

  it('is asked for again while nobody knows who the bot is', async () => {
    const session = await begin();
    await telegram.addFault({ match: { method: 'getMe', token: session.token }, action: 'drop-before', times: 1 });
    expect(await session.push(update(1, 'hello'))).toBe(503);
    expect(await session.push(update(1, 'hello'))).toBe(200);
    expect(session.texts()).toEqual(['hello']);
  });

  it('and is no update is refused; one that says nothing to us is confirmed', async () => {
    const session = await beginStarted();
    expect(await session.push([])).toBe(400);
    expect(await session.push({ message: {} })).toBe(400);
    expect(await session.push({ update_id: 5, poll: {} })).toBe(200);
    expect(session.batches).toEqual([]);
  });

  it('to an account that polls is not there', async () => {
    const session = await begin();
    const push = { header: () => SECRET, rawBody: async () => Buffer.from('{}') };
    await expect(session.channel.receiveHttp({ accountId: 'other', ...push })).rejects.toMatchObject({ status: 404 });
    const polling = await createSession(telegram);
    await expect(polling.channel.receiveHttp({ accountId: undefined, ...push })).rejects.toMatchObject({ status: 404 });
  });
});

describe('a webhook', () => {
  it('that another program replaces or removes is a conflict, and is set again', async () => {
    const session = await beginStarted({ timing: { webhookCheckMs: 20 } });
    for (const [url, told] of [
      ['https://example.invalid/with-a-secret', 'is at example.invalid'],
      ['', 'was removed'],
    ] as const) {
      await telegram.advanceClock(1_001);
      await callBot(telegram.url, session.token, 'setWebhook', { url });
      await expect
        .poll(() => session.statuses.filter(({ state: seen }) => seen === 'conflict').at(-1)?.lastError)
        .toContain(told);
      await telegram.advanceClock(1_001);
      await expect.poll(() => state(session)).toBe('up');
    }
    expect(session.logged.join('\n')).not.toContain('with-a-secret');
    await say(session, 'hello');
    await expect.poll(session.texts).toEqual(['hello']);
  });

  it('that cannot be reached is told with the reason, until what waits was delivered', async () => {
    const session = await beginStarted({ timing: { webhookCheckMs: 20 } });
    session.failReceive = 2;
    await say(session, 'hello');
    await expect.poll(() => state(session)).toBe('degraded');
    expect(session.lastError()).toContain(
      `cannot deliver to ${session.url} (1 waiting): Wrong response from the webhook: 503`,
    );
    await telegram.advanceClock(1_001);
    await expect.poll(() => outcomes(session)).toHaveLength(2);
    await telegram.advanceClock(1_001);
    await expect.poll(session.texts).toEqual(['hello']);
    await expect.poll(() => state(session)).toBe('up');
  });

  it('is removed when the account polls from now on, and nothing is lost or heard twice', async () => {
    const pushed = await beginStarted();
    await say(pushed, 'one');
    await expect.poll(pushed.texts).toEqual(['one']);
    await pushed.channel.stop();
    const polling = await createSession(telegram, { token: pushed.token, isRegistered: false });
    closing.push(() => polling.channel.stop());
    await polling.channel.start(NEVER);
    await expect.poll(async () => (await callsOf(pushed, 'deleteWebhook')).length, { timeout: 5_000 }).toBe(1);
    await say(pushed, 'two');
    await expect.poll(polling.texts, { timeout: 5_000 }).toEqual(['two']);
    expect(pushed.texts()).toEqual(['one']);
  });

  it('is not set while another gateway on this machine has the token (TG-1)', async () => {
    const secret = createSecret();
    const token = `${98_000}:${secret}`;
    const other = await startLeaseProcess({ channel: 'telegram', secret: token });
    closing.push(() => other.kill());
    const holder = { stateDir: '/own/state', instanceId: 'own-instance' };
    const session = await begin({ token, holder });
    await session.channel.start(NEVER);
    await expect.poll(() => state(session)).toBe('conflict');
    expect(await callsOf(session, 'setWebhook')).toEqual([]);
    await other.kill();
    await expect.poll(() => state(session), { timeout: 5_000 }).toBe('up');
  });
});
