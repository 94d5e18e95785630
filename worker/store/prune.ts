import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Database, Tx } from './database.ts';

/** Platforms redeliver for up to a day or so; keys are kept for three (channels keep at least 48 h). */
const DEDUPE_KEEP_MS = 72 * 3_600_000;
const OUTBOX_KEEP_MS = 7 * 24 * 3_600_000;
/** How long a message that was set aside can be asked for. */
const PARKED_KEEP_MS = 7 * 24 * 3_600_000;

/** Rows looked at in one transaction: a worker that tidies up must not stop answering. */
const STEP = 500;

/** Forgets what is older than its keeping time, in small steps, and gives the space back. */
export async function pruneRows(database: Database): Promise<void> {
  const now = Date.now();
  await database.write((tx) => {
    tx.run("DELETE FROM pairings WHERE state='pending' AND expires_at<?", now);
    tx.run("DELETE FROM inbox WHERE state='parked' AND received_at<?", now - PARKED_KEEP_MS);
  });
  await pruneDedupe(database, now - DEDUPE_KEEP_MS);
  await pruneOutbox(database, now - OUTBOX_KEEP_MS);
  await database.write((tx) => tx.all(`PRAGMA incremental_vacuum(${FREE_PAGES})`));
}

type Seen = Key & { seen_at: number };

type Key = { channel: string; account_id: string; key: string };

/** Pages given back to the disk at a time. */
const FREE_PAGES = 2_000;

/** Walks along the primary key: an index by time would cost a page with every message. */
async function pruneDedupe(database: Database, before: number): Promise<void> {
  let from: Key | undefined = { channel: '', account_id: '', key: '' };
  while (from !== undefined) {
    const { channel, account_id, key }: Key = from;
    const rows: Seen[] = await database.read((tx) =>
      tx.all<Seen>(
        'SELECT channel, account_id, key, seen_at FROM dedupe WHERE (channel, account_id, key) > (?,?,?) ORDER BY channel, account_id, key LIMIT ?',
        channel,
        account_id,
        key,
        STEP,
      ),
    );
    const old = rows.filter((row) => row.seen_at < before);
    if (old.length > 0) await database.write((tx) => old.forEach((row) => void forget(tx, row)));
    from = rows.length < STEP ? undefined : rows.at(-1);
    await nextTurn();
  }
}

function forget(tx: Tx, { channel, account_id, key }: Key): void {
  tx.run('DELETE FROM dedupe WHERE channel=? AND account_id=? AND key=?', channel, account_id, key);
}

/** From the oldest row on, up to the first that is young. */
async function pruneOutbox(database: Database, before: number): Promise<void> {
  let from: number | undefined = 0;
  while (from !== undefined) {
    const after: number = from;
    const rows = await database.read((tx) =>
      tx.all<{ seq: number; created_at: number }>(
        'SELECT seq, created_at FROM outbox WHERE seq>? ORDER BY seq LIMIT ?',
        after,
        STEP,
      ),
    );
    const last = rows.at(-1);
    if (last === undefined) return;
    // The newest row stays: SQLite would give its number away again, and the reader of the queue would overlook that row.
    const sql =
      "DELETE FROM outbox WHERE seq>? AND seq<=? AND state NOT IN ('queued', 'sending') AND updated_at<? AND seq<(SELECT max(seq) FROM outbox)";
    await database.write((tx) => tx.run(sql, after, last.seq, before));
    from = rows.length < STEP || last.created_at >= before ? undefined : last.seq;
    await nextTurn();
  }
}
