import type { Database, Tx } from './database.ts';
import { assertLease } from './lease.ts';

export type OutboxState = 'queued' | 'sending' | 'sent' | 'failed' | 'unknown';

export type NewOutboxRow = {
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
  /** Rises with each row; the order of delivery. */
  seq: number;
  /** The public name of the row, the same over all tries: also the idempotency key for platforms that take one. */
  id: string;
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

/** Names a delivery that must happen once; the digest tells a repetition from another one under the same key. */
export type DeliveryKey = { channel: string; accountId: string; key: string; digest?: string };

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

    get: (id: string): Promise<OutboxRow | undefined> => database.read((tx) => readById(tx, id)),

    /** Rows not yet settled that come after `seq`, oldest first, and the newest number that was looked at. */
    pendingAfter: (seq: number): Promise<{ rows: OutboxRow[]; newest: number }> =>
      database.read((tx) => {
        // First, because another worker may commit in between: what comes then is read again, and never overlooked.
        const newest = tx.get<{ seq: number | null }>('SELECT max(seq) AS seq FROM outbox')?.seq ?? 0;
        const sql = "SELECT * FROM outbox WHERE seq>? AND state IN ('queued', 'sending') ORDER BY seq";
        return { rows: tx.all<RawRow>(sql, seq).map(readRow), newest };
      }),

    /** Marks the moment before the request leaves, so that a crash in between is known to be ambiguous (OUT-1). */
    markSending: (row: OutboxRow, epoch: number): Promise<void> =>
      database.write((tx) => {
        assertLease(tx, epoch);
        update(tx, row, "state='sending', attempts=attempts+1", []);
      }),

    /**
     * Marks a row as delivered. A row whose repetition would not be seen need not be on disk at once: it joins the next
     * commit, which saves one per message.
     */
    markSent: (row: OutboxRow, remoteId: string, isUrgent: boolean): Promise<void> =>
      database.write((tx) => update(tx, row, "state='sent', remote_id=?", [remoteId]), { isUrgent }),

    /** Puts it back for a later try, at an epoch time in milliseconds. */
    reschedule: (row: OutboxRow, nextAt: number, reason: string): Promise<void> =>
      database.write((tx) => update(tx, row, "state='queued', next_at=?, last_error=?", [nextAt, reason])),

    /** Puts it back after a try of which nobody knows whether it arrived. */
    rescheduleAmbiguous: (row: OutboxRow, nextAt: number, reason: string): Promise<void> =>
      database.write((tx) =>
        update(tx, row, "state='queued', ambiguous=ambiguous+1, next_at=?, last_error=?", [nextAt, reason]),
      ),

    /** Ends it without delivery: `failed` for certain, `unknown` when it may have arrived. */
    abandon: (row: OutboxRow, state: 'failed' | 'unknown', reason: string): Promise<void> =>
      database.write((tx) => update(tx, row, 'state=?, last_error=?', [state, reason])),
  };
}

/** Inserts rows inside a larger transaction, e.g. the one that ends a turn. Returns them as stored. */
export function insertOutboxRows(tx: Tx, rows: readonly NewOutboxRow[]): OutboxRow[] {
  const now = Date.now();
  return rows.map((row) => {
    const { lastId: seq } = tx.run(
      `INSERT INTO outbox (channel, account_id, chat_id, thread_id, reply_to, session_key, run_id, part, parts, text, silent,
         next_at, expires_at, created_at, updated_at) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
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
    const id = formatId(seq, now);
    return { ...row, seq, id, state: 'queued', attempts: 0, ambiguous: 0, nextAt: now, createdAt: now, updatedAt: now };
  });
}

function update(tx: Tx, row: OutboxRow, assignments: string, values: readonly (string | number)[]): void {
  tx.run(`UPDATE outbox SET ${assignments}, updated_at=? WHERE seq=?`, ...values, Date.now(), row.seq);
}

/** The sequence number with the time, so that an id from a database that was replaced finds nothing in the new one. */
function formatId(seq: number, createdAt: number): string {
  return `msg_${seq}_${createdAt.toString(36)}`;
}

function readById(tx: Tx, id: string): OutboxRow | undefined {
  const seq = /^msg_(\d{1,15})_[0-9a-z]+$/.exec(id)?.[1];
  const raw = seq === undefined ? undefined : tx.get<RawRow>('SELECT * FROM outbox WHERE seq=?', Number(seq));
  const row = raw === undefined ? undefined : readRow(raw);
  return row?.id === id ? row : undefined;
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
  const rows = tx.all<RawRow>('SELECT * FROM outbox WHERE seq>=? AND seq<? ORDER BY seq', first, first + count);
  return { rows: rows.map(readRow), isRepeat: true, ...(seen.digest === null ? {} : { digest: seen.digest }) };
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

type RawRow = {
  seq: number;
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

function readRow(row: RawRow): OutboxRow {
  return {
    seq: row.seq,
    id: formatId(row.seq, row.created_at),
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
