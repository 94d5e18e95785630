import type { Database, Tx } from './database.ts';
import { assertLease } from './lease.ts';

/** What a turn needs to know of the message that asks for it. */
export type InboxPayload = {
  channel: string;
  accountId: string;
  peerKind: 'direct' | 'group';
  chatId: string;
  threadId?: string;
  senderId: string;
  senderName?: string;
  messageId?: string;
  text: string;
  /** Model reference that replaces the agent's. */
  model?: string;
  /** False when the answer is only for the caller who waits for it. */
  deliver: boolean;
};

export type NewInboxRow = {
  runId: string;
  sessionKey: string;
  payload: InboxPayload;
  dedupe?: { key: string; digest?: string };
};

export type InboxRow = {
  id: number;
  runId: string;
  sessionKey: string;
  /** How often a turn was begun for it, this time included. */
  attempts: number;
  payload: InboxPayload;
  receivedAt: number;
};

/** What became of a message: taken in, or known already. */
export type Receipt = {
  runId: string;
  sessionKey: string;
  isDuplicate: boolean;
  /** Of a duplicate: what was sent the first time, for telling a retry from a mistake. */
  digest?: string;
  /** Set when the row was claimed for the caller at once. */
  claimed?: InboxRow;
};

export type ReceiveOptions = {
  rows: readonly NewInboxRow[];
  /** Committed together with the rows; what the platform may then be told to forget (IN-1). */
  cursor?: { channel: string; accountId: string; value: string };
  /** Claims each row whose session is idle, which saves a commit. */
  claimFor?: string;
  /** Epoch of the caller's lease; a receiver that lost it changes nothing. */
  epoch?: number;
};

export type Inbox = ReturnType<typeof createInbox>;

/** The durable queue of messages that are not answered yet. */
export function createInbox(database: Database) {
  return {
    /** Stores messages in order, each once per dedupe key, with their cursor, in one transaction. */
    receive: (options: ReceiveOptions): Promise<Receipt[]> =>
      database.write((tx) => {
        if (options.epoch !== undefined) assertLease(tx, options.epoch);
        const receipts = options.rows.map((row) => receiveRow(tx, row, options.claimFor));
        if (options.cursor !== undefined) saveCursor(tx, options.cursor);
        return receipts;
      }),

    /** Takes the oldest waiting row of a session, unless one of that session is being worked on by anybody. */
    async claim(sessionKey: string, owner: string): Promise<InboxRow | undefined> {
      // Mostly there is none, and looking is cheaper than committing nothing.
      const isWaiting = await database.read((tx) => findWaiting(tx, sessionKey) !== undefined);
      return isWaiting ? database.write((tx) => claimNext(tx, sessionKey, owner)) : undefined;
    },

    /** Gives all claims of an owner back that ends in order; they do not count as attempts. Returns how many there were. */
    release: (owner: string): Promise<number> =>
      database.write(
        (tx) =>
          tx.run("UPDATE inbox SET state='new', claimed_by=NULL, attempts=attempts-1 WHERE claimed_by=?", owner)
            .changes,
      ),

    /** Frees the claims of workers that are gone: of one of them, or of all but the survivors. Returns how many there were. */
    recover: (who: { owner: string } | { survivors: readonly string[] }): Promise<number> =>
      database.write((tx) => {
        const [condition, value] =
          'owner' in who
            ? ['claimed_by=?', who.owner]
            : ['claimed_by NOT IN (SELECT value FROM json_each(?))', JSON.stringify(who.survivors)];
        return tx.run(`UPDATE inbox SET state='new', claimed_by=NULL WHERE state='claimed' AND ${condition}`, value)
          .changes;
      }),

    /** Keys of the sessions with waiting rows, oldest first. */
    waitingSessions: (): Promise<string[]> =>
      database.read((tx) =>
        tx
          .all<{ session_key: string }>(
            "SELECT session_key FROM inbox WHERE state='new' GROUP BY session_key ORDER BY min(id)",
          )
          .map((row) => row.session_key),
      ),

    /** Rows of one session that are not answered yet, oldest first. */
    ofSession: (sessionKey: string): Promise<InboxRow[]> =>
      database.read((tx) =>
        tx.all<RawRow>('SELECT * FROM inbox WHERE session_key=? ORDER BY id', sessionKey).map(readRow),
      ),

    /** Whether a run is still waiting or being worked on. */
    isPending: (runId: string): Promise<boolean> =>
      database.read((tx) => tx.get('SELECT 1 FROM inbox WHERE run_id=?', runId) !== undefined),

    count: (): Promise<number> =>
      database.read((tx) => tx.get<{ n: number }>('SELECT count(*) AS n FROM inbox')?.n ?? 0),

    cursor: (channel: string, accountId: string): Promise<string | undefined> =>
      database.read(
        (tx) =>
          tx.get<{ cursor: string }>('SELECT cursor FROM cursors WHERE channel=? AND account_id=?', channel, accountId)
            ?.cursor,
      ),
  };
}

type RawRow = {
  id: number;
  run_id: string;
  session_key: string;
  attempts: number;
  payload: string;
  received_at: number;
};

function receiveRow(tx: Tx, row: NewInboxRow, claimFor: string | undefined): Receipt {
  const { channel, accountId } = row.payload;
  const now = Date.now();
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
  const isIdle =
    claimFor !== undefined && tx.get('SELECT 1 FROM inbox WHERE session_key=?', row.sessionKey) === undefined;
  const payload = JSON.stringify(row.payload);
  const { lastId: id } = tx.run(
    'INSERT INTO inbox (session_key, run_id, state, claimed_by, attempts, payload, received_at) VALUES (?,?,?,?,?,?,?)',
    row.sessionKey,
    row.runId,
    isIdle ? 'claimed' : 'new',
    isIdle ? claimFor : null,
    isIdle ? 1 : 0,
    payload,
    now,
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

function findWaiting(tx: Tx, sessionKey: string): unknown {
  return tx.get("SELECT 1 FROM inbox WHERE session_key=? AND state='new' LIMIT 1", sessionKey);
}

function claimNext(tx: Tx, sessionKey: string, owner: string): InboxRow | undefined {
  const row = tx.get<RawRow>(
    `UPDATE inbox SET state='claimed', claimed_by=?, attempts=attempts+1
     WHERE id=(SELECT min(id) FROM inbox WHERE session_key=? AND state='new')
       AND NOT EXISTS (SELECT 1 FROM inbox WHERE session_key=? AND state='claimed')
     RETURNING *`,
    owner,
    sessionKey,
    sessionKey,
  );
  return row === undefined ? undefined : readRow(row);
}

function saveCursor(tx: Tx, cursor: { channel: string; accountId: string; value: string }): void {
  tx.run(
    'INSERT INTO cursors (channel, account_id, cursor) VALUES (?,?,?) ON CONFLICT DO UPDATE SET cursor=excluded.cursor',
    cursor.channel,
    cursor.accountId,
    cursor.value,
  );
}

function readRow(row: RawRow): InboxRow {
  return {
    id: row.id,
    runId: row.run_id,
    sessionKey: row.session_key,
    attempts: row.attempts,
    payload: JSON.parse(row.payload) as InboxPayload,
    receivedAt: row.received_at,
  };
}
