import type { Database, Tx } from './database.ts';
import {
  type InboxPayload,
  type InboxRow,
  type RawInboxRow,
  type Receipt,
  type ReceiveOptions,
  readInboxRow,
} from './inbox-row.ts';
import { assertLease } from './lease.ts';
import { listOverheard, type Overheard } from './overheard.ts';
import { receiveRows } from './reception.ts';

export type Inbox = ReturnType<typeof createInbox>;

/** The durable queue of messages that are not answered yet. */
export function createInbox(database: Database, onCorrupt: (what: string) => void) {
  return {
    /** Stores messages in order, each once per dedupe key, with their cursor, in one transaction. */
    receive: (options: ReceiveOptions): Promise<Receipt[]> =>
      database.write((tx) => {
        if (options.epoch !== undefined) assertLease(tx, options.epoch);
        return receiveRows(tx, options);
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
          .all<RawInboxRow>("SELECT * FROM inbox WHERE session_key=? AND state<>'parked' ORDER BY id", sessionKey)
          .flatMap((row) => readInboxRow(row) ?? []),
      ),

    /** What was said to others in a session since the last question, oldest first. */
    overheard: (sessionKey: string): Promise<Overheard[]> => database.read((tx) => listOverheard(tx, sessionKey)),

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

function findWaiting(tx: Tx, sessionKey: string): unknown {
  return tx.get("SELECT 1 FROM inbox WHERE session_key=? AND state='new' LIMIT 1", sessionKey);
}

function claimNext(tx: Tx, sessionKey: string, owner: string, onCorrupt: (what: string) => void): InboxRow | undefined {
  const raw = tx.get<RawInboxRow>(
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
  const row = readInboxRow(raw);
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
  const parts = tx.all<RawInboxRow>(
    "SELECT * FROM inbox WHERE session_key=? AND album=? AND (id=? OR state='new') ORDER BY id",
    first.sessionKey,
    album,
    first.id,
  );
  if (parts.every((raw) => raw.is_aside === 1)) {
    for (const { id } of parts) tx.run('DELETE FROM inbox WHERE id=?', id);
    return undefined;
  }
  const others = parts.filter(({ id }) => id !== first.id).flatMap((raw) => readInboxRow(raw) ?? []);
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
