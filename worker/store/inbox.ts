import type { FileKind } from '../../lib/file-kind.ts';
import type { Database, Tx } from './database.ts';
import { assertLease } from './lease.ts';
import { insertOutboxRows, type NewOutboxRow, type OutboxRow } from './outbox-row.ts';
import { appendMessages, type NewMessage, resetContext } from './sessions.ts';

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
  files?: readonly StoredFile[];
  /** Model reference that replaces the agent's. */
  model?: string;
  /** False when the answer is only for the caller who waits for it. */
  deliver: boolean;
};

/** A file that came with a message, as the channel described it. */
export type StoredFile = { kind: FileKind; ref: string; name?: string; mimeType?: string; sizeBytes?: number };

export type NewInboxRow = {
  runId: string;
  sessionKey: string;
  payload: InboxPayload;
  dedupe?: { key: string; digest?: string };
  /**
   * Waits for the other messages of its album, for so long after the newest one, in milliseconds. One that `isAside` asks nothing
   * by itself: it only goes with the others of its album.
   */
  album?: { id: string; waitMs: number; isAside: boolean };
  /** Set for what is no question but an order: carried out and answered with its reception, so at most once (IN-2). */
  order?: Order;
};

/** What an order does to its session, and what is told of it. */
export type Order = {
  /** The model reads nothing of what was said so far. */
  startsAnew: boolean;
  /** What was set aside is tried once more. */
  resumesParked: boolean;
  messages: readonly NewMessage[];
  outbox: readonly NewOutboxRow[];
};

export type InboxRow = {
  id: number;
  runId: string;
  sessionKey: string;
  /** How often a turn was begun for it, this time included. */
  attempts: number;
  payload: InboxPayload;
  receivedAt: number;
  /** The platform's id of the message that shows the growing answer; empty while it is unknown whether it was posted. */
  draft?: string;
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
  /** Set when it was an order: the answers on their way out. */
  answers?: OutboxRow[];
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
export function createInbox(database: Database, onCorrupt: (what: string) => void) {
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
      return isWaiting ? database.write((tx) => claimNext(tx, sessionKey, owner, onCorrupt)) : undefined;
    },

    /** Writes down the message that shows the growing answer, or that it is about to be posted (empty). False when the claim is lost. */
    markDraft: ({ id, runId }: InboxRow, owner: string, draft: string | null): Promise<boolean> =>
      database.write((tx) => {
        const sql = 'UPDATE inbox SET draft=? WHERE id=? AND run_id=? AND claimed_by=?';
        return tx.run(sql, draft, id, runId, owner).changes > 0;
      }),

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
        tx
          .all<RawRow>("SELECT * FROM inbox WHERE session_key=? AND state<>'parked' ORDER BY id", sessionKey)
          .flatMap((row) => readRow(row) ?? []),
      ),

    /** How many messages of a session wait for their turn, and how many were set aside. */
    countOf: (sessionKey: string): Promise<{ waiting: number; parked: number }> =>
      database.read((tx) => {
        const rows = tx.all<{ state: string }>('SELECT state FROM inbox WHERE session_key=?', sessionKey);
        const count = (state: string): number => rows.filter((row) => row.state === state).length;
        return { waiting: count('new'), parked: count('parked') };
      }),

    /** Whether a run is still waiting or being worked on. */
    isPending: (runId: string): Promise<boolean> =>
      database.read((tx) => tx.get("SELECT 1 FROM inbox WHERE run_id=? AND state<>'parked'", runId) !== undefined),

    /** Messages that are not answered yet; those that were set aside do not count. */
    count: (): Promise<number> =>
      database.read((tx) => tx.get<{ n: number }>("SELECT count(*) AS n FROM inbox WHERE state<>'parked'")?.n ?? 0),

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
  draft: string | null;
  album: string | null;
  is_aside: number;
  ready_at: number;
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
  if (row.order !== undefined) return carryOut(tx, row, row.order);
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
  if (order.startsAnew) resetContext(tx, sessionKey);
  // One more try: set aside again when that ends the worker, too.
  if (order.resumesParked)
    tx.run("UPDATE inbox SET state='new', attempts=1 WHERE session_key=? AND state='parked'", sessionKey);
  return { runId, sessionKey, isDuplicate: false, answers: insertOutboxRows(tx, order.outbox) };
}

