import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { LeaseLost } from '../../../worker/store/lease.ts';
import { inboxRow, openTemporaryStore, sessionOf } from '../temporary-store.ts';

describe('receiving', () => {
  it('stores messages in their order and gives a receipt for each', async () => {
    const { store } = openTemporaryStore();
    const receipts = await store.inbox.receive({ rows: [inboxRow('a', '1'), inboxRow('b', '1'), inboxRow('c', '2')] });
    expect(receipts).toEqual([
      { runId: 'a', sessionKey: sessionOf('1'), isDuplicate: false },
      { runId: 'b', sessionKey: sessionOf('1'), isDuplicate: false },
      { runId: 'c', sessionKey: sessionOf('2'), isDuplicate: false },
    ]);
    expect((await store.inbox.ofSession(sessionOf('1'))).map(({ runId }) => runId)).toEqual(['a', 'b']);
    expect(await store.inbox.waitingSessions()).toEqual([sessionOf('1'), sessionOf('2')]);
  });

  it('keeps every field of a message', async () => {
    const { store } = openTemporaryStore();
    const row = inboxRow('a', '1', {
      threadId: 't',
      senderName: 'Ann',
      messageId: '9',
      model: 'p/m',
      text: '🚀\u0000"',
    });
    await store.inbox.receive({ rows: [row] });
    expect((await store.inbox.ofSession(sessionOf('1')))[0]?.payload).toEqual(row.payload);
  });

  it('takes a message once per dedupe key, and tells of the first one', async () => {
    const { store } = openTemporaryStore();
    await store.inbox.receive({ rows: [{ ...inboxRow('a', '1'), dedupe: { key: 'k', digest: 'd' } }] });
    const [again] = await store.inbox.receive({ rows: [inboxRow('b', '2', { key: 'k' })] });
    expect(again).toEqual({ runId: 'a', sessionKey: sessionOf('1'), isDuplicate: true, digest: 'd' });
    expect(await store.inbox.count()).toBe(1);
  });

  it('takes a message once when the same key comes twice in one batch or in two at once', async () => {
    const { store, open } = openTemporaryStore();
    const other = open();
    const receipts = (
      await Promise.all([
        store.inbox.receive({ rows: [inboxRow('a', '1', { key: 'k' }), inboxRow('b', '1', { key: 'k' })] }),
        other.inbox.receive({ rows: [inboxRow('c', '1', { key: 'k' })] }),
      ])
    ).flat();
    expect(receipts.filter(({ isDuplicate }) => !isDuplicate)).toHaveLength(1);
    expect(await store.inbox.count()).toBe(1);
  });

  it('knows the key still after the message was answered, per channel and account', async () => {
    const { store } = openTemporaryStore();
    const [receipt] = await store.inbox.receive({ rows: [inboxRow('a', '1', { key: 'k' })], claimFor: 'w1' });
    if (receipt?.claimed === undefined) throw new Error('not claimed');
    await store.turns.finish({ row: receipt.claimed, owner: 'w1', messages: [], outbox: [] });
    const receipts = await store.inbox.receive({
      rows: [
        inboxRow('b', '1', { key: 'k' }),
        inboxRow('c', '1', { key: 'k', accountId: 'second' }),
        inboxRow('d', '1', { key: 'k', channel: 'other' }),
      ],
    });
    expect(receipts.map(({ isDuplicate }) => isDuplicate)).toEqual([true, false, false]);
  });

  it('moves the cursor with the messages or not at all', async () => {
    const { store } = openTemporaryStore();
    const cursor = { channel: 'test', accountId: 'default', value: '7' };
    await store.inbox.receive({ rows: [inboxRow('a', '1')], cursor });
    expect(await store.inbox.cursor('test', 'default')).toBe('7');
    const broken = { ...inboxRow('b', '1'), runId: null as unknown as string };
    await expect(
      store.inbox.receive({ rows: [inboxRow('c', '1'), broken], cursor: { ...cursor, value: '8' } }),
    ).rejects.toThrow();
    expect(await store.inbox.cursor('test', 'default')).toBe('7');
    expect(await store.inbox.count()).toBe(1);
  });

  it('moves the cursor without any message', async () => {
    const { store } = openTemporaryStore();
    await store.inbox.receive({ rows: [], cursor: { channel: 'test', accountId: 'a', value: '7' } });
    await store.inbox.receive({ rows: [], cursor: { channel: 'test', accountId: 'a', value: '9' } });
    expect(await store.inbox.cursor('test', 'a')).toBe('9');
    expect(await store.inbox.cursor('test', 'b')).toBeUndefined();
  });

  it('by a worker that lost the lease changes nothing', async () => {
    const { store } = openTemporaryStore();
    const old = await store.leases.take('w1');
    const current = await store.leases.take('w2');
    const cursor = { channel: 'test', accountId: 'default', value: '7' };
    await expect(store.inbox.receive({ rows: [inboxRow('a', '1')], cursor, epoch: old })).rejects.toThrow(LeaseLost);
    expect(await store.inbox.count()).toBe(0);
    expect(await store.inbox.cursor('test', 'default')).toBeUndefined();
    await store.inbox.receive({ rows: [inboxRow('a', '1')], cursor, epoch: current });
    expect(await store.inbox.count()).toBe(1);
  });

  it('claims at once what its session has time for: the first of an idle one', async () => {
    const { store } = openTemporaryStore();
    const rows = [inboxRow('a', '1'), inboxRow('b', '1'), inboxRow('c', '2')];
    const receipts = await store.inbox.receive({ rows, claimFor: 'w1' });
    expect(receipts.map(({ claimed }) => claimed?.runId)).toEqual(['a', undefined, 'c']);
    expect(receipts[0]?.claimed).toMatchObject({ attempts: 1, payload: rows[0]?.payload });
    expect(await store.inbox.claim(sessionOf('1'), 'w2')).toBeUndefined();
  });

  it('claims nothing of a session with an older message that still waits', async () => {
    const { store } = openTemporaryStore();
    await store.inbox.receive({ rows: [inboxRow('a', '1')] });
    const [receipt] = await store.inbox.receive({ rows: [inboxRow('b', '1')], claimFor: 'w1' });
    expect(receipt?.claimed).toBeUndefined();
    expect(await store.inbox.claim(sessionOf('1'), 'w1')).toMatchObject({ runId: 'a' });
  });
});

