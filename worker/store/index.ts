import { type CronJobs, createCronJobs } from './cron-jobs.ts';
import { pruneCron } from './cron-prune.ts';
import { type CronRuns, createCronRuns } from './cron-runs.ts';
import { createInbox, type Inbox } from './inbox.ts';
import { createLeases, type Leases } from './lease.ts';
import { openDatabase, type StoreOptions } from './open.ts';
import { createOutbox, type Outbox } from './outbox.ts';
import { createPairings, type Pairings } from './pairings.ts';
import { createPeers, type Peers } from './peers.ts';
import { pruneRows } from './prune.ts';
import { createSessions, type Sessions } from './sessions.ts';
import { createTurns, type Turns } from './turns.ts';
import { createWindows, type Windows } from './windows.ts';

export type Store = {
  inbox: Inbox;
  outbox: Outbox;
  sessions: Sessions;
  turns: Turns;
  pairings: Pairings;
  peers: Peers;
  windows: Windows;
  leases: Leases;
  cronJobs: CronJobs;
  cronRuns: CronRuns;
  /** Forgets dedupe keys and settled outbox rows older than their keeping time. */
  prune(): Promise<void>;
  /** Forgets what became of jobs before an epoch time in milliseconds. */
  pruneCron(before: number): Promise<void>;
  /** Commits what is waiting and closes the database. */
  close(): void;
};

/** Opens everything that survives a restart. Only this folder knows that it is SQLite. */
export function openStore(options: StoreOptions): Store {
  const database = openDatabase(options);
  return {
    inbox: createInbox(database, options.onCorrupt ?? (() => undefined)),
    outbox: createOutbox(database),
    sessions: createSessions(database),
    turns: createTurns(database),
    pairings: createPairings(database),
    peers: createPeers(database),
    windows: createWindows(database),
    leases: createLeases(database),
    cronJobs: createCronJobs(database),
    cronRuns: createCronRuns(database),
    prune: () => pruneRows(database),
    pruneCron: (before) => pruneCron(database, before),
    close: () => database.close(),
  };
}
