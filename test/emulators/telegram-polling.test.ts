import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { callBot } from './call-bot.ts';
import { startTelegramEmulator, type TelegramEmulator } from './start.ts';

const token = '123456:ABC-def_1';
const otherPoll = 'Conflict: terminated by other getUpdates request; make sure that only one bot instance is running';
let telegram: TelegramEmulator;

beforeAll(async () => {
  telegram = await startTelegramEmulator({ seed: 7 });
});
afterAll(() => telegram.stop());
beforeEach(async () => {
  await telegram.reset();
  await telegram.registerBot({ token, username: 'helper_bot' });
});

const poll = (params: object = {}, signal?: AbortSignal) => callBot(telegram.url, token, 'getUpdates', params, signal);
const write = async (text: string) => {
  const { update_id } = await telegram.userMessage({ token, chat: 5, from: 5, text });
  if (update_id === null) throw new Error('the bot was not told');
  return update_id;
};
const idsOf = (answer: { result: { update_id: number }[] }) => answer.result.map(({ update_id }) => update_id);
const polls = () => telegram.calls({ token, method: 'getUpdates' });

async function untilPending(count: number): Promise<void> {
  for (;;) {
    const pending = (await polls()).filter(({ outcome }) => outcome === 'pending');
    if (pending.length === count) return;
  }
}

describe('getUpdates and the queue', () => {
  it('gives an update again and again until a larger offset confirms it', async () => {
    const first = await write('one');
    const second = await write('two');
    expect(idsOf(await poll())).toEqual([first, second]);
    expect(idsOf(await poll({ offset: first }))).toEqual([first, second]);
    expect(idsOf(await poll({ offset: second }))).toEqual([second]);
    expect(idsOf(await poll({ offset: first }))).toEqual([second]);
    expect(await telegram.pendingUpdates(token)).toEqual([second]);
  });

  it('keeps only the last updates after a negative offset', async () => {
    await write('one');
    const second = await write('two');
    const third = await write('three');
    expect(idsOf(await poll({ offset: -2 }))).toEqual([second, third]);
    expect(await telegram.pendingUpdates(token)).toEqual([second, third]);
  });

  it('reads an offset far beyond the tail, or far before the head, as the head', async () => {
    const first = await write('one');
    const second = await write('two');
    expect(idsOf(await poll({ offset: second + 12 }))).toEqual([first, second]);
    expect(idsOf(await poll({ offset: first - 100_001 }))).toEqual([first, second]);
    expect(await telegram.pendingUpdates(token)).toHaveLength(2);
    expect(idsOf(await poll({ offset: second + 5, timeout: 0 }))).toEqual([]);
    expect(await telegram.pendingUpdates(token)).toHaveLength(0);
  });

  it('honours limit and brings values out of range back into it', async () => {
    const first = await write('one');
    const second = await write('two');
    expect(idsOf(await poll({ offset: first, limit: 1 }))).toEqual([first]);
    expect(idsOf(await poll({ offset: -2, limit: 1000 }))).toEqual([first, second]);
    expect(idsOf(await poll({ offset: 0, limit: 0 }))).toEqual([first]);
  });

  it('starts the ids of a queue at random, repeatably by seed, and again after a week of silence', async () => {
    const first = await write('one');
    expect(first).toBeGreaterThanOrEqual(100_000_000);
    await poll({ offset: first + 1, timeout: 0 });
    await telegram.advanceClock(6 * 86_400_000);
    expect(await write('same week')).toBe(first + 1);
    await poll({ offset: first + 2, timeout: 0 });
    await telegram.advanceClock(7 * 86_400_000 + 1000);
    const restarted = await write('after a week');
    expect(Math.abs(restarted - first)).toBeGreaterThan(100);
    await telegram.reset();
    await telegram.registerBot({ token, username: 'helper_bot' });
    expect(await write('one')).toBe(first);
  });

  it('forgets updates after 24 hours', async () => {
    await write('old');
    await telegram.advanceClock(86_399_000);
    expect(await telegram.pendingUpdates(token)).toHaveLength(1);
    await telegram.advanceClock(2000);
    expect(await telegram.pendingUpdates(token)).toHaveLength(0);
  });

  it('keeps allowed_updates from call to call and filters when an update is made', async () => {
    const message = await telegram.userMessage({ token, chat: 5, from: 5, text: 'one' });
    await poll({ allowed_updates: ['callback_query'], offset: 0, limit: 100 });
    const hidden = await telegram.userMessage({ token, chat: 5, from: 5, text: 'two' });
    expect(hidden.update_id).toBeNull();
    expect(await telegram.pendingUpdates(token)).toEqual([message.update_id]);
    await poll({ allowed_updates: [], offset: -1 });
    expect((await telegram.userMessage({ token, chat: 5, from: 5, text: 'three' })).update_id).not.toBeNull();
  });
});