describe('claiming', () => {
  it('takes the oldest of a session, one at a time, whoever asks', async () => {
    const { store, open } = openTemporaryStore();
    const other = open();
    await store.inbox.receive({ rows: [inboxRow('a', '1'), inboxRow('b', '1')] });
    const claims = await Promise.all([
      store.inbox.claim(sessionOf('1'), 'w1'),
      other.inbox.claim(sessionOf('1'), 'w2'),
    ]);
    const taken = claims.filter((row) => row !== undefined);
    expect(taken).toMatchObject([{ runId: 'a', attempts: 1 }]);
    const owner = claims[0] === undefined ? 'w2' : 'w1';
    const [row] = taken;
    if (row === undefined) throw new Error('nothing was claimed');
    await store.turns.finish({ row, owner, messages: [], outbox: [] });
    expect(await other.inbox.claim(sessionOf('1'), 'w2')).toMatchObject({ runId: 'b' });
  });

  it('of a session without waiting messages takes nothing', async () => {
    const { store } = openTemporaryStore();
    expect(await store.inbox.claim(sessionOf('1'), 'w1')).toBeUndefined();
  });

  it('that is released does not count as an attempt, and only its owner can release it', async () => {
    const { store } = openTemporaryStore();
    await store.inbox.receive({ rows: [inboxRow('a', '1')] });
    expect(await store.inbox.claim(sessionOf('1'), 'w1')).toBeDefined();
    expect(await store.inbox.release('w2')).toBe(0);
    expect(await store.inbox.claim(sessionOf('1'), 'w2')).toBeUndefined();
    expect(await store.inbox.release('w1')).toBe(1);
    expect(await store.inbox.claim(sessionOf('1'), 'w2')).toMatchObject({ runId: 'a', attempts: 1 });
  });

  it('of a worker that is gone is freed, counts as an attempt and keeps its place', async () => {
    const { store } = openTemporaryStore();
    await store.inbox.receive({ rows: [inboxRow('a', '1'), inboxRow('b', '1'), inboxRow('c', '2')] });
    await store.inbox.claim(sessionOf('1'), 'gone');
    await store.inbox.claim(sessionOf('2'), 'alive');
    expect(await store.inbox.recover({ owner: 'gone' })).toBe(1);
    expect(await store.inbox.recover({ owner: 'gone' })).toBe(0);
    expect(await store.inbox.claim(sessionOf('1'), 'alive')).toMatchObject({ runId: 'a', attempts: 2 });
  });

  it('of all but the living is freed at a start', async () => {
    const { store } = openTemporaryStore();
    await store.inbox.receive({ rows: [inboxRow('a', '1'), inboxRow('b', '2'), inboxRow('c', '3')] });
    await store.inbox.claim(sessionOf('1'), 'old');
    await store.inbox.claim(sessionOf('2'), 'older');
    await store.inbox.claim(sessionOf('3'), 'me');
    expect(await store.inbox.recover({ survivors: ['me', 'older'] })).toBe(1);
    expect(await store.inbox.waitingSessions()).toEqual([sessionOf('1')]);
    expect(await store.inbox.recover({ survivors: ['me'] })).toBe(1);
    expect(await store.inbox.waitingSessions()).toEqual([sessionOf('1'), sessionOf('2')]);
  });

  it('is pending until its turn is finished', async () => {
    const { store } = openTemporaryStore();
    const [receipt] = await store.inbox.receive({ rows: [inboxRow('a', '1')], claimFor: 'w1' });
    expect(await store.inbox.isPending('a')).toBe(true);
    if (receipt?.claimed === undefined) throw new Error('not claimed');
    await store.turns.finish({ row: receipt.claimed, owner: 'w1', messages: [], outbox: [] });
    expect(await store.inbox.isPending('a')).toBe(false);
  });
});

describe('two workers', () => {
  it('that receive for one session in the same moment both succeed', async () => {
    const { store, open } = openTemporaryStore();
    const other = open();
    for (let round = 0; round < 30; round += 1) {
      await Promise.all([
        store.inbox.receive({ rows: [inboxRow(`a${round}`, `${round}`)] }),
        other.inbox.receive({ rows: [inboxRow(`b${round}`, `${round}`)] }),
      ]);
    }
    expect(await store.inbox.count()).toBe(60);
  });
});

describe('a clock that is set back', () => {
  it('does not change the order of a session, over a restart either', async () => {
    const { store, open } = openTemporaryStore();
    await store.inbox.receive({ rows: [inboxRow('first', '1')] });
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 3_600_000 });
    onTestFinished(() => void vi.useRealTimers());
    await open().inbox.receive({ rows: [inboxRow('second', '1')] });
    expect((await store.inbox.ofSession(sessionOf('1'))).map(({ runId }) => runId)).toEqual(['first', 'second']);
  });
});
