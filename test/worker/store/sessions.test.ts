import { describe, expect, it } from 'vitest';
import type { Store } from '../../../worker/store/index.ts';
import type { NewMessage, SessionQuery } from '../../../worker/store/sessions.ts';
import { inboxRow, openTemporaryStore, sessionOf } from '../temporary-store.ts';

/** Stores messages in a session as a turn does. */
async function say(store: Store, chatId: string, ...texts: string[]): Promise<void> {
  for (const text of texts) {
    const [receipt] = await store.inbox.receive({ rows: [inboxRow(text, chatId)], claimFor: 'w1' });
    if (receipt?.claimed === undefined) throw new Error('not claimed');
    const message: NewMessage = { role: 'user', kind: 'text', text };
    await store.turns.finish({ row: receipt.claimed, owner: 'w1', messages: [message], outbox: [] });
  }
}

async function listKeys(store: Store, query: Partial<SessionQuery> = {}): Promise<string[]> {
  const { sessions } = await store.sessions.list({ limit: 50, offset: 0, sort: 'created', ...query });
  return sessions.map(({ key }) => key);
}

describe('a session', () => {
  it('is created once, with the parts of its key', async () => {
    const { store } = openTemporaryStore();
    const key = 'helper:telegram:work:group:-100:thread:7';
    const first = await store.sessions.ensure(key);
    const second = await store.sessions.ensure(key);
    expect(first.isNew).toBe(true);
    expect(second).toEqual({ session: first.session, isNew: false });
    expect(first.session).toMatchObject({
      key,
      agentId: 'helper',
      channel: 'telegram',
      accountId: 'work',
      peerKind: 'group',
      peerId: '-100',
      threadId: '7',
      status: 'active',
      messageCount: 0,
    });
  });

  it('is not created from what is no key', async () => {
    const { store } = openTemporaryStore();
    await expect(store.sessions.ensure('nonsense')).rejects.toThrow('no session key');
  });

  it('is removed with its messages and only them', async () => {
    const { store, sql } = openTemporaryStore();
    await say(store, '1', 'a', 'b');
    await say(store, '2', 'c');
    expect(await store.sessions.remove(sessionOf('1'))).toBe(true);
    expect(await store.sessions.remove(sessionOf('1'))).toBe(false);
    expect(await store.sessions.get(sessionOf('1'))).toBeUndefined();
    expect(sql('SELECT text FROM messages')).toEqual([{ text: 'c' }]);
  });

  it('without messages is found for reuse, one with messages is not', async () => {
    const { store } = openTemporaryStore();
    await say(store, '1', 'a');
    expect(await store.sessions.findEmpty('main', 'test')).toBeUndefined();
    await store.sessions.ensure(sessionOf('2'));
    expect(await store.sessions.findEmpty('main', 'test')).toMatchObject({ key: sessionOf('2') });
    expect(await store.sessions.findEmpty('main', 'other')).toBeUndefined();
    expect(await store.sessions.findEmpty('other', 'test')).toBeUndefined();
  });
});

describe('the transcript', () => {
  it('is read in pages from the newest back, oldest first within a page', async () => {
    const { store } = openTemporaryStore();
    await say(store, '1', 'a', 'b', 'c', 'd', 'e');
    const newest = await store.sessions.messages(sessionOf('1'), { limit: 2 });
    expect(newest.map(({ text }) => text)).toEqual(['d', 'e']);
    const older = await store.sessions.messages(sessionOf('1'), { limit: 2, before: newest[0]?.id ?? 0 });
    expect(older.map(({ text }) => text)).toEqual(['b', 'c']);
    const oldest = await store.sessions.messages(sessionOf('1'), { limit: 2, before: older[0]?.id ?? 0 });
    expect(oldest.map(({ text }) => text)).toEqual(['a']);
    expect(await store.sessions.messages(sessionOf('1'), { limit: 0 })).toEqual([]);
    expect(await store.sessions.messages(sessionOf('none'), { limit: 5 })).toEqual([]);
  });
});

describe('the list of sessions', () => {
  it('is filtered by channel, agent and status', async () => {
    const { store } = openTemporaryStore();
    const keys = ['main:a:default:direct:1', 'main:b:default:direct:1', 'helper:a:default:direct:1'];
    for (const key of keys) await store.sessions.ensure(key);
    expect(await listKeys(store, { channel: 'a' })).toEqual([keys[2], keys[0]]);
    expect(await listKeys(store, { agent: 'helper' })).toEqual([keys[2]]);
    expect(await listKeys(store, { agent: 'main', channel: 'b' })).toEqual([keys[1]]);
    expect(await listKeys(store, { status: 'archived' })).toEqual([]);
    expect(await listKeys(store, { status: 'active' })).toHaveLength(3);
  });

  it('searches for what was typed: %, _ and backslash stand for themselves', async () => {
    const { store } = openTemporaryStore();
    const ids = ['100%25', '100x', 'a_b', 'aXb', 'c\\d', 'Team'];
    for (const id of ids) await store.sessions.ensure(sessionOf(id));
    expect(await listKeys(store, { search: '0%' })).toEqual([sessionOf('100%25')]);
    expect(await listKeys(store, { search: 'a_b' })).toEqual([sessionOf('a_b')]);
    expect(await listKeys(store, { search: 'c\\d' })).toEqual([sessionOf('c\\d')]);
    expect(await listKeys(store, { search: 'team' })).toEqual([sessionOf('Team')]);
    expect(await listKeys(store, { search: "'; DROP TABLE sessions; --" })).toEqual([]);
    expect(await listKeys(store)).toHaveLength(6);
  });

  it('comes in pages that hold each session once, with the total', async () => {
    const { store } = openTemporaryStore();
    for (let index = 0; index < 7; index += 1) await store.sessions.ensure(sessionOf(`${index}`));
    const pages = await Promise.all(
      [0, 3, 6].map((offset) => store.sessions.list({ limit: 3, offset, sort: 'updated' })),
    );
    expect(pages.map(({ total }) => total)).toEqual([7, 7, 7]);
    const keys = pages.flatMap(({ sessions }) => sessions.map(({ key }) => key));
    expect(new Set(keys).size).toBe(7);
    expect((await store.sessions.list({ limit: 3, offset: 99, sort: 'updated' })).sessions).toEqual([]);
  });

  it('is sorted by the last message, or by age', async () => {
    const { store, sql } = openTemporaryStore();
    await say(store, '1', 'a');
    await say(store, '2', 'b');
    sql("UPDATE sessions SET updated_at=updated_at+1000 WHERE peer_id='1'");
    expect(await listKeys(store, { sort: 'updated' })).toEqual([sessionOf('1'), sessionOf('2')]);
    expect(await listKeys(store, { sort: 'created' })).toEqual([sessionOf('2'), sessionOf('1')]);
  });
});
