import type { Tx } from './database.ts';
import type { NewInboxRow, Order, Receipt, ReceiveOptions } from './inbox-row.ts';
import { insertOutboxRows } from './outbox-row.ts';
import { forgetOverheard, hear } from './overheard.ts';
import { reword } from './reword.ts';
import { appendMessages, resetContext } from './sessions.ts';
import { openWindow } from './windows.ts';

/** Takes messages in, each once per dedupe key: questions wait for their turn, orders are carried out, the rest is kept or changes what is. */
export function receiveRows(tx: Tx, { rows, cursor, windows = [], claimFor }: ReceiveOptions): Receipt[] {
  // First, while messages that come again can still be told from new ones.
  for (const window of windows) openWindow(tx, window);
  const receipts = rows.map((row) => receiveRow(tx, row, claimFor));
  if (cursor !== undefined) saveCursor(tx, cursor);
  return receipts;
}

function receiveRow(tx: Tx, row: NewInboxRow, claimFor: string | undefined): Receipt {
  const { channel, accountId } = row.payload;
  const now = Date.now();
  // The same wording twice is the same wording.
  if (row.isEdit === true) {
    reword(tx, row);
    return { runId: row.runId, sessionKey: row.sessionKey, isDuplicate: false };
  }
  if (row.dedupe !== undefined) {
    const seen = tx.get<{ run_id: string; session_key: string; digest: string | null }>(
      'SELECT run_id, session_key, digest FROM dedupe WHERE channel=? AND account_id=? AND key=?',
      channel,
      accountId,
      row.dedupe.key,
    );
    if (seen !== undefined) {
      return {
        runId: seen.run_id,
        sessionKey: seen.session_key,
        isDuplicate: true,
        ...(seen.digest === null ? {} : { digest: seen.digest }),
      };
    }
    tx.run(
      'INSERT INTO dedupe (channel, account_id, key, run_id, session_key, digest, seen_at) VALUES (?,?,?,?,?,?,?)',
      channel,
      accountId,
      row.dedupe.key,
      row.runId,
      row.sessionKey,
      row.dedupe.digest ?? null,
      now,
    );
  }
  if (row.order !== undefined) return carryOut(tx, row, row.order);
  if (row.overheard !== undefined) {
    hear(tx, row, row.overheard.keep);
    return { runId: row.runId, sessionKey: row.sessionKey, isDuplicate: false };
  }
  const readyAt = row.album === undefined ? 0 : now + row.album.waitMs;
  if (row.album !== undefined)
    tx.run('UPDATE inbox SET ready_at=? WHERE session_key=? AND album=?', readyAt, row.sessionKey, row.album.id);
  const isIdle =
    claimFor !== undefined &&
    row.album === undefined &&
    tx.get("SELECT 1 FROM inbox WHERE session_key=? AND state<>'parked'", row.sessionKey) === undefined;
  const payload = JSON.stringify(row.payload);
  const { lastId: id } = tx.run(
    'INSERT INTO inbox (session_key, run_id, state, claimed_by, attempts, payload, received_at, album, is_aside, ready_at) VALUES (?,?,?,?,?,?,?,?,?,?)',
    row.sessionKey,
    row.runId,
    isIdle ? 'claimed' : 'new',
    isIdle ? claimFor : null,
    isIdle ? 1 : 0,
    payload,
    now,
    row.album?.id ?? null,
    row.album?.isAside === true ? 1 : 0,
    readyAt,
  );
  const receipt = { runId: row.runId, sessionKey: row.sessionKey, isDuplicate: false };
  if (!isIdle) return receipt;
  return {
    ...receipt,
    claimed: {
      id,
      runId: row.runId,
      sessionKey: row.sessionKey,
      attempts: 1,
      payload: row.payload,
      receivedAt: now,
    },
  };
}

function carryOut(tx: Tx, { runId, sessionKey }: NewInboxRow, order: Order): Receipt {
  appendMessages(tx, sessionKey, order.messages);
  if (order.startsAnew) {
    resetContext(tx, sessionKey);
    forgetOverheard(tx, sessionKey);
  }
  // One more try: set aside again when that ends the worker, too.
  if (order.resumesParked)
    tx.run("UPDATE inbox SET state='new', attempts=1 WHERE session_key=? AND state='parked'", sessionKey);
  return { runId, sessionKey, isDuplicate: false, answers: insertOutboxRows(tx, order.outbox) };
}

function saveCursor(tx: Tx, cursor: { channel: string; accountId: string; value: string }): void {
  tx.run(
    'INSERT INTO cursors (channel, account_id, cursor) VALUES (?,?,?) ON CONFLICT DO UPDATE SET cursor=excluded.cursor',
    cursor.channel,
    cursor.accountId,
    cursor.value,
  );
}
