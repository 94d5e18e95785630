import type { Tx } from './database.ts';
import type { NewInboxRow } from './inbox-row.ts';

/** Something that was said to others where the assistant was listening. */
export type Overheard = { id: number; messageId?: string; sender?: string; text: string };

/** Keeps what was said to others, the newest ones of a session only: a busy group must not fill the disk. */
export function hear(tx: Tx, { sessionKey, payload }: NewInboxRow, keep: number): void {
  const files = (payload.files ?? []).map(({ kind, name }) => `[${name === undefined ? kind : `${kind} ${name}`}]`);
  const { lastId } = tx.run(
    'INSERT INTO overheard (session_key, message_id, sender, text) VALUES (?,?,?,?)',
    sessionKey,
    payload.messageId ?? null,
    payload.senderName ?? payload.senderId,
    [payload.text, ...files].filter((part) => part !== '').join(' '),
  );
  tx.run(
    'DELETE FROM overheard WHERE session_key=? AND id<=(SELECT id FROM overheard WHERE session_key=? AND id<=? ORDER BY id DESC LIMIT 1 OFFSET ?)',
    sessionKey,
    sessionKey,
    lastId,
    keep,
  );
}

/** What was said to others in a session, oldest first. */
export function listOverheard(tx: Tx, sessionKey: string): Overheard[] {
  return tx
    .all<RawOverheard>('SELECT * FROM overheard WHERE session_key=? ORDER BY id', sessionKey)
    .map(({ id, message_id: messageId, sender, text }) => ({
      id,
      text,
      ...(messageId === null ? {} : { messageId }),
      ...(sender === null ? {} : { sender }),
    }));
}

/** Forgets what was said up to an id, or all of it. */
export function forgetOverheard(tx: Tx, sessionKey: string, upTo: number = Number.MAX_SAFE_INTEGER): void {
  tx.run('DELETE FROM overheard WHERE session_key=? AND id<=?', sessionKey, upTo);
}

type RawOverheard = { id: number; message_id: string | null; sender: string | null; text: string };
