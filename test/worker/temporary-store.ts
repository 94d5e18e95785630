import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { onTestFinished } from 'vitest';
import type { InboxPayload, NewInboxRow } from '../../worker/store/inbox-row.ts';
import { openStore, type Store } from '../../worker/store/index.ts';
import type { StoreOptions } from '../../worker/store/open.ts';
import type { NewOutboxRow, OutboxRow } from '../../worker/store/outbox-row.ts';
import { makeTemporaryDirectory } from '../fixtures/programs.ts';

export type TemporaryStore = {
  store: Store;
  path: string;
  /** Opens the same database once more, as another worker would. */
  open(): Store;
  /** Runs a statement on a connection of its own, past the product. */
  sql(statement: string): unknown[];
};

/** A store on a database file of its own, which is removed when the test ends. */
export function openTemporaryStore(options: Pick<StoreOptions, 'onCorrupt'> = {}): TemporaryStore {
  const directory = makeTemporaryDirectory();
  const path = join(directory.path, 'state', 'gateway.db');
  const stores: Store[] = [];
  onTestFinished(() => {
    for (const store of stores) store.close();
    directory.remove();
  });
  const open = (): Store => {
    const store = openStore({ path, durability: 'normal', ...options });
    stores.push(store);
    return store;
  };
  return { store: open(), path, open, sql: (statement) => runSql(path, statement) };
}

/** Runs one statement on a connection of its own. */
export function runSql(path: string, statement: string): unknown[] {
  const sqlite = new DatabaseSync(path);
  try {
    return sqlite.prepare(statement).all();
  } finally {
    sqlite.close();
  }
}

/** The key of a private chat on the channel `test`. */
export function sessionOf(chatId: string): string {
  return `main:test:default:direct:${chatId}`;
}

/** A message as the inbox takes it. */
export function inboxRow(
  runId: string,
  chatId: string,
  more: Partial<InboxPayload> & { key?: string } = {},
): NewInboxRow {
  const { key, ...payload } = more;
  return {
    runId,
    sessionKey: sessionOf(chatId),
    payload: {
      channel: 'test',
      accountId: 'default',
      peerKind: 'direct',
      chatId,
      senderId: chatId,
      text: `text of ${runId}`,
      deliver: true,
      ...payload,
    },
    ...(key === undefined ? {} : { dedupe: { key } }),
  };
}

/** A message as the outbox takes it. */
export function outboxRow(text: string, more: Partial<NewOutboxRow> = {}): NewOutboxRow {
  return {
    channel: 'test',
    accountId: 'default',
    chatId: '42',
    part: 1,
    parts: 1,
    text,
    expiresAt: Date.now() + 3_600_000,
    ...more,
  };
}

/** Stores one message in the outbox. */
export async function enqueueOne(store: Store, text: string, more: Partial<NewOutboxRow> = {}): Promise<OutboxRow> {
  const { rows } = await store.outbox.enqueue([outboxRow(text, more)]);
  const [row] = rows;
  if (row === undefined) throw new Error('Nothing was stored');
  return row;
}
