/**
 * Inbox rows can be parked until their person asks for them, and know the message in which their answer is shown as it grows;
 * the answer then replaces it. The messages of an album become one when it is complete; those set aside ask nothing by
 * themselves. A message knows its sender, its files and the platform's id of it; what is said to others waits for the next
 * question. A message on its way out may carry a file. The outbox is read by what is pending, by what is a dead letter and by
 * what carries a file without a look at all the rest, which is nearly everything. A session knows from which message on the model reads it. Peers
 * that cannot be written to are remembered until they write themselves.
 */
export const queuesSchema = `
CREATE TABLE parkable_inbox (
  id INTEGER PRIMARY KEY,
  run_id TEXT NOT NULL,
  session_key TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'claimed', 'parked')),
  claimed_by TEXT,
  attempts INTEGER NOT NULL DEFAULT 0,
  payload TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  draft TEXT,
  album TEXT,
  is_aside INTEGER NOT NULL DEFAULT 0,
  ready_at INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO parkable_inbox (id, run_id, session_key, state, claimed_by, attempts, payload, received_at)
  SELECT id, run_id, session_key, state, claimed_by, attempts, payload, received_at FROM inbox;
DROP TABLE inbox;
ALTER TABLE parkable_inbox RENAME TO inbox;
CREATE INDEX inbox_by_session ON inbox (session_key, id);

ALTER TABLE outbox ADD COLUMN closed_as TEXT;
ALTER TABLE outbox ADD COLUMN replaces TEXT;
ALTER TABLE outbox ADD COLUMN file TEXT CHECK (json_valid(file));
CREATE INDEX outbox_pending ON outbox (seq) WHERE state IN ('queued', 'sending');
CREATE INDEX outbox_dead ON outbox (seq) WHERE state IN ('failed', 'unknown') AND closed_as IS NULL;
CREATE INDEX outbox_files ON outbox (seq) WHERE file IS NOT NULL;

ALTER TABLE sessions ADD COLUMN context_from INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN reset_at INTEGER NOT NULL DEFAULT 0;

ALTER TABLE messages ADD COLUMN sender TEXT;
ALTER TABLE messages ADD COLUMN remote_id TEXT;
ALTER TABLE messages ADD COLUMN files TEXT;

CREATE TABLE overheard (
  id INTEGER PRIMARY KEY,
  session_key TEXT NOT NULL,
  message_id TEXT,
  sender TEXT,
  text TEXT NOT NULL
) STRICT;
CREATE INDEX overheard_by_session ON overheard (session_key, id);

CREATE TABLE unreachable_peers (
  channel TEXT NOT NULL,
  account_id TEXT NOT NULL,
  chat_id TEXT NOT NULL,
  reason TEXT NOT NULL,
  since INTEGER NOT NULL,
  PRIMARY KEY (channel, account_id, chat_id)
) STRICT, WITHOUT ROWID`;
