import type { Database, Tx } from './database.ts';

type Chat = { channel: string; accountId: string; chatId: string };

/** What the platform lets us say to a peer: so many messages until `expiresAt`, each with the token. Times are epoch milliseconds. */
export type SendWindow = { token: string; sendsLeft: number; openedAt: number; expiresAt: number };

/** The window that a message of the peer opens; the same message again, by its key, opens it no second time. */
export type NewWindow = Chat & { token: string; sends: number; ttlMs: number; key: string };

export type Windows = ReturnType<typeof createWindows>;

/** How often each peer may still be written to, on the platforms that count. */
export function createWindows(database: Database) {
  return {
    /** The window of a chat, also one that is used up; undefined when there never was one. */
    get: (chat: Chat): Promise<SendWindow | undefined> => database.read((tx) => findWindow(tx, chat)),
  };
}

/** Opens a window anew. A message that is known already brings its token only. */
export function openWindow(tx: Tx, { channel, accountId, chatId, token, sends, ttlMs, key }: NewWindow): void {
  const now = Date.now();
  const isKnown =
    tx.get('SELECT 1 FROM dedupe WHERE channel=? AND account_id=? AND key=?', channel, accountId, key) !== undefined;
  const conflict = isKnown
    ? 'token=excluded.token'
    : 'token=excluded.token, sends_left=excluded.sends_left, opened_at=excluded.opened_at, expires_at=excluded.expires_at';
  tx.run(
    `INSERT INTO send_windows (channel, account_id, chat_id, token, sends_left, opened_at, expires_at)
     VALUES (?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET ${conflict}`,
    channel,
    accountId,
    chatId,
    token,
    sends,
    now,
    now + ttlMs,
  );
}

/** Counts one message, before it leaves. Undefined when none may be sent; else how the window was until then. */
export function takeFromWindow(tx: Tx, chat: Chat): SendWindow | undefined {
  const window = findWindow(tx, chat);
  if (window === undefined || window.sendsLeft <= 0 || window.expiresAt <= Date.now()) return undefined;
  addToWindow(tx, chat, -1);
  return window;
}

/** Takes back the count of a message that was certainly not sent. */
export function returnToWindow(tx: Tx, chat: Chat): void {
  addToWindow(tx, chat, 1);
}

/** The platform says that the peer must write first, whatever we counted. */
export function closeWindow(tx: Tx, { channel, accountId, chatId }: Chat): void {
  tx.run(
    'UPDATE send_windows SET sends_left=0 WHERE channel=? AND account_id=? AND chat_id=?',
    channel,
    accountId,
    chatId,
  );
}

function addToWindow(tx: Tx, { channel, accountId, chatId }: Chat, count: number): void {
  tx.run(
    'UPDATE send_windows SET sends_left=sends_left+? WHERE channel=? AND account_id=? AND chat_id=?',
    count,
    channel,
    accountId,
    chatId,
  );
}

type RawWindow = { token: string; sends_left: number; opened_at: number; expires_at: number };

function findWindow(tx: Tx, { channel, accountId, chatId }: Chat): SendWindow | undefined {
  const raw = tx.get<RawWindow>(
    'SELECT * FROM send_windows WHERE channel=? AND account_id=? AND chat_id=?',
    channel,
    accountId,
    chatId,
  );
  if (raw === undefined) return undefined;
  const { token, sends_left: sendsLeft, opened_at: openedAt, expires_at: expiresAt } = raw;
  return { token, sendsLeft, openedAt, expiresAt };
}
