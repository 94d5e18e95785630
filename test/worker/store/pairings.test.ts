import { describe, expect, it } from 'vitest';
import type { PairingRequest } from '../../../worker/store/pairings.ts';
import { enqueueOne, inboxRow, openTemporaryStore } from '../temporary-store.ts';

function request(peerId: string, code: string, more: Partial<PairingRequest> = {}): PairingRequest {
  return { channel: 'test', accountId: 'default', peerId, code, expiresAt: Date.now() + 60_000, ...more };
}

describe('a pairing', () => {
  it('is asked for, approved by its code once, and revoked', async () => {
    const { store } = openTemporaryStore();
    const requested = await store.pairings.request(request('7', 'CODE', { name: 'Ann' }));
    expect(requested).toMatchObject({ isNew: true, pairing: { state: 'pending', code: 'CODE', name: 'Ann' } });
    expect(await store.pairings.isApproved('test', 'default', '7')).toBe(false);
    expect(await store.pairings.approve('CODE')).toMatchObject({ peerId: '7', state: 'approved', name: 'Ann' });
    expect(await store.pairings.approve('CODE')).toBeUndefined();
    expect(await store.pairings.isApproved('test', 'default', '7')).toBe(true);
    expect(await store.pairings.isApproved('test', 'other', '7')).toBe(false);
    expect(await store.pairings.revoke('test', 'default', '7')).toBe(true);
    expect(await store.pairings.revoke('test', 'default', '7')).toBe(false);
    expect(await store.pairings.isApproved('test', 'default', '7')).toBe(false);
  });

  it('keeps its code while it is valid and gets a new one after', async () => {
    const { store } = openTemporaryStore();
    await store.pairings.request(request('7', 'FIRST'));
    const again = await store.pairings.request(request('7', 'SECOND'));
    expect(again).toMatchObject({ isNew: false, pairing: { code: 'FIRST' } });
    await store.pairings.request(request('8', 'OLD', { expiresAt: Date.now() - 1 }));
    expect(await store.pairings.approve('OLD')).toBeUndefined();
    expect(await store.pairings.request(request('8', 'NEW'))).toMatchObject({ isNew: true, pairing: { code: 'NEW' } });
  });

  it('that was approved is not asked for again', async () => {
    const { store } = openTemporaryStore();
    await store.pairings.request(request('7', 'CODE'));
    await store.pairings.approve('CODE');
    const again = await store.pairings.request(request('7', 'OTHER'));
    expect(again).toMatchObject({ isNew: false, pairing: { state: 'approved' } });
    expect(again?.pairing.code).toBeUndefined();
  });

  it('is asked for by at most three at a time and account', async () => {
    const { store } = openTemporaryStore();
    for (const peer of ['1', '2', '3']) await store.pairings.request(request(peer, `CODE${peer}`));
    expect(await store.pairings.request(request('4', 'CODE4'))).toBeUndefined();
    expect(await store.pairings.request(request('3', 'OTHER'))).toMatchObject({ pairing: { code: 'CODE3' } });
    expect(await store.pairings.request(request('4', 'CODE5', { accountId: 'other' }))).toMatchObject({ isNew: true });
    await store.pairings.revoke('test', 'default', '1');
    expect(await store.pairings.request(request('4', 'CODE4'))).toMatchObject({ isNew: true });
    expect((await store.pairings.list()).map(({ peerId }) => peerId).sort()).toEqual(['2', '3', '4', '4']);
  });

  it('that expired or was approved makes room for others', async () => {
    const { store } = openTemporaryStore();
    await store.pairings.request(request('1', 'CODE1', { expiresAt: Date.now() - 1 }));
    for (const peer of ['2', '3', '4']) await store.pairings.request(request(peer, `CODE${peer}`));
    await store.pairings.approve('CODE2');
    expect(await store.pairings.request(request('5', 'CODE5'))).toMatchObject({ isNew: true });
  });

  it('is listed until it expires', async () => {
    const { store } = openTemporaryStore();
    await store.pairings.request(request('7', 'VALID'));
    await store.pairings.request(request('8', 'EXPIRED', { expiresAt: Date.now() - 1 }));
    expect((await store.pairings.list()).map(({ peerId }) => peerId)).toEqual(['7']);
  });
});

describe('pruning', () => {
  it('forgets old keys, old settled messages and expired requests, and nothing that is still needed', async () => {
    const { store, sql } = openTemporaryStore();
    await store.inbox.receive({ rows: [inboxRow('old', '1', { key: 'old' }), inboxRow('new', '2', { key: 'new' })] });
    await store.outbox.markSent(await enqueueOne(store, 'sent'), 'r', true);
    await store.outbox.abandon(await enqueueOne(store, 'failed'), 'failed', 'r');
    await store.outbox.abandon(await enqueueOne(store, 'unknown'), 'unknown', 'r');
    await enqueueOne(store, 'queued');
    await store.outbox.markSent(await enqueueOne(store, 'fresh'), 'r', true);
    await store.pairings.request(request('7', 'EXPIRED', { expiresAt: Date.now() - 1 }));
    await store.pairings.request(request('8', 'VALID'));
    sql("UPDATE dedupe SET seen_at=1 WHERE key='old'");
    sql("UPDATE outbox SET updated_at=1 WHERE text<>'fresh'");
    await store.prune();
    expect(sql('SELECT key FROM dedupe')).toEqual([{ key: 'new' }]);
    expect(sql('SELECT text FROM outbox ORDER BY seq')).toEqual([{ text: 'queued' }, { text: 'fresh' }]);
    expect(sql('SELECT peer_id FROM pairings')).toEqual([{ peer_id: '8' }]);
    expect(await store.inbox.count()).toBe(2);
  });
});
