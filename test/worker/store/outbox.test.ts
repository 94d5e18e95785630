import { describe, expect, it } from 'vitest';
import { LeaseLost } from '../../../worker/store/lease.ts';
import { enqueueOne, openTemporaryStore, outboxRow } from '../temporary-store.ts';

const once = { channel: 'test', accountId: 'default', key: 'k', digest: 'd' };

describe('the outbox', () => {
  it('keeps every field and numbers rows in the order they came', async () => {
    const { store } = openTemporaryStore();
    const full = outboxRow('a', { threadId: 't', replyTo: 'r', sessionKey: 's', runId: 'x', silent: true, parts: 2 });
    const { rows } = await store.outbox.enqueue([full, outboxRow('b', { part: 2, parts: 2 })]);
    const third = await enqueueOne(store, 'c');
    expect(rows[0]).toMatchObject({ ...full, seq: 1, state: 'queued', attempts: 0, ambiguous: 0 });
    expect(third.seq).toBe(3);
    expect(await store.outbox.get(rows[0]?.id ?? '')).toEqual(rows[0]);
    expect((await store.outbox.pendingAfter(1)).rows.map(({ seq }) => seq)).toEqual([2, 3]);
    expect(await store.outbox.bySeq(3)).toEqual(await store.outbox.get(third.id));
  });

  it.each(['', 'nonsense', 'msg_1_x', 'msg_99_abc', 'msg_1', '1', "msg_1_x' OR 1"])(
    'has no message called "%s"',
    async (id) => {
      const { store } = openTemporaryStore();
      await enqueueOne(store, 'a');
      expect(await store.outbox.get(id)).toBeUndefined();
    },
  );

  it('has a local message as sent from the start, under its own id', async () => {
    const { store } = openTemporaryStore();
    const row = await enqueueOne(store, 'a', { isLocal: true });
    expect(row).toMatchObject({ state: 'sent', remoteId: row.id });
    expect(await store.outbox.get(row.id)).toMatchObject({ state: 'sent', remoteId: row.id, attempts: 0 });
    expect(await store.outbox.pendingAfter(0)).toEqual({ rows: [], newest: row.seq });
    expect(await store.outbox.stats()).toEqual({ pending: 0, dead: 0 });
  });

  it('goes from queued over sending to sent, and is not pending any more', async () => {
    const { store } = openTemporaryStore();
    const row = await enqueueOne(store, 'a');
    const epoch = await store.leases.take('w1');
    await store.outbox.markSending(row, { epoch, hasWindows: false });
    expect(await store.outbox.get(row.id)).toMatchObject({ state: 'sending', attempts: 1 });
    expect((await store.outbox.pendingAfter(0)).rows).toHaveLength(1);
    await store.outbox.markSent(row, 'remote-7', true);
    expect(await store.outbox.get(row.id)).toMatchObject({ state: 'sent', remoteId: 'remote-7' });
    expect((await store.outbox.pendingAfter(0)).rows).toEqual([]);
  });

  it('writes what is not urgent with the next change, or after a moment, or when it is closed', async () => {
    const { store, open, sql } = openTemporaryStore();
    const state = (text: string): unknown => sql(`SELECT state FROM outbox WHERE text='${text}'`)[0];
    const rows = [await enqueueOne(store, 'a'), await enqueueOne(store, 'b')] as const;
    const first = store.outbox.markSent(rows[0], 'r', false);
    await enqueueOne(store, 'c');
    await first;
    expect(state('a')).toEqual({ state: 'sent' });
    await store.outbox.markSent(rows[1], 'r', false);
    expect(state('b')).toEqual({ state: 'sent' });
    const other = open();
    const last = await other.outbox.bySeq(3);
    if (last === undefined) throw new Error('nothing is pending');
    const written = other.outbox.markSent(last, 'r', false);
    other.close();
    await written;
    expect(state('c')).toEqual({ state: 'sent' });
  });

  it('comes back for a later try with the reason, and counts the doubtful ones', async () => {
    const { store } = openTemporaryStore();
    const row = await enqueueOne(store, 'a');
    await store.outbox.reschedule(row, 123, 'no route');
    expect(await store.outbox.get(row.id)).toMatchObject({
      state: 'queued',
      nextAt: 123,
      lastError: 'no route',
      ambiguous: 0,
    });
    await store.outbox.rescheduleAmbiguous(row, 456, 'cut off');
    expect(await store.outbox.get(row.id)).toMatchObject({
      state: 'queued',
      nextAt: 456,
      lastError: 'cut off',
      ambiguous: 1,
    });
  });

  it.each(['failed', 'unknown'] as const)('ends as %s with the reason', async (state) => {
    const { store } = openTemporaryStore();
    const row = await enqueueOne(store, 'a');
    await store.outbox.abandon(row, state, 'blocked by the user');
    expect(await store.outbox.get(row.id)).toMatchObject({ state, lastError: 'blocked by the user' });
    expect((await store.outbox.pendingAfter(0)).rows).toEqual([]);
  });

  it('lets nobody begin to send under a lease that is over', async () => {
    const { store } = openTemporaryStore();
    const row = await enqueueOne(store, 'a');
    const old = await store.leases.take('w1');
    await store.leases.take('w2');
    await expect(store.outbox.markSending(row, { epoch: old, hasWindows: false })).rejects.toThrow(LeaseLost);
    expect(await store.outbox.get(row.id)).toMatchObject({ state: 'queued', attempts: 0 });
  });

  it('never numbers a row lower than one before it, also when those were removed', async () => {
    const { store, sql } = openTemporaryStore();
    const rows = [await enqueueOne(store, 'a'), await enqueueOne(store, 'b')];
    for (const row of rows) await store.outbox.markSent(row, 'r', true);
    sql('UPDATE outbox SET updated_at=0');
    await store.prune();
    expect(await store.outbox.get(rows[0]?.id ?? '')).toBeUndefined();
    expect((await enqueueOne(store, 'c')).seq).toBeGreaterThan(rows[1]?.seq ?? 0);
  });
});

