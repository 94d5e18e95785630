import type { Database } from './database.ts';
import { createInbox, type Inbox } from './inbox.ts';
import { createLeases, type Leases } from './lease.ts';
import { openDatabase, type StoreOptions } from './open.ts';
import { createOutbox, type Outbox } from './outbox.ts';
import { createPairings, type Pairings } from './pairings.ts';
import { createSessions, type Sessions } from './sessions.ts';
import { createTurns, type Turns } from './turns.ts';

export type Store = {
  inbox: Inbox;
  outbox: Outbox;
  sessions: Sessions;
  turns: Turns;
  pairings: Pairings;
  leases: Leases;
  /** Forgets dedupe keys and settled outbox rows older than their keeping time. */
  prune(): Promise<void>;
  /** Commits what is waiting and closes the database. */
  close(): void;
};

/** Platforms redeliver for up to a day or so; keys are kept for three (channels keep at least 48 h). */
const DEDUPE_KEEP_MS = 72 * 3_600_000;
const OUTBOX_KEEP_MS = 7 * 24 * 3_600_000;

/** Opens everything that survives a restart. Only this folder knows that it is SQLite. */
export function openStore(options: StoreOptions): Store {
  const database = openDatabase(options);
  return {
    inbox: createInbox(database),
    outbox: createOutbox(database),
    sessions: createSessions(database),
    turns: createTurns(database),
    pairings: createPairings(database),
    leases: createLeases(database),
    prune: () => prune(database),
    close: () => database.close(),
  };
}

function prune(database: Database): Promise<void> {
  return database.write((tx) => {
    const now = Date.now();
    tx.run('DELETE FROM dedupe WHERE seen_at<?', now - DEDUPE_KEEP_MS);
    // The newest row stays: SQLite would give its number away again, and the reader of the queue would overlook that row.
    tx.run(
      "DELETE FROM outbox WHERE state NOT IN ('queued', 'sending') AND updated_at<? AND seq<(SELECT max(seq) FROM outbox)",
      now - OUTBOX_KEEP_MS,
    );
    tx.run("DELETE FROM pairings WHERE state='pending' AND expires_at<?", now);
  });
}
