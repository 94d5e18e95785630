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
const warnings = (session: Session) => session.logged.filter((line) => line.startsWith('warn'));
const refusePolls = (session: Session, times: number) =>
  telegram.addFault({ match: { method: 'getUpdates', token: session.token }, action: '409', times });

/** Polls with the bot of a channel from elsewhere, until the returned function is called. */
async function steal(session: Session): Promise<() => void> {
  const before = (await polls(session)).length;
  const other = new AbortController();
  const url = `${telegram.url}/bot${session.token}/getUpdates?timeout=50`;
  fetch(url, { signal: other.signal }).catch(() => undefined);
  await expect.poll(async () => (await polls(session)).length).toBeGreaterThan(before);
  return () => other.abort();
}

describe('a poll conflict in the first minute', () => {
  it('is waited out without a word, as long as it does not last', async () => {
    const session = await begin({ timing: { conflictQuietMs: 60_000 } });
    await refusePolls(session, 6);
    await session.channel.start(NEVER);
    await say(session, 'at last');
    await expect.poll(session.texts, { timeout: 8_000 }).toEqual(['at last']);
    expect((await polls(session)).length).toBeGreaterThan(6);
    expect(session.states()).toEqual(['starting', 'up']);
    expect(warnings(session)).toEqual([]);
  });

  it('leaves an account up that was up', async () => {
    const session = await begin({ timing: { conflictQuietMs: 60_000 } });
    await session.channel.start(NEVER);
    await expect.poll(async () => (await polls(session)).length).toBe(2);
    const end = await steal(session);
    await expect.poll(() => session.logged.join('\n')).toContain('an earlier poll of this gateway');
    expect(state(session)).toBe('up');
    end();
    await say(session, 'on');
    await expect.poll(session.texts, { timeout: 8_000 }).toEqual(['on']);
    expect(session.states()).toEqual(['starting', 'up']);
  });

  it('is told when it lasts longer', async () => {
    const session = await begin({ timing: { conflictQuietMs: 300 } });
    await refusePolls(session, 1_000);
    await session.channel.start(NEVER);
    await expect.poll(async () => (await polls(session)).length).toBeGreaterThan(1);
    expect(state(session)).toBe('starting');
    await expect.poll(() => state(session), { timeout: 5_000 }).toBe('conflict');
    expect(session.lastError()).toContain('polls with the same bot token');
    expect(session.states()).toEqual(['starting', 'conflict']);
  });
});

describe('another poller of the same bot', () => {
  it('is told as a conflict, and the channel heals when it is gone', async () => {
    const session = await begin();
    await session.channel.start(NEVER);
    await expect.poll(async () => (await polls(session)).length).toBe(2);
    const end = await steal(session);
    await expect.poll(() => state(session)).toBe('conflict');
    expect(session.lastError()).toContain('Another program, most likely on another machine');
    end();
    await say(session, 'healed');
    await expect.poll(session.texts, { timeout: 5_000 }).toEqual(['healed']);
    expect(state(session)).toBe('up');
    expect(session.lastError()).toBeUndefined();
  });

  it('that does not go away never ends the trying, and is warned of once', async () => {
    const session = await begin({ timing: { conflictQuietMs: 200, conflictMinMs: 20, conflictMaxMs: 40 } });
    await refusePolls(session, 1_000);
    await session.channel.start(NEVER);
    await expect.poll(() => state(session), { timeout: 5_000 }).toBe('conflict');
    const soFar = (await polls(session)).length;
    await expect.poll(async () => (await polls(session)).length, { timeout: 5_000 }).toBeGreaterThan(soFar + 5);
    expect(warnings(session)).toHaveLength(1);
    await telegram.clearFaults();
    await say(session, 'at last');
    await expect.poll(session.texts, { timeout: 5_000 }).toEqual(['at last']);
    expect(session.states()).toEqual(['starting', 'conflict', 'up']);
  });

  it('that comes back later is warned of again', async () => {
    const session = await begin({ timing: { conflictQuietMs: 50 } });
    await session.channel.start(NEVER);
    await expect.poll(async () => (await polls(session)).length).toBe(2);
    for (const text of ['one', 'two']) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      const end = await steal(session);
      await expect.poll(() => state(session), { timeout: 8_000 }).toBe('conflict');
      end();
      await say(session, text);
      await expect.poll(() => session.texts().at(-1), { timeout: 8_000 }).toBe(text);
      await expect.poll(() => state(session)).toBe('up');
    }
    expect(warnings(session)).toHaveLength(2);
  });
});