describe('a delivery with a key', () => {
  it('is stored once, whole; a repetition gets the rows and the digest of the first', async () => {
    const { store } = openTemporaryStore();
    const parts = (count: number) =>
      Array.from({ length: count }, (_, index) => outboxRow(`${index}`, { part: index + 1, parts: count }));
    const first = await store.outbox.enqueue(parts(2), once);
    expect(first.isRepeat).toBe(false);
    const again = await store.outbox.enqueue(parts(3), { ...once, digest: 'other' });
    expect(again).toMatchObject({ isRepeat: true, digest: 'd' });
    expect(again.rows.map(({ id }) => id)).toEqual(first.rows.map(({ id }) => id));
    expect((await store.outbox.pendingAfter(0)).rows).toHaveLength(2);
  });

  it('is stored once when it is handed in twice at the same moment, by two workers', async () => {
    const { store, open } = openTemporaryStore();
    const other = open();
    const receipts = await Promise.all(
      [store, store, other, other].map((item) => item.outbox.enqueue([outboxRow('a')], once)),
    );
    expect(receipts.filter(({ isRepeat }) => !isRepeat)).toHaveLength(1);
    expect((await store.outbox.pendingAfter(0)).rows).toHaveLength(1);
  });

  it('is another one on another channel or account', async () => {
    const { store } = openTemporaryStore();
    for (const more of [{}, { channel: 'other' }, { accountId: 'other' }]) {
      expect((await store.outbox.enqueue([outboxRow('a')], { ...once, ...more })).isRepeat).toBe(false);
    }
  });
});

describe('the lease', () => {
  it('rises with each holder, over restarts too', async () => {
    const { store, open } = openTemporaryStore();
    expect(await store.leases.take('w1')).toBe(1);
    expect(await store.leases.take('w2')).toBe(2);
    store.close();
    expect(await open().leases.take('w1')).toBe(3);
  });

  it('is never given to two workers with one number', async () => {
    const { store, open } = openTemporaryStore();
    const other = open();
    const epochs = await Promise.all(
      Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? store : other).leases.take(`w${index}`)),
    );
    expect(new Set(epochs).size).toBe(10);
  });
});