describe('the long poll', () => {
  it('waits when there is nothing and wakes for the first update', async () => {
    const waiting = poll({ timeout: 30, offset: 1 });
    await untilPending(1);
    const id = await write('wake up');
    expect(idsOf(await waiting)).toEqual([id]);
  });

  it('hands a burst over together', async () => {
    const waiting = poll({ timeout: 30, offset: 1 });
    await untilPending(1);
    const ids = await Promise.all(['a', 'b'].map(write));
    const got = idsOf(await waiting);
    expect(got.length).toBeGreaterThan(0);
    expect(ids).toEqual(expect.arrayContaining(got));
  });

  it('answers empty when the time is up, on the emulator clock', async () => {
    const waiting = poll({ timeout: 50, offset: 1 });
    await untilPending(1);
    await telegram.advanceClock(49_000);
    expect((await polls())[0]?.outcome).toBe('pending');
    await telegram.advanceClock(2000);
    expect((await waiting).result).toEqual([]);
  });

  it('holds a client that spins on one offset for three seconds', async () => {
    expect((await poll({ offset: 1, timeout: 0 })).result).toEqual([]);
    const spinning = poll({ offset: 1, timeout: 0 });
    await untilPending(1);
    await telegram.advanceClock(2900);
    expect((await polls()).at(-1)?.outcome).toBe('pending');
    await telegram.advanceClock(200);
    expect((await spinning).result).toEqual([]);
  });

  it('gives one update at a time to a client that repeats an offset within half a second', async () => {
    const first = await write('one');
    const second = await write('two');
    expect(idsOf(await poll({ offset: first }))).toEqual([first, second]);
    expect(idsOf(await poll({ offset: first }))).toEqual([first]);
    await telegram.advanceClock(600);
    expect(idsOf(await poll({ offset: first }))).toEqual([first, second]);
  });

  it('forgets a parked poll whose client went away, and keeps the update', async () => {
    const gone = new AbortController();
    const waiting = poll({ timeout: 30, offset: 1 }, gone.signal).catch(() => 'gone');
    await untilPending(1);
    gone.abort();
    expect(await waiting).toBe('gone');
    await untilPending(0);
    const id = await write('still here');
    expect(idsOf(await poll({ timeout: 30, offset: 1 }))).toEqual([id]);
    const [first, second] = await polls();
    expect(first?.outcome).toBe('aborted');
    expect(second).toMatchObject({ outcome: 200, pollsInFlight: 1, updateIds: [id] });
  });
});

describe('a poller that hangs up and calls again at once', () => {
  it('is not taken for two', async () => {
    for (let round = 0; round < 30; round += 1) {
      const gone = new AbortController();
      const waiting = poll({ timeout: 30, offset: round }, gone.signal).catch(() => undefined);
      // The one before may still look pending: only its number tells that the new one has arrived.
      await vi.waitFor(async () => expect(await polls()).toHaveLength(round + 1), { interval: 1 });
      gone.abort();
      await waiting;
    }
    expect((await polls()).map(({ pollsInFlight }) => pollsInFlight)).toEqual(Array.from({ length: 30 }, () => 1));
  });
});

describe('two pollers of one token', () => {
  it('kick each other: the parked one gets 409, and the overlap is in the journal', async () => {
    const old = poll({ timeout: 30, offset: 1 });
    await untilPending(1);
    const young = poll({ timeout: 30, offset: 1 });
    expect(await old).toMatchObject({ status: 409, ok: false, description: otherPoll });
    const id = await write('for the young one');
    expect(idsOf(await young)).toEqual([id]);
    const journal = await polls();
    expect(journal.map(({ pollsInFlight }) => pollsInFlight)).toEqual([1, 2]);
    expect(journal[0]?.finishedAt).toBeGreaterThanOrEqual(journal[1]?.at ?? Number.POSITIVE_INFINITY);
  });

  it('delays further conflicts within three seconds by three seconds', async () => {
    const first = poll({ timeout: 30, offset: 1 });
    await untilPending(1);
    const second = poll({ timeout: 1, offset: 2 });
    expect((await first).status).toBe(409);
    const third = poll({ timeout: 3, offset: 1 });
    await untilPending(2);
    await telegram.advanceClock(2500);
    expect((await polls())[1]?.outcome).toBe('pending');
    await telegram.advanceClock(600);
    expect(await second).toMatchObject({ status: 409, description: otherPoll });
    expect((await third).result).toEqual([]);
  });

  it('leave the parked one alone when the new one can be answered at once', async () => {
    const id = await write('one');
    const parked = poll({ timeout: 30, offset: id + 1 });
    await untilPending(1);
    expect((await poll({ timeout: 0, offset: id + 2 })).result).toEqual([]);
    const next = await write('two');
    expect(idsOf(await parked)).toEqual([next]);
  });

  it('are counted per token', async () => {
    await telegram.registerBot({ token: '77:other', username: 'other_bot' });
    const parked = poll({ timeout: 30, offset: 1 });
    await untilPending(1);
    await callBot(telegram.url, '77:other', 'getUpdates', { timeout: 0 });
    const [other] = await telegram.calls({ token: '77:other' });
    expect(other?.pollsInFlight).toBe(1);
    await write('done');
    expect((await parked).status).toBe(200);
  });
});

describe('a server that stumbles', () => {
  it('gives confirmed updates once more, in disorder, and is itself again after that', async () => {
    const ids = [await write('one'), await write('two'), await write('three')];
    const [first = 0, second = 0, third = 0] = ids;
    await poll({ offset: first });
    await poll({ offset: third });
    await telegram.stumble(token, { repeat: 1, isShuffled: true });
    expect(idsOf(await poll({ offset: third }))).toEqual([third, second]);
    expect(idsOf(await poll({ offset: third }))).toEqual([third]);
  });
});
