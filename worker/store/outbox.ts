import type { Database, Tx } from './database.ts';
import { assertLease } from './lease.ts';
import {
  dropOutboxRow,
  listOutbox,
  measureOutbox,
  type OutboxQuery,
  type OutboxStats,
  retryOutboxRow,
} from './outbox-list.ts';
import {
  findOutboxRow,
  insertOutboxRows,
  type NewOutboxRow,
  type OutboxRow,
  type RawOutboxRow,
  readOutboxRow,
} from './outbox-row.ts';
import { closeWindow, returnToWindow, type SendWindow, takeFromWindow } from './windows.ts';

/** Names a delivery that must happen once; the digest tells a repetition from another one under the same key. */
export type DeliveryKey = { channel: string; accountId: string; key: string; digest?: string };

/** A conversation on a platform. */
export type Chat = { channel: string; accountId: string; chatId: string; threadId?: string };

export type EnqueueReceipt = { rows: OutboxRow[]; isRepeat: boolean; digest?: string };

export type Outbox = ReturnType<typeof createOutbox>;

/** The durable queue of messages on their way out, kept after delivery so that their state can be asked for. */
export function createOutbox(database: Database) {
  return {
    /** Adds rows in order. With a key the same delivery is stored once: a repetition returns the rows of the first time. */
    enqueue: (rows: readonly NewOutboxRow[], once?: DeliveryKey): Promise<EnqueueReceipt> =>
      database.write((tx) => {
        const seen = once === undefined ? undefined : findDelivery(tx, once);
        if (seen !== undefined) return seen;
        const added = insertOutboxRows(tx, rows);
        if (once !== undefined && added[0] !== undefined) rememberDelivery(tx, once, added[0].seq, added.length);
        return { rows: added, isRepeat: false };
      }),

    /** What became of a delivery that was handed in before; undefined when it was not. */
    findDelivery: (key: DeliveryKey): Promise<EnqueueReceipt | undefined> =>
      database.read((tx) => findDelivery(tx, key)),

    /** The files, by their names in their folder, of all messages that are still remembered. */
    fileNames: (): Promise<string[]> =>
      database.read((tx) =>
        tx
          .all<{ path: string }>("SELECT file ->> 'path' AS path FROM outbox WHERE file IS NOT NULL")
          .map(({ path }) => path),
      ),

    /** Whether messages to a chat are not yet delivered, whoever committed them. */
    isWaiting: ({ channel, accountId, chatId, threadId }: Chat): Promise<boolean> =>
      database.read(
        (tx) =>
          tx.get(
            "SELECT 1 FROM outbox WHERE state IN ('queued', 'sending') AND channel=? AND account_id=? AND chat_id=? AND thread_id IS ? LIMIT 1",
            channel,
            accountId,
            chatId,
            threadId ?? null,
          ) !== undefined,
      ),

    get: (id: string): Promise<OutboxRow | undefined> => database.read((tx) => findOutboxRow(tx, id)),

    /** The row with a sequence number as it is now; undefined when it was removed. */
    bySeq: (seq: number): Promise<OutboxRow | undefined> =>
      database.read((tx) => {
        const row = tx.get<RawOutboxRow>('SELECT * FROM outbox WHERE seq=?', seq);
        return row === undefined ? undefined : readOutboxRow(row);
      }),

    /** Up to `limit` rows not yet settled that come after `seq`, oldest first, and the newest number that needs no second look. */
    pendingAfter: (seq: number, limit = 1_000): Promise<{ rows: PendingRow[]; newest: number }> =>
      database.read((tx) => {
        // First, because another worker may commit in between: what comes then is read again, and never overlooked.
        const newest = tx.get<{ seq: number | null }>('SELECT max(seq) AS seq FROM outbox')?.seq ?? 0;
        const rows = tx.all<RawPending>(
          `SELECT seq, channel, account_id, chat_id, thread_id FROM outbox
           WHERE seq>? AND state IN ('queued', 'sending') ORDER BY seq LIMIT ?`,
          seq,
          limit,
        );
        const last = rows.at(-1)?.seq ?? seq;
        return { rows: rows.map(readPending), newest: rows.length === limit ? last : Math.max(newest, last) };
      }),

    /**
     * Marks the moment before the request leaves, so that a crash in between is known to be ambiguous (OUT-1), and counts it in
     * the window of its chat if the platform has windows. `dropped` when the row is no longer waiting.
     */
    markSending: (
      row: OutboxRow,
      { epoch, hasWindows }: { epoch: number; hasWindows: boolean },
    ): Promise<{ window?: SendWindow } | 'dropped' | 'closed'> =>
      database.write((tx) => {
        assertLease(tx, epoch);
        if (tx.get("SELECT 1 FROM outbox WHERE seq=? AND state='queued'", row.seq) === undefined) return 'dropped';
        const window = hasWindows ? takeFromWindow(tx, row) : undefined;
        if (hasWindows && window === undefined) return 'closed';
        update(tx, row, "state='sending', attempts=attempts+1, held=NULL", []);
        return window === undefined ? {} : { window };
      }),

    /** Puts it back until its peer writes; `isRefused` when the platform said so, whatever we counted. */
    hold: (row: OutboxRow, reason: string, isRefused: boolean): Promise<void> =>
      database.write((tx) => {
        if (isRefused) closeWindow(tx, row);
        update(tx, row, "state='queued', held=?, last_error=?", [reason, reason]);
      }),

    /**
     * Marks a row as delivered. A row whose repetition would not be seen need not be on disk at once: it joins the next
     * commit, which saves one per message.
     */
    markSent: (row: OutboxRow, remoteId: string, isUrgent: boolean): Promise<void> =>
      database.write((tx) => update(tx, row, "state='sent', remote_id=?", [remoteId]), { isUrgent }),

    /** Puts it back for a later try, at an epoch time in milliseconds; it was certainly not sent. */
    reschedule: (row: OutboxRow, nextAt: number, reason: string): Promise<void> =>
      database.write((tx) => {
        const isCounted = tx.get("SELECT 1 FROM outbox WHERE seq=? AND state='sending'", row.seq) !== undefined;
        if (isCounted) returnToWindow(tx, row);
        update(tx, row, "state='queued', next_at=?, last_error=?", [nextAt, reason]);
      }),

    /** Puts it back after a try of which nobody knows whether it arrived. */
    rescheduleAmbiguous: (row: OutboxRow, nextAt: number, reason: string): Promise<void> =>
      database.write((tx) =>
        update(tx, row, "state='queued', ambiguous=ambiguous+1, next_at=?, last_error=?", [nextAt, reason]),
      ),

    /** The message it was to take the place of is gone: it is sent as one of its own. */
    forgetReplaced: (row: OutboxRow): Promise<void> =>
      database.write((tx) => update(tx, row, "state='queued', replaces=NULL", [])),

    /** Ends it without delivery: `failed` for certain, `unknown` when it may have arrived. */
    abandon: (row: OutboxRow, state: 'failed' | 'unknown', reason: string): Promise<void> =>
      database.write((tx) => update(tx, row, 'state=?, last_error=?', [state, reason])),

    /** One page of rows, newest first, and where the next one begins. */
    list: (query: OutboxQuery): Promise<{ rows: OutboxRow[]; next?: string }> =>
      database.read((tx) => listOutbox(tx, query)),

    /** How many wait and are dead, and since when the oldest waits (OUT-4). */
    stats: (): Promise<OutboxStats> => database.read(measureOutbox),

    /** Queues a dead letter again, as a new row that lives until `expiresAt`. Says why when it cannot be. */
    retry: (id: string, expiresAt: number): Promise<OutboxRow | 'missing' | 'not-dead'> =>
      database.write((tx) => retryOutboxRow(tx, id, expiresAt)),

    /** Gives up a row that waits, or forgets a dead letter. Says why when it cannot. */
    drop: (id: string): Promise<OutboxRow | 'missing' | 'under-way'> => database.write((tx) => dropOutboxRow(tx, id)),
  };
}

