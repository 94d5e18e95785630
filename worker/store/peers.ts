import type { Database } from './database.ts';

/** A chat that the platform says cannot be written to, e.g. because its person blocked us. */
export type UnreachablePeer = { channel: string; accountId: string; chatId: string; reason: string; since: number };

export type Peers = ReturnType<typeof createPeers>;

/** Which peers cannot be written to, and where chats went that the platform moved. */
export function createPeers(database: Database) {
  return {
    unreachable: (): Promise<UnreachablePeer[]> =>
      database.read((tx) =>
        tx
          .all<RawPeer>('SELECT * FROM unreachable_peers')
          .map(({ account_id: accountId, chat_id: chatId, ...rest }) => ({ ...rest, accountId, chatId })),
      ),

    markUnreachable: ({ channel, accountId, chatId, reason, since }: UnreachablePeer): Promise<void> =>
      database.write((tx) => {
        tx.run(
          'INSERT OR REPLACE INTO unreachable_peers VALUES (?,?,?,?,?)',
          channel,
          accountId,
          chatId,
          reason,
          since,
        );
      }),

    markReachable: (channel: string, accountId: string, chatId: string): Promise<void> =>
      database.write((tx) => {
        tx.run(
          'DELETE FROM unreachable_peers WHERE channel=? AND account_id=? AND chat_id=?',
          channel,
          accountId,
          chatId,
        );
      }),

    /** Lets what waits for a chat, and its conversation, follow it to its new id. */
    move: (channel: string, accountId: string, from: string, to: string): Promise<void> =>
      database.write((tx) => {
        tx.run(
          "UPDATE outbox SET chat_id=? WHERE state='queued' AND channel=? AND account_id=? AND chat_id=?",
          to,
          channel,
          accountId,
          from,
        );
        const rows = tx.all<{ id: number; key: string }>(
          "SELECT id, key FROM sessions WHERE channel=? AND peer_kind='group' AND peer_id=?",
          channel,
          from,
        );
        for (const { id, key } of rows) {
          const moved = key.replace(`:group:${from}`, `:group:${to}`);
          tx.run('UPDATE overheard SET session_key=? WHERE session_key=?', moved, key);
          // A conversation that was begun under the new id goes on; the old one stays to be read.
          tx.run('UPDATE OR IGNORE sessions SET key=?, peer_id=? WHERE id=?', moved, to, id);
        }
      }),
  };
}

type RawPeer = { channel: string; account_id: string; chat_id: string; reason: string; since: number };
