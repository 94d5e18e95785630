import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTelegramEmulator, type TelegramEmulator } from '../../../emulators/start.ts';
import { closedPort } from '../../agent/providers/closed-port.ts';
import { createSession, NEVER, type Session } from './harness.ts';

let telegram: TelegramEmulator;
let open: Session[] = [];
beforeAll(async () => {
  telegram = await startTelegramEmulator();
});
afterAll(() => telegram.stop());
beforeEach(() => telegram.clearFaults());
afterEach(async () => {
  await Promise.all(open.map((session) => session.channel.stop()));
  open = [];
});

async function begin(more: Parameters<typeof createSession>[1] = {}) {
  const session = await createSession(telegram, more);
  open.push(session);
  return session;
}

const say = (session: Session, text: string) =>
  telegram.userMessage({ token: session.token, chat: 42, from: 42, text });
const polls = (session: Session) => telegram.calls({ token: session.token, method: 'getUpdates' });
const state = (session: Session) => session.channel.status()[0]?.state;

describe('a start', () => {
  it('reports starting, then up when the first poll was answered', async () => {
    const session = await begin();
    expect(state(session)).toBe('idle');
    await session.channel.start(NEVER);
    await expect.poll(session.states).toEqual(['starting', 'up']);
    expect(session.channel.status()[0]?.lastExchangeAt).toBeGreaterThan(Date.now() - 5_000);
  });

  it('twice, or several at once, still polls once', async () => {
    const session = await begin();
    await Promise.all([1, 2, 3].map(() => session.channel.start(NEVER)));
    await session.channel.start(NEVER);
    await expect.poll(() => state(session)).toBe('up');
    await say(session, 'x');
    await expect.poll(session.texts).toEqual(['x']);
    expect((await polls(session)).every((call) => call.pollsInFlight === 1)).toBe(true);
    expect(await telegram.calls({ token: session.token, method: 'getMe' })).toHaveLength(1);
  });

  it('that fails is no obstacle to the next one', async () => {
    const session = await begin({ account: { apiRoot: `${telegram.url}/` } });
    await expect(session.channel.start(NEVER)).rejects.toThrow();
    await expect(session.channel.start(NEVER)).rejects.toThrow();
    session.account.apiRoot = telegram.url;
    await session.channel.start(NEVER);
    await expect.poll(() => state(session)).toBe('up');
  });

  it('removes a webhook that is left over, without dropping what waits', async () => {
    const session = await begin();
    await say(session, 'waiting');
    const webhook = { url: 'https://example.invalid/hook' };
    await fetch(`${telegram.url}/bot${session.token}/setWebhook`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(webhook),
    });
    await session.channel.start(NEVER);
    await expect.poll(session.texts, { timeout: 5_000 }).toEqual(['waiting']);
    expect(session.logged.join('\n')).toContain('Removing it');
    expect(state(session)).toBe('up');
  });

  it('without a token is down and says where the token belongs', async () => {
    const session = await begin({ account: { botToken: undefined } });
    await session.channel.start(NEVER);
    expect(state(session)).toBe('down');
    expect(session.lastError()).toContain('TELEGRAM_BOT_TOKEN');
  });

  it('before init is a mistake of the caller', async () => {
    const { createTelegramChannel } = await import('../../../../worker/channels/telegram/index.ts');
    await expect(createTelegramChannel([]).start(NEVER)).rejects.toThrow('init');
  });
});

describe('a token that is refused', () => {
  it('at the start ends the polling and says what to check', async () => {
    const session = await begin({ isRegistered: false });
    await session.channel.start(NEVER);
    await expect.poll(() => state(session)).toBe('down');
    expect(session.lastError()).toContain('Check channels.telegram.botToken');
    const before = (await telegram.calls({ token: session.token })).length;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await telegram.calls({ token: session.token })).toHaveLength(before);
  });

  it('later, in the middle of a poll, ends it too', async () => {
    const session = await begin();
    await session.channel.start(NEVER);
    await expect.poll(() => state(session)).toBe('up');
    await telegram.revoke(session.token);
    await expect.poll(() => state(session)).toBe('down');
    await session.channel.stop();
    expect(JSON.stringify([session.statuses, session.logged])).not.toContain('canary');
  });
});

