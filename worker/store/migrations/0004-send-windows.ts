/**
 * Some platforms let us write only so often and so long after the peer wrote; a message that may not be sent now says what it
 * waits for.
 */
export const sendWindowsSchema = `
CREATE TABLE send_windows (
  channel TEXT NOT NULL,
  account_id TEXT NOT NULL,
  chat_id TEXT NOT NULL,
  token TEXT NOT NULL,
  sends_left INTEGER NOT NULL,
  opened_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (channel, account_id, chat_id)
) STRICT, WITHOUT ROWID;

ALTER TABLE outbox ADD COLUMN held TEXT`;
