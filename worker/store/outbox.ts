import type { Database, Tx } from './database.ts';
import { assertLease } from './lease.ts';

export type OutboxState = 'queued' | 'sending' | 'sent' | 'failed' | 'unknown';

export type NewOutboxRow = {
  /** Also the idempotency key: the same id is stored once. */
  id: string;
  channel: string;
  accountId: string;
  chatId: string;
  threadId?: string;
  replyTo?: string;
  sessionKey?: string;
  runId?: string;
  part: number;
  parts: number;
  text: string;
  silent?: boolean;
  /** Epoch milliseconds after which it is a dead letter. */
  expiresAt: number;
};

export type OutboxRow = NewOutboxRow & {
  seq: number;
  state: OutboxState;
  attempts: number;
  /** How often a try ended without knowing whether it arrived; a later copy may be a repeat. */
  ambiguous: number;
  nextAt: number;
  remoteId?: string;
  lastError?: string;
  createdAt: number;
  updatedAt: number;
};

export type Outbox = ReturnType<typeof createOutbox>;

/** The durable queue of messages on their way out, kept after delivery so that their state can be asked for. */
export function createOutbox(database: Database) {
  const change = (
    row: { id: string },
    state: OutboxState,
    fields: Partial<Record<'next_at' | 'remote_id' | 'last_error', string | number>>,
  ) =>
    database.write((tx) => {
      const names = Object.keys(fields);
      const assignments = names.map((name) => `, ${name}=?`).join('');
      tx.run(
        `UPDATE outbox SET state=?, updated_at=?${assignments} WHERE id=?`,
        state,
        Date.now(),
        ...Object.values(fields),
        row.id,
      );
    });

  return {
    /** Adds the parts of a message; when the first one's id is there already, nothing is added. Returns what is stored now. */
    enqueue: (rows: readonly NewOutboxRow[]): Promise<OutboxRow[]> =>
      database.write((tx) => {
        const [first] = rows;
        if (first !== undefined && readById(tx, first.id) === undefined) insertOutboxRows(tx, rows);
        return readOutboxRows(tx, rows);
      }),

    get: (id: string): Promise<OutboxRow | undefined> => database.read((tx) => readById(tx, id)),

    /** Rows not yet settled that come after `seq`, oldest first. */
    pendingAfter: (seq: number): Promise<OutboxRow[]> =>
      database.read((tx) =>
        tx
          .all<RawRow>("SELECT * FROM outbox WHERE state IN ('queued', 'sending') AND seq>? ORDER BY seq", seq)
          .map(readRow),
      ),

    /** Marks the moment before the request leaves, so that a crash in between is known to be ambiguous (OUT-1). */
    markSending: (row: OutboxRow, epoch: number): Promise<void> =>
      database.write((tx) => {
        assertLease(tx, epoch);
        tx.run("UPDATE outbox SET state='sending', attempts=attempts+1, updated_at=? WHERE id=?", Date.now(), row.id);
      }),

    markSent: (row: OutboxRow, remoteId: string) => change(row, 'sent', { remote_id: remoteId }),

    /** Puts it back for a later try, at an epoch time in milliseconds. */
    reschedule: (row: OutboxRow, nextAt: number, reason: string) =>
      change(row, 'queued', { next_at: nextAt, last_error: reason }),

    /** Puts it back after a try of which nobody knows whether it arrived. */
    rescheduleAmbiguous: (row: OutboxRow, nextAt: number, reason: string): Promise<void> =>
      database.write((tx) => {
        tx.run(
          "UPDATE outbox SET state='queued', ambiguous=ambiguous+1, next_at=?, last_error=?, updated_at=? WHERE id=?",
          nextAt,
          reason,
          Date.now(),
          row.id,
        );
      }),

    /** Ends it without delivery: `failed` for certain, `unknown` when it may have arrived. */
    abandon: (row: OutboxRow, state: 'failed' | 'unknown', reason: string) =>
      change(row, state, { last_error: reason }),

    counts: (): Promise<Record<'queued' | 'sending', number>> =>
      database.read((tx) => {
        const rows = tx.all<{ state: string; n: number }>(
          "SELECT state, count(*) AS n FROM outbox WHERE state IN ('queued', 'sending') GROUP BY state",
        );
        const byState = new Map(rows.map((row) => [row.state, row.n]));
        return { queued: byState.get('queued') ?? 0, sending: byState.get('sending') ?? 0 };
      }),
  };
}

/** Inserts rows inside a larger transaction, e.g. the one that ends a turn. */
export function insertOutboxRows(tx: Tx, rows: readonly NewOutboxRow[]): void {
  const now = Date.now();
  for (const row of rows) {
    tx.run(
      `INSERT INTO outbox (id, channel, account_id, chat_id, thread_id, reply_to, session_key, run_id, part, parts, text, silent,
         next_at, expires_at, created_at, updated_at) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING`,
      row.id,
      row.channel,
      row.accountId,
      row.chatId,
      row.threadId ?? null,
      row.replyTo ?? null,
      row.sessionKey ?? null,
      row.runId ?? null,
      row.part,
      row.parts,
      row.text,
      row.silent === true ? 1 : 0,
      now,
      row.expiresAt,
      now,
      now,
    );
  }
}

/** The rows of a finished turn, as stored. */
export function readOutboxRows(tx: Tx, rows: readonly NewOutboxRow[]): OutboxRow[] {
  return rows.flatMap((row) => readById(tx, row.id) ?? []);
}

type RawRow = {
  seq: number;
  id: string;
  channel: string;
  account_id: string;
  chat_id: string;
  thread_id: string | null;
  reply_to: string | null;
  session_key: string | null;
  run_id: string | null;
  part: number;
  parts: number;
  text: string;
  silent: number;
  state: OutboxState;
  attempts: number;
  ambiguous: number;
  next_at: number;
  expires_at: number;
  remote_id: string | null;
  last_error: string | null;
  created_at: number;
  updated_at: number;
};

function readById(tx: Tx, id: string): OutboxRow | undefined {
  const row = tx.get<RawRow>('SELECT * FROM outbox WHERE id=?', id);
  return row === undefined ? undefined : readRow(row);
}

function readRow(row: RawRow): OutboxRow {
  return {
    seq: row.seq,
    id: row.id,
    channel: row.channel,
    accountId: row.account_id,
    chatId: row.chat_id,
    part: row.part,
    parts: row.parts,
    text: row.text,
    silent: row.silent === 1,
    state: row.state,
    attempts: row.attempts,
    ambiguous: row.ambiguous,
    nextAt: row.next_at,
    expiresAt: row.expires_at,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    ...(row.thread_id === null ? {} : { threadId: row.thread_id }),
    ...(row.reply_to === null ? {} : { replyTo: row.reply_to }),
    ...(row.session_key === null ? {} : { sessionKey: row.session_key }),
    ...(row.run_id === null ? {} : { runId: row.run_id }),
    ...(row.remote_id === null ? {} : { remoteId: row.remote_id }),
    ...(row.last_error === null ? {} : { lastError: row.last_error }),
  };
}