function findWaiting(tx: Tx, sessionKey: string): unknown {
  return tx.get("SELECT 1 FROM inbox WHERE session_key=? AND state='new' LIMIT 1", sessionKey);
}

function claimNext(tx: Tx, sessionKey: string, owner: string, onCorrupt: (what: string) => void): InboxRow | undefined {
  const raw = tx.get<RawRow>(
    `UPDATE inbox SET state='claimed', claimed_by=?, attempts=attempts+1
     WHERE id=(SELECT min(id) FROM inbox WHERE session_key=? AND state='new')
       AND ready_at<=?
       AND NOT EXISTS (SELECT 1 FROM inbox WHERE session_key=? AND state='claimed')
     RETURNING *`,
    owner,
    sessionKey,
    Date.now(),
    sessionKey,
  );
  if (raw === undefined) return undefined;
  const row = readRow(raw);
  if (row !== undefined) {
    if (raw.album === null) return row;
    return gatherAlbum(tx, row, raw.album) ?? claimNext(tx, sessionKey, owner, onCorrupt);
  }
  // A row that cannot be read must not stand in the way of the others (RESUME-2).
  tx.run("UPDATE inbox SET state='parked', claimed_by=NULL WHERE id=?", raw.id);
  onCorrupt(`inbox row ${raw.id} of ${sessionKey}`);
  return claimNext(tx, sessionKey, owner, onCorrupt);
}

/**
 * The first message of an album with the texts and files of the others, which are then no messages of their own. Undefined when
 * none of them asks anything: then all are forgotten.
 */
function gatherAlbum(tx: Tx, first: InboxRow, album: string): InboxRow | undefined {
  const parts = tx.all<RawRow>(
    "SELECT * FROM inbox WHERE session_key=? AND album=? AND (id=? OR state='new') ORDER BY id",
    first.sessionKey,
    album,
    first.id,
  );
  if (parts.every((raw) => raw.is_aside === 1)) {
    for (const { id } of parts) tx.run('DELETE FROM inbox WHERE id=?', id);
    return undefined;
  }
  const others = parts.filter(({ id }) => id !== first.id).flatMap((raw) => readRow(raw) ?? []);
  if (others.length === 0) return first;
  const all = [first, ...others];
  const payload: InboxPayload = {
    ...first.payload,
    text: all
      .map(({ payload: { text } }) => text)
      .filter((text) => text !== '')
      .join('\n'),
    files: all.flatMap(({ payload: { files = [] } }) => files),
  };
  for (const { id } of others) tx.run('DELETE FROM inbox WHERE id=?', id);
  // Taken up again after a crash it is found alone, and asks all the same.
  tx.run('UPDATE inbox SET payload=?, is_aside=0 WHERE id=?', JSON.stringify(payload), first.id);
  return { ...first, payload };
}

function saveCursor(tx: Tx, cursor: { channel: string; accountId: string; value: string }): void {
  tx.run(
    'INSERT INTO cursors (channel, account_id, cursor) VALUES (?,?,?) ON CONFLICT DO UPDATE SET cursor=excluded.cursor',
    cursor.channel,
    cursor.accountId,
    cursor.value,
  );
}

/** Undefined when what is stored makes no sense. */
function readRow(row: RawRow): InboxRow | undefined {
  const payload = parsePayload(row.payload);
  if (payload === undefined) return undefined;
  return {
    id: row.id,
    runId: row.run_id,
    sessionKey: row.session_key,
    attempts: row.attempts,
    payload,
    receivedAt: row.received_at,
    ...(row.draft === null ? {} : { draft: row.draft }),
  };
}

function parsePayload(json: string): InboxPayload | undefined {
  try {
    const payload: unknown = JSON.parse(json);
    const isPayload =
      typeof payload === 'object' && payload !== null && 'text' in payload && typeof payload.text === 'string';
    return isPayload ? (payload as InboxPayload) : undefined;
  } catch {
    return undefined;
  }
}
