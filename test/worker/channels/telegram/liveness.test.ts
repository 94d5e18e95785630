import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTelegramEmulator, type TelegramEmulator } from '../../../emulators/start.ts';
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
const lastExchangeAt = (session: Session) => session.channel.status()[0]?.lastExchangeAt ?? 0;
const swallowPolls = (session: Session, times: number) =>
  telegram.addFault({ match: { method: 'getUpdates', token: session.token }, action: 'half-open', times });

/** Waits until the first long poll is under way. */
async function settle(session: Session): Promise<void> {
  await session.channel.start(NEVER);
  await expect.poll(async () => (await polls(session)).length).toBe(2);
}

describe('an account that nobody writes to', () => {
  it('polls on and on, one poll after the other, and stays up', async () => {
    const session = await begin();
    await settle(session);
    for (let round = 2; round < 62; round += 1) {
      await telegram.advanceClock(30_000);
      await expect.poll(async () => (await polls(session)).length, { interval: 2 }).toBe(round + 1);
    }
    const made = await polls(session);
    expect(made.every((call) => call.pollsInFlight === 1)).toBe(true);
    expect(new Set(made.slice(0, -1).map((call) => call.outcome))).toEqual(new Set([200]));
    expect(session.states()).toEqual(['starting', 'up']);
    expect(await telegram.calls({ token: session.token, method: 'getMe' })).toHaveLength(1);
  });

  it('shows when the last poll was answered', async () => {
    const session = await begin();
    await settle(session);
    const before = lastExchangeAt(session);
    await telegram.advanceClock(30_000);
    await expect.poll(() => lastExchangeAt(session)).toBeGreaterThan(before);
  });
});

describe('a poll that never ends', () => {
  it('is abandoned, again and again, and the next that is answered brings the account up', async () => {
    const session = await begin({ timing: { longPollS: 1, graceMs: 200 } });
    await swallowPolls(session, 3);
    await session.channel.start(NEVER);
    await expect.poll(() => state(session), { timeout: 5_000 }).toBe('degraded');
    expect(session.lastError()).toContain('no answer within 200 ms');
    expect(lastExchangeAt(session)).toBe(0);
    await say(session, 'through');
    await expect.poll(session.texts, { timeout: 8_000 }).toEqual(['through']);
    const made = await polls(session);
    expect(made.slice(0, 3).map((call) => call.outcome)).toEqual(['aborted', 'aborted', 'aborted']);
    expect(made.every((call) => call.pollsInFlight === 1)).toBe(true);
    expect(session.states()).toEqual(['starting', 'degraded', 'up']);
    expect(session.logged.filter((line) => line.includes('"failures":3'))).toHaveLength(1);
  }, 20_000);
});

describe('a new proof of the transport', () => {
  it('ends the poll under way and polls anew at once', async () => {
    const session = await begin();
    await settle(session);
    const before = lastExchangeAt(session);
    // Else the server holds even a short poll that comes soon after another.
    await telegram.advanceClock(10_000);
    session.channel.reprobe();
    await expect.poll(() => lastExchangeAt(session), { timeout: 5_000 }).toBeGreaterThan(before);
    const made = await polls(session);
    expect(made[1]?.outcome).toBe('aborted');
    expect(Number(made[2]?.params['timeout'])).toBe(0);
    await say(session, 'still here');
    await expect.poll(session.texts).toEqual(['still here']);
    expect(session.states()).toEqual(['starting', 'up']);
    expect(session.logged).toEqual([]);
  });

  it('finds a dead connection within the grace of a short poll', async () => {
    const session = await begin({ timing: { graceMs: 200 } });
    await settle(session);
    await swallowPolls(session, 1);
    session.channel.reprobe();
    await expect.poll(() => state(session), { timeout: 5_000 }).toBe('degraded');
    await say(session, 'back');
    await expect.poll(session.texts, { timeout: 5_000 }).toEqual(['back']);
    expect(session.states()).toEqual(['starting', 'up', 'degraded', 'up']);
  });

  it('ends a pause after failures', async () => {
    const session = await begin({ timing: { retryMinMs: 60_000, retryMaxMs: 60_000 } });
    await telegram.addFault({ match: { method: 'getUpdates', token: session.token }, action: 'drop-before' });
    await session.channel.start(NEVER);
    await expect.poll(() => state(session)).toBe('degraded');
    session.channel.reprobe();
    await expect.poll(() => state(session), { timeout: 5_000 }).toBe('up');
  });

  it('does not break what is being committed', async () => {
    const session = await begin();
    const { receive } = session.context;
    let isCommitting = false;
    session.context.receive = async (...given) => {
      isCommitting = true;
      await new Promise((resolve) => setTimeout(resolve, 100));
      await receive(...given);
    };
    await say(session, 'kept');
    await session.channel.start(NEVER);
    await expect.poll(() => isCommitting).toBe(true);
    session.channel.reprobe();
    await expect.poll(session.texts).toEqual(['kept']);
    await say(session, 'next');
    await expect.poll(session.texts, { timeout: 5_000 }).toEqual(['kept', 'next']);
  });

  it('of an account that is not started does nothing', async () => {
    const session = await begin();
    session.channel.reprobe();
    expect(state(session)).toBe('idle');
    expect(await telegram.calls({ token: session.token })).toEqual([]);
  });
});