/** Where a waiting row goes; the rest is read when its turn comes, so that a long queue takes little memory. */
export type PendingRow = Pick<OutboxRow, 'seq' | 'channel' | 'accountId' | 'chatId' | 'threadId'>;

type RawPending = Pick<RawOutboxRow, 'seq' | 'channel' | 'account_id' | 'chat_id' | 'thread_id'>;

function readPending({
  seq,
  channel,
  account_id: accountId,
  chat_id: chatId,
  thread_id: threadId,
}: RawPending): PendingRow {
  return { seq, channel, accountId, chatId, ...(threadId === null ? {} : { threadId }) };
}

function update(tx: Tx, row: OutboxRow, assignments: string, values: readonly (string | number)[]): void {
  tx.run(`UPDATE outbox SET ${assignments}, updated_at=? WHERE seq=?`, ...values, Date.now(), row.seq);
}

/** Deliveries are remembered among the dedupe keys, as the number of their first row and how many there are. */
function findDelivery(tx: Tx, { channel, accountId, key }: DeliveryKey): EnqueueReceipt | undefined {
  const seen = tx.get<{ run_id: string; digest: string | null }>(
    'SELECT run_id, digest FROM dedupe WHERE channel=? AND account_id=? AND key=?',
    channel,
    accountId,
    `out:${key}`,
  );
  if (seen === undefined) return undefined;
  const [first = 0, count = 0] = seen.run_id.split('+').map(Number);
  const rows = tx.all<RawOutboxRow>('SELECT * FROM outbox WHERE seq>=? AND seq<? ORDER BY seq', first, first + count);
  return { rows: rows.map(readOutboxRow), isRepeat: true, ...(seen.digest === null ? {} : { digest: seen.digest }) };
}

function rememberDelivery(
  tx: Tx,
  { channel, accountId, key, digest }: DeliveryKey,
  first: number,
  count: number,
): void {
  tx.run(
    'INSERT INTO dedupe (channel, account_id, key, run_id, session_key, digest, seen_at) VALUES (?,?,?,?,?,?,?)',
    channel,
    accountId,
    `out:${key}`,
    `${first}+${count}`,
    '',
    digest ?? null,
    Date.now(),
  );
}
