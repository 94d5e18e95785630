/**
 * Sessions and their messages; the inbox (only what is not yet answered); the outbox (kept after delivery, so that its state
 * can be asked for); dedupe keys; channel cursors; pairings; leases. Times are epoch milliseconds.
 *
 * Every turn writes to these tables, and every changed page is written whole, so each has as few indexes as it can live with:
 * a message's id is made of its session's (see `firstMessageId`), and the outbox is read from the newest row that is known.
 */
export const initialSchema = `
CREATE TABLE sessions (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  agent_id TEXT NOT NULL,
  channel TEXT NOT NULL,
  account_id TEXT NOT NULL,
  peer_kind TEXT NOT NULL,
  peer_id TEXT NOT NULL,
  thread_id TEXT,
  name TEXT,
  status TEXT NOT NULL DEFAULT 'active',
  message_count INTEGER NOT NULL DEFAULT 0,
  last_message INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_by_update ON sessions (updated_at);

CREATE TABLE messages (
  id INTEGER PRIMARY KEY,
  session_id INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  role TEXT NOT NULL,
  kind TEXT NOT NULL DEFAULT 'text',
  text TEXT NOT NULL,
  run_id TEXT,
  model TEXT,
  input_tokens INTEGER,
  output_tokens INTEGER,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE inbox (
  id INTEGER PRIMARY KEY,
  run_id TEXT NOT NULL,
  session_key TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'claimed')),
  claimed_by TEXT,
  attempts INTEGER NOT NULL DEFAULT 0,
  payload TEXT NOT NULL,
  received_at INTEGER NOT NULL
) STRICT;
CREATE INDEX inbox_by_session ON inbox (session_key, id);

CREATE TABLE dedupe (
  channel TEXT NOT NULL,
  account_id TEXT NOT NULL,
  key TEXT NOT NULL,
  run_id TEXT NOT NULL,
  session_key TEXT NOT NULL,
  digest TEXT,
  seen_at INTEGER NOT NULL,
  PRIMARY KEY (channel, account_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
  seq INTEGER PRIMARY KEY,
  channel TEXT NOT NULL,
  account_id TEXT NOT NULL,
  chat_id TEXT NOT NULL,
  thread_id TEXT,
  reply_to TEXT,
  session_key TEXT,
  run_id TEXT,
  part INTEGER NOT NULL,
  parts INTEGER NOT NULL,
  text TEXT NOT NULL,
  silent INTEGER NOT NULL DEFAULT 0,
  state TEXT NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sending', 'sent', 'failed', 'unknown')),
  attempts INTEGER NOT NULL DEFAULT 0,
  ambiguous INTEGER NOT NULL DEFAULT 0,
  next_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  remote_id TEXT,
  last_error TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE cursors (
  channel TEXT NOT NULL,
  account_id TEXT NOT NULL,
  cursor TEXT NOT NULL,
  PRIMARY KEY (channel, account_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE pairings (
  channel TEXT NOT NULL,
  account_id TEXT NOT NULL,
  peer_id TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('pending', 'approved')),
  code TEXT,
  name TEXT,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  PRIMARY KEY (channel, account_id, peer_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE leases (
  name TEXT PRIMARY KEY,
  epoch INTEGER NOT NULL,
  owner TEXT NOT NULL
) STRICT, WITHOUT ROWID`;