describe('a network that fails', () => {
  it.each([
    ['drops connections', { action: 'drop-before' }, /cannot be reached/],
    ['answers 502 in HTML', { action: 'status', status: 502, html: true }, /not JSON/],
    ['answers 500', { action: 'status', status: 500 }, /Telegram answers/],
    ['answers half a body', { action: 'truncate-body' }, /cannot be reached/],
  ] as const)(
    'and %s is waited out',
    async (_what, fault, text) => {
      const session = await begin();
      const match = { method: 'getUpdates', token: session.token };
      await telegram.addFault({ match, times: 3, ...fault });
      await session.channel.start(NEVER);
      await expect.poll(() => session.statuses.find((status) => status.state === 'degraded')?.lastError).toMatch(text);
      await say(session, 'through');
      await expect.poll(session.texts, { timeout: 8_000 }).toEqual(['through']);
      expect(state(session)).toBe('up');
    },
    10_000,
  );

  it('at the start does not make the start fail', async () => {
    const apiRoot = `http://127.0.0.1:${await closedPort()}`;
    const session = await begin({ isRegistered: false, account: { apiRoot } });
    await session.channel.start(NEVER);
    await expect.poll(() => state(session)).toBe('degraded');
    expect(session.lastError()).toContain('ECONNREFUSED');
  });

  it('is obeyed when it asks to wait', async () => {
    const session = await begin();
    const match = { method: 'getUpdates', token: session.token };
    await telegram.addFault({ match, action: '429', retryAfter: 1 });
    await session.channel.start(NEVER);
    await expect.poll(() => state(session)).toBe('degraded');
    await expect.poll(() => state(session), { timeout: 6_000 }).toBe('up');
    const [first, second] = await polls(session);
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(990);
  }, 10_000);

  it('and swallows a poll costs no more than the deadline of that poll', async () => {
    const session = await begin({ timing: { longPollS: 1, graceMs: 300 } });
    await session.channel.start(NEVER);
    await expect.poll(async () => (await polls(session)).length).toBe(2);
    await telegram.addFault({ match: { method: 'getUpdates', token: session.token }, action: 'half-open' });
    await expect.poll(() => state(session), { timeout: 4_000 }).toBe('degraded');
    expect(session.lastError()).toContain('no answer within 1300 ms');
    await say(session, 'back');
    await expect.poll(session.texts, { timeout: 6_000 }).toEqual(['back']);
  }, 15_000);
});

describe('a stop', () => {
  it('in the middle of a long poll is quick and leaves nothing open', async () => {
    const session = await begin();
    await session.channel.start(NEVER);
    await expect.poll(async () => (await polls(session)).length).toBe(2);
    const started = performance.now();
    await session.channel.stop();
    expect(performance.now() - started).toBeLessThan(500);
    expect(state(session)).toBe('idle');
    await expect.poll(async () => (await polls(session)).at(-1)?.outcome).toBe('aborted');
    await session.channel.stop();
  });

  it('comes from the signal as well, and a later start works', async () => {
    const session = await begin();
    const controller = new AbortController();
    await session.channel.start(controller.signal);
    await expect.poll(() => state(session)).toBe('up');
    controller.abort();
    await expect.poll(() => state(session)).toBe('idle');
    await session.channel.start(NEVER);
    await say(session, 'again');
    await expect.poll(session.texts).toEqual(['again']);
  });

  it('waits for what is being committed', async () => {
    const session = await begin();
    const { receive } = session.context;
    let isCommitting = false;
    session.context.receive = async (...given) => {
      isCommitting = true;
      await new Promise((resolve) => setTimeout(resolve, 200));
      await receive(...given);
    };
    await say(session, 'kept');
    await session.channel.start(NEVER);
    await expect.poll(() => isCommitting).toBe(true);
    await session.channel.stop();
    expect(session.texts()).toEqual(['kept']);
  });
});
