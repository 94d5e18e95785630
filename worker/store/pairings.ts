import type { Database, Tx } from './database.ts';

export type Pairing = {
  channel: string;
  accountId: string;
  peerId: string;
  name?: string;
  state: 'pending' | 'approved';
  /** Set while pending. */
  code?: string;
  createdAt: number;
  expiresAt?: number;
};

export type PairingRequest = {
  channel: string;
  accountId: string;
  peerId: string;
  name?: string;
  code: string;
  expiresAt: number;
};

export type Pairings = ReturnType<typeof createPairings>;

/** Who may write to a channel after pairing, and who is asking to. */
export function createPairings(database: Database) {
  return {
    isApproved: (channel: string, accountId: string, peerId: string): Promise<boolean> =>
      database.read(
        (tx) =>
          tx.get(
            "SELECT 1 FROM pairings WHERE channel=? AND account_id=? AND peer_id=? AND state='approved'",
            channel,
            accountId,
            peerId,
          ) !== undefined,
      ),

    /**
     * Stores a request, or returns the one of the same peer that is still valid, so that a code does not change while it is
     * typed. Undefined, and nothing stored, when as many peers of the account as may are asking already.
     */
    request: (request: PairingRequest): Promise<{ pairing: Pairing; isNew: boolean } | undefined> =>
      database.write((tx) => {
        const { channel, accountId, peerId } = request;
        const existing = tx.get<RawPairing>(
          `${SELECT} WHERE channel=? AND account_id=? AND peer_id=?`,
          channel,
          accountId,
          peerId,
        );
        if (existing !== undefined && (existing.state === 'approved' || (existing.expires_at ?? 0) > Date.now())) {
          return { pairing: readRow(existing), isNew: false };
        }
        if (countPending(tx, channel, accountId) >= MAX_PENDING) return undefined;
        const createdAt = Date.now();
        tx.run(
          "INSERT OR REPLACE INTO pairings (channel, account_id, peer_id, state, code, name, created_at, expires_at) VALUES (?,?,?,'pending',?,?,?,?)",
          channel,
          accountId,
          peerId,
          request.code,
          request.name ?? null,
          createdAt,
          request.expiresAt,
        );
        return { pairing: { ...request, state: 'pending', createdAt }, isNew: true };
      }),

    /** Approves the valid request with this code; undefined when there is none. */
    approve: (code: string): Promise<Pairing | undefined> =>
      database.write((tx) => {
        const row = tx.get<RawPairing>(
          "UPDATE pairings SET state='approved', code=NULL, expires_at=NULL WHERE state='pending' AND code=? AND expires_at>? RETURNING *",
          code,
          Date.now(),
        );
        return row === undefined ? undefined : readRow(row);
      }),

    /** Takes the right to write away; false when the peer had none. */
    revoke: (channel: string, accountId: string, peerId: string): Promise<boolean> =>
      database.write(
        (tx) =>
          tx.run('DELETE FROM pairings WHERE channel=? AND account_id=? AND peer_id=?', channel, accountId, peerId)
            .changes > 0,
      ),

    list: (): Promise<Pairing[]> =>
      database.read((tx) =>
        tx
          .all<RawPairing>(`${SELECT} WHERE state='approved' OR expires_at>? ORDER BY created_at`, Date.now())
          .map(readRow),
      ),
  };
}

/** Open requests of an account at a time: a crowd of strangers must not hide the one that the owner waits for. */
const MAX_PENDING = 3;

const SELECT = 'SELECT * FROM pairings';

type RawPairing = {
  channel: string;
  account_id: string;
  peer_id: string;
  state: 'pending' | 'approved';
  code: string | null;
  name: string | null;
  created_at: number;
  expires_at: number | null;
};

function countPending(tx: Tx, channel: string, accountId: string): number {
  const row = tx.get<{ count: number }>(
    "SELECT COUNT(*) AS count FROM pairings WHERE channel=? AND account_id=? AND state='pending' AND expires_at>?",
    channel,
    accountId,
    Date.now(),
  );
  return row?.count ?? 0;
}

function readRow(row: RawPairing): Pairing {
  return {
    channel: row.channel,
    accountId: row.account_id,
    peerId: row.peer_id,
    state: row.state,
    createdAt: row.created_at,
    ...(row.name === null ? {} : { name: row.name }),
    ...(row.code === null ? {} : { code: row.code }),
    ...(row.expires_at === null ? {} : { expiresAt: row.expires_at }),
  };
}
