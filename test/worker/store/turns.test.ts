import { describe, expect, it } from 'vitest';
import type { InboxRow } from '../../../worker/store/inbox-row.ts';
import type { Store } from '../../../worker/store/index.ts';
import { ClaimLost } from '../../../worker/store/turns.ts';
import { inboxRow, openTemporaryStore, outboxRow, sessionOf } from '../temporary-store.ts';

async function claim(store: Store, runId: string, owner = 'w1'): Promise<InboxRow> {
  const [receipt] = await store.inbox.receive({ rows: [inboxRow(runId, '1')], claimFor: owner });
  if (receipt?.claimed === undefined) throw new Error('not claimed');
  return receipt.claimed;
}

const question = { role: 'user', kind: 'text', text: 'hello', runId: 'a' } as const;
const answer = {
  role: 'assistant',
  kind: 'text',
  text: 'hi',
  runId: 'a',
  model: 'p/m',
  usage: { inputTokens: 3, outputTokens: 2 },
} as const;

describe('finishing a turn', () => {
  it('commits transcript and replies and takes the message out of the inbox', async () => {
    const { store } = openTemporaryStore();
    const row = await claim(store, 'a');
    const rows = await store.turns.finish({
      row,
      owner: 'w1',
      messages: [question, answer],
      outbox: [outboxRow('hi')],
    });
    expect(rows).toMatchObject([{ text: 'hi', state: 'queued', seq: 1 }]);
    expect(await store.inbox.count()).toBe(0);
    expect(await store.sessions.messages(row.sessionKey, { limit: 10 })).toMatchObject([question, answer]);
    expect(await store.sessions.get(row.sessionKey)).toMatchObject({ messageCount: 2, peerId: '1', channel: 'test' });
    expect(await store.sessions.reply(row.sessionKey, 'a')).toMatchObject({ text: 'hi' });
  });

  it('of a message that another worker took over changes nothing', async () => {
    const { store } = openTemporaryStore();
    const row = await claim(store, 'a');
    await store.inbox.recover({ owner: 'w1' });
    await store.inbox.claim(row.sessionKey, 'w2');
    const late = store.turns.finish({ row, owner: 'w1', messages: [question], outbox: [outboxRow('hi')] });
    await expect(late).rejects.toThrow(ClaimLost);
    expect(await store.sessions.get(row.sessionKey)).toBeUndefined();
    expect((await store.outbox.pendingAfter(0)).rows).toEqual([]);
    expect(await store.inbox.count()).toBe(1);
    await store.turns.finish({ row, owner: 'w2', messages: [question], outbox: [] });
    expect(await store.inbox.count()).toBe(0);
  });

  it('twice stores its answer once', async () => {
    const { store } = openTemporaryStore();
    const row = await claim(store, 'a');
    const finish = () =>
      store.turns.finish({ row, owner: 'w1', messages: [question, answer], outbox: [outboxRow('hi')] });
    const results = await Promise.allSettled([finish(), finish()]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(await store.sessions.messages(sessionOf('1'), { limit: 10 })).toHaveLength(2);
  });

  it('whose reply cannot be stored keeps the message and no half of the transcript', async () => {
    const { store } = openTemporaryStore();
    const row = await claim(store, 'a');
    const broken = { ...outboxRow('a'), text: null as unknown as string };
    await expect(store.turns.finish({ row, owner: 'w1', messages: [question], outbox: [broken] })).rejects.toThrow();
    expect(await store.sessions.get(row.sessionKey)).toBeUndefined();
    expect(await store.inbox.isPending('a')).toBe(true);
  });
});
