import type { FileKind } from '../../lib/file-kind.ts';
import type { Tx } from './database.ts';

export type OutboxState = 'queued' | 'sending' | 'sent' | 'failed' | 'unknown';

/** A file on its way out; `path` is its name in the folder of such files, `name` what its receiver sees. */
export type OutboxFile = { kind: FileKind; path: string; name: string; mimeType: string; sizeBytes: number };

export type NewOutboxRow = {
  channel: string;
  accountId: string;
  chatId: string;
  threadId?: string;
  replyTo?: string;
  sessionKey?: string;
  runId?: string;
  part: number;
  parts: number;
  text: string;
  /** Carries the text as its caption, which may be empty. */
  file?: OutboxFile;
  silent?: boolean;
  /** The platform's id of the message that this one takes the place of: it is edited instead of sending another. */
  replaces?: string;
  /** 1 when a copy of it may be there already. */
  ambiguous?: number;
  /** Epoch milliseconds after which it is a dead letter. */
  expiresAt: number;
  /** It has arrived when it is committed; its id here is also the one there. */
  isLocal?: true;
};

export type OutboxRow = NewOutboxRow & {
  /** Rises with each row; the order of delivery. */
  seq: number;
  /** The public name of the row, the same over all tries: also the idempotency key for platforms that take one. */
  id: string;
  state: OutboxState;
  attempts: number;
  /** How often a try ended without knowing whether it arrived; a later copy may be a repeat. */
  ambiguous: number;
  nextAt: number;
  remoteId?: string;
  lastError?: string;
  /** Why it may not be sent until its peer writes. */
  held?: string;
  /** What became of a dead letter: the id it was sent again under, or `dropped`. */
  closedAs?: string;
  createdAt: number;
  updatedAt: number;
};

/** Inserts rows inside a larger transaction, e.g. the one that ends a turn. Returns them as stored. */
export function insertOutboxRows(tx: Tx, rows: readonly NewOutboxRow[]): OutboxRow[] {
  const now = Date.now();
  return rows.map((row) => {
    const { ambiguous = 0, isLocal = false } = row;
    const state = isLocal ? 'sent' : 'queued';
    const { lastId: seq } = tx.run(
      `INSERT INTO outbox (channel, account_id, chat_id, thread_id, reply_to, session_key, run_id, part, parts, text, file,
         silent, replaces, state, ambiguous, next_at, expires_at, created_at, updated_at) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
      row.channel,
      row.accountId,
      row.chatId,
      row.threadId ?? null,
      row.replyTo ?? null,
      row.sessionKey ?? null,
      row.runId ?? null,
      row.part,
      row.parts,
      row.text,
      row.file === undefined ? null : JSON.stringify(row.file),
      row.silent === true ? 1 : 0,
      row.replaces ?? null,
      state,
      ambiguous,
      now,
      row.expiresAt,
      now,
      now,
    );
    const id = formatId(seq, now);
    const remote = isLocal ? { remoteId: id } : {};
    return { ...row, seq, id, state, attempts: 0, ambiguous, nextAt: now, createdAt: now, updatedAt: now, ...remote };
  });
}

/** The row with a public id; undefined when there is none. */
export function findOutboxRow(tx: Tx, id: string): OutboxRow | undefined {
  const seq = /^msg_(\d{1,15})_[0-9a-z]+$/.exec(id)?.[1];
  const raw = seq === undefined ? undefined : tx.get<RawOutboxRow>('SELECT * FROM outbox WHERE seq=?', Number(seq));
  const row = raw === undefined ? undefined : readOutboxRow(raw);
  return row?.id === id ? row : undefined;
}

/** The sequence number with the time, so that an id from a database that was replaced finds nothing in the new one. */
function formatId(seq: number, createdAt: number): string {
  return `msg_${seq}_${createdAt.toString(36)}`;
}

/** A row as SQLite gives it. */
export type RawOutboxRow = {
  seq: number;
  channel: string;
  account_id: string;
  chat_id: string;
  thread_id: string | null;
  reply_to: string | null;
  session_key: string | null;
  run_id: string | null;
  part: number;
  parts: number;
  text: string;
  file: string | null;
  silent: number;
  state: OutboxState;
  attempts: number;
  ambiguous: number;
  next_at: number;
  expires_at: number;
  remote_id: string | null;
  last_error: string | null;
  closed_as: string | null;
  replaces: string | null;
  held: string | null;
  created_at: number;
  updated_at: number;
};

/** A row in our terms. */
export function readOutboxRow(row: RawOutboxRow): OutboxRow {
  const id = formatId(row.seq, row.created_at);
  const remoteId = row.state === 'sent' ? (row.remote_id ?? id) : row.remote_id;
  return {
    seq: row.seq,
    id,
    channel: row.channel,
    accountId: row.account_id,
    chatId: row.chat_id,
    part: row.part,
    parts: row.parts,
    text: row.text,
    silent: row.silent === 1,
    state: row.state,
    attempts: row.attempts,
    ambiguous: row.ambiguous,
    nextAt: row.next_at,
    expiresAt: row.expires_at,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    ...(row.thread_id === null ? {} : { threadId: row.thread_id }),
    ...(row.reply_to === null ? {} : { replyTo: row.reply_to }),
    ...(row.session_key === null ? {} : { sessionKey: row.session_key }),
    ...(row.run_id === null ? {} : { runId: row.run_id }),
    ...(remoteId === null ? {} : { remoteId }),
    ...(row.last_error === null ? {} : { lastError: row.last_error }),
    ...(row.held === null || row.state !== 'queued' ? {} : { held: row.held }),
    ...(row.closed_as === null ? {} : { closedAs: row.closed_as }),
    ...(row.file === null ? {} : { file: JSON.parse(row.file) as OutboxFile }),
    ...(row.replaces === null ? {} : { replaces: row.replaces }),
  };
}
