import type { Tx } from './database.ts';
import {
  findOutboxRow,
  insertOutboxRows,
  type OutboxRow,
  type OutboxState,
  type RawOutboxRow,
  readOutboxRow,
} from './outbox-row.ts';

/** What to list: `pending` waits or is being sent, `dead` was given up and not tried again (OUT-4). */
export type OutboxQuery = {
  filter: 'pending' | 'dead' | 'all';
  channel?: string | undefined;
  chatId?: string | undefined;
  limit: number;
  /** Rows older than the one with this id. */
  before?: string | undefined;
};

export type OutboxStats = {
  pending: number;
  dead: number;
  /** Epoch milliseconds at which the oldest waiting row was queued. */
  oldestAt?: number;
};

const CONDITIONS: Record<OutboxQuery['filter'], string> = {
  pending: "state IN ('queued', 'sending')",
  dead: "state IN ('failed', 'unknown') AND closed_as IS NULL",
  all: 'TRUE',
};

/** Reads one page, newest first. */
export function listOutbox(tx: Tx, query: OutboxQuery): { rows: OutboxRow[]; next?: string } {
  const conditions = [CONDITIONS[query.filter]];
  const values: (string | number)[] = [];
  const where = (condition: string, value: string | number | undefined): void => {
    if (value === undefined) return;
    conditions.push(condition);
    values.push(value);
  };
  where('channel=?', query.channel);
  where('chat_id=?', query.chatId);
  where('seq<?', query.before === undefined ? undefined : (findOutboxRow(tx, query.before)?.seq ?? 0));
  const sql = `SELECT * FROM outbox WHERE ${conditions.join(' AND ')} ORDER BY seq DESC LIMIT ?`;
  const rows = tx.all<RawOutboxRow>(sql, ...values, query.limit + 1).map(readOutboxRow);
  const page = rows.slice(0, query.limit);
  const last = page.at(-1);
  return { rows: page, ...(rows.length > query.limit && last !== undefined ? { next: last.id } : {}) };
}

/** Counts by the two small indexes. */
export function measureOutbox(tx: Tx): OutboxStats {
  const count = (condition: string): number =>
    tx.get<{ n: number }>(`SELECT count(*) AS n FROM outbox WHERE ${condition}`)?.n ?? 0;
  const oldest = tx.get<{ created_at: number }>(
    `SELECT created_at FROM outbox WHERE ${CONDITIONS.pending} ORDER BY seq LIMIT 1`,
  );
  return {
    pending: count(CONDITIONS.pending),
    dead: count(CONDITIONS.dead),
    ...(oldest === undefined ? {} : { oldestAt: oldest.created_at }),
  };
}

/** A copy at the end of the queue: its reader goes on from the newest row it knows and never back. */
export function retryOutboxRow(tx: Tx, id: string, expiresAt: number): OutboxRow | 'missing' | 'not-dead' {
  const row = findOutboxRow(tx, id);
  if (row === undefined) return 'missing';
  if (!isDead(row.state) || row.closedAs !== undefined) return 'not-dead';
  // What may have arrived already is a possible repeat when it goes out again.
  const ambiguous = row.state === 'unknown' ? 1 : 0;
  const [copy] = insertOutboxRows(tx, [{ ...row, ambiguous, expiresAt }]);
  if (copy === undefined) throw new Error('A row that was inserted is missing');
  tx.run('UPDATE outbox SET closed_as=?, updated_at=? WHERE seq=?', copy.id, Date.now(), row.seq);
  return copy;
}

/** A row that waits becomes a dead letter that nobody needs to look at; one that is being sent cannot be called back. */
export function dropOutboxRow(tx: Tx, id: string): OutboxRow | 'missing' | 'under-way' {
  const row = findOutboxRow(tx, id);
  if (row === undefined) return 'missing';
  if (row.state === 'sending' || row.state === 'sent') return 'under-way';
  const state: OutboxState = row.state === 'queued' ? 'failed' : row.state;
  const reason = row.state === 'queued' ? 'dropped by the operator' : (row.lastError ?? 'dropped by the operator');
  tx.run(
    'UPDATE outbox SET state=?, last_error=?, closed_as=?, updated_at=? WHERE seq=?',
    state,
    reason,
    DROPPED,
    Date.now(),
    row.seq,
  );
  return { ...row, state, lastError: reason, closedAs: DROPPED };
}

/** Stands where the id of a new try would be. */
const DROPPED = 'dropped';

function isDead(state: OutboxState): boolean {
  return state === 'failed' || state === 'unknown';
}
