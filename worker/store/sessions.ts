import { parseSessionKey } from '../sessions/key.ts';
import type { Database, Tx } from './database.ts';
import { forgetOverheard } from './overheard.ts';

export type SessionStatus = 'active' | 'archived';

export type Session = {
  key: string;
  agentId: string;
  channel: string;
  accountId: string;
  peerKind: string;
  peerId: string;
  threadId?: string;
  name?: string;
  status: SessionStatus;
  messageCount: number;
  createdAt: number;
  updatedAt: number;
};

export type Message = {
  id: number;
  role: 'user' | 'assistant';
  /** An `error` or a `command` and its answer were shown to the user but are not part of what the model reads. */
  kind: 'text' | 'error' | 'command';
  text: string;
  /** Who said it, where several people speak. */
  sender?: string;
  /** The platform's id of it, by which it can be reworded. */
  remoteId?: string;
  /** A line for each file that came with it. */
  files?: string;
  runId?: string;
  model?: string;
  usage?: { inputTokens: number; outputTokens: number };
  createdAt: number;
};

export type NewMessage = Omit<Message, 'id' | 'createdAt'>;

export type SessionQuery = {
  limit: number;
  offset: number;
  channel?: string | undefined;
  agent?: string | undefined;
  search?: string | undefined;
  status?: SessionStatus | undefined;
  sort: 'updated' | 'created';
};

export type Sessions = ReturnType<typeof createSessions>;

/** Conversations and their transcripts. */
export function createSessions(database: Database) {
  return {
    /** The session of a key, created when there is none; an existing one is never changed. */
    ensure: (key: string): Promise<{ session: Session; isNew: boolean }> =>
      database.write((tx) => {
        const isNew = ensureSession(tx, key);
        return { session: readRow(requireRow(tx, key)), isNew };
      }),

    get: (key: string): Promise<Session | undefined> =>
      database.read((tx) => {
        const row = findRow(tx, key);
        return row === undefined ? undefined : readRow(row);
      }),

    /** One page of sessions, newest first, and how many match in all. */
    list: (query: SessionQuery): Promise<{ sessions: Session[]; total: number }> =>
      database.read((tx) => listSessions(tx, query)),

    /** The newest session without messages of an agent on a channel, for reuse. */
    findEmpty: (agentId: string, channel: string): Promise<Session | undefined> =>
      database.read((tx) => {
        const rows = tx.all<RawSession>(
          'SELECT * FROM sessions WHERE agent_id=? AND channel=? ORDER BY updated_at DESC LIMIT 50',
          agentId,
          channel,
        );
        const row = rows.find((item) => item.message_count === 0);
        return row === undefined ? undefined : readRow(row);
      }),

    /** Removes a session with its messages; false when there was none. */
    remove: (key: string): Promise<boolean> =>
      database.write((tx) => {
        forgetOverheard(tx, key);
        return tx.run('DELETE FROM sessions WHERE key=?', key).changes > 0;
      }),

    /** Up to `limit` messages older than message `before`, oldest first. */
    messages: (key: string, options: { limit: number; before?: number }): Promise<Message[]> =>
      database.read((tx) =>
        tx
          .all<RawMessage>(
            `SELECT * FROM messages WHERE id>=? AND id<? ORDER BY id DESC LIMIT ?`,
            ...messageRange(tx, key, options.before),
            options.limit,
          )
          .reverse()
          .map(readMessage),
      ),

    /** What the model is told of: the newest `limit` messages and failures since the conversation was begun anew, oldest first. */
    context: (key: string, limit: number): Promise<Message[]> =>
      database.read((tx) => {
        const [first, end] = messageRange(tx, key);
        const from = Math.max(first, findRow(tx, key)?.context_from ?? 0);
        const sql = "SELECT * FROM messages WHERE id>=? AND id<? AND kind<>'command' ORDER BY id DESC LIMIT ?";
        return tx.all<RawMessage>(sql, from, end, limit).reverse().map(readMessage);
      }),

    /** The assistant's answer to a run, once it is committed. */
    reply: (key: string, runId: string): Promise<Message | undefined> =>
      database.read((tx) => {
        const row = tx.get<RawMessage>(
          "SELECT * FROM messages WHERE id>=? AND id<? AND run_id=? AND role='assistant' ORDER BY id DESC LIMIT 1",
          ...messageRange(tx, key),
          runId,
        );
        return row === undefined ? undefined : readMessage(row);
      }),
  };
}

/** Appends messages to a session inside a larger transaction, creating it when needed. */
export function appendMessages(tx: Tx, key: string, messages: readonly NewMessage[]): void {
  ensureSession(tx, key);
  const { id, last_message: last } = requireRow(tx, key);
  const now = Date.now();
  for (const [index, message] of messages.entries()) {
    tx.run(
      'INSERT INTO messages (id, session_id, role, kind, text, run_id, model, input_tokens, output_tokens, created_at, sender, remote_id, files) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)',
      firstMessageId(id) + last + index + 1,
      id,
      message.role,
      message.kind,
      message.text,
      message.runId ?? null,
      message.model ?? null,
      message.usage?.inputTokens ?? null,
      message.usage?.outputTokens ?? null,
      now,
      message.sender ?? null,
      message.remoteId ?? null,
      message.files ?? null,
    );
  }
  const count = messages.length;
  tx.run(
    'UPDATE sessions SET message_count=message_count+?, last_message=last_message+?, updated_at=? WHERE id=?',
    count,
    count,
    now,
    id,
  );
}

/** Begins a conversation anew inside a larger transaction: the model reads nothing of what was said so far. */
export function resetContext(tx: Tx, key: string): void {
  ensureSession(tx, key);
  tx.run('UPDATE sessions SET context_from=id*?+last_message+1, reset_at=? WHERE key=?', ID_SPAN, Date.now(), key);
}

/** What was asked before the conversation was begun anew belongs to the old one, also when its answer comes later. */
export function keepContext(tx: Tx, key: string, askedAt: number): void {
  tx.run('UPDATE sessions SET context_from=id*?+last_message+1 WHERE key=? AND reset_at>?', ID_SPAN, key, askedAt);
}

/** Changes the wording of a message of a person inside a larger transaction, if it is one of the newest thousand. */
export function rewordMessage(tx: Tx, key: string, { remoteId, text }: { remoteId: string; text: string }): void {
  const session = findRow(tx, key);
  if (session === undefined) return;
  const newest = firstMessageId(session.id) + session.last_message;
  tx.run(
    "UPDATE messages SET text=? WHERE id>? AND id<=? AND remote_id=? AND role='user' AND kind='text'",
    text,
    newest - REWORDED_AT_MOST,
    newest,
    remoteId,
  );
}

const REWORDED_AT_MOST = 1_000;

/** A session's messages have the ids from here on, 2²⁴ of them, so that they lie together and need no index of their own. */
function firstMessageId(sessionId: number): number {
  return sessionId * ID_SPAN;
}

const ID_SPAN = 2 ** 24;

function messageRange(tx: Tx, key: string, before?: number): [number, number] {
  const id = findRow(tx, key)?.id;
  if (id === undefined) return [0, 0];
  const end = firstMessageId(id + 1);
  return [firstMessageId(id), before === undefined ? end : Math.min(before, end)];
}

type RawSession = {
  id: number;
  key: string;
  agent_id: string;
  channel: string;
  account_id: string;
  peer_kind: string;
  peer_id: string;
  thread_id: string | null;
  name: string | null;
  status: SessionStatus;
  message_count: number;
  last_message: number;
  context_from: number;
  reset_at: number;
  created_at: number;
  updated_at: number;
};

type RawMessage = {
  id: number;
  role: 'user' | 'assistant';
  kind: Message['kind'];
  text: string;
  run_id: string | null;
  model: string | null;
  input_tokens: number | null;
  output_tokens: number | null;
  created_at: number;
  sender: string | null;
  remote_id: string | null;
  files: string | null;
};

function ensureSession(tx: Tx, key: string): boolean {
  if (findRow(tx, key) !== undefined) return false;
  const address = parseSessionKey(key);
  if (address === undefined) throw new Error(`"${key}" is no session key`);
  const now = Date.now();
  tx.run(
    `INSERT INTO sessions (key, agent_id, channel, account_id, peer_kind, peer_id, thread_id, created_at, updated_at)
     VALUES (?,?,?,?,?,?,?,?,?)`,
    key,
    address.agentId,
    address.channel,
    address.accountId,
    address.peerKind,
    address.peerId,
    address.threadId ?? null,
    now,
    now,
  );
  return true;
}

function findRow(tx: Tx, key: string): RawSession | undefined {
  return tx.get<RawSession>('SELECT * FROM sessions WHERE key=?', key);
}

function requireRow(tx: Tx, key: string): RawSession {
  const row = findRow(tx, key);
  if (row === undefined) throw new Error(`Session ${key} is missing`);
  return row;
}

function listSessions(tx: Tx, query: SessionQuery): { sessions: Session[]; total: number } {
  const conditions: string[] = [];
  const values: string[] = [];
  const where = (condition: string, value: string | undefined): void => {
    if (value === undefined) return;
    conditions.push(condition);
    values.push(value);
  };
  where('channel=?', query.channel);
  where('agent_id=?', query.agent);
  where('status=?', query.status);
  where(
    "(key || ' ' || coalesce(name, '')) LIKE ? ESCAPE '\\'",
    query.search === undefined ? undefined : `%${query.search.replace(/[\\%_]/g, '\\$&')}%`,
  );
  const clause = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  const order = query.sort === 'created' ? 'id' : 'updated_at';
  const total = tx.get<{ n: number }>(`SELECT count(*) AS n FROM sessions ${clause}`, ...values)?.n ?? 0;
  const rows = tx.all<RawSession>(
    `SELECT * FROM sessions ${clause} ORDER BY ${order} DESC LIMIT ? OFFSET ?`,
    ...values,
    query.limit,
    query.offset,
  );
  return { sessions: rows.map(readRow), total };
}

function readRow(row: RawSession): Session {
  return {
    key: row.key,
    agentId: row.agent_id,
    channel: row.channel,
    accountId: row.account_id,
    peerKind: row.peer_kind,
    peerId: row.peer_id,
    status: row.status,
    messageCount: row.message_count,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    ...(row.thread_id === null ? {} : { threadId: row.thread_id }),
    ...(row.name === null ? {} : { name: row.name }),
  };
}

function readMessage(row: RawMessage): Message {
  const { input_tokens: inputTokens, output_tokens: outputTokens, sender, remote_id: remoteId, files } = row;
  return {
    id: row.id,
    role: row.role,
    kind: row.kind,
    text: row.text,
    createdAt: row.created_at,
    ...(sender === null ? {} : { sender }),
    ...(remoteId === null ? {} : { remoteId }),
    ...(files === null ? {} : { files }),
    ...(row.run_id === null ? {} : { runId: row.run_id }),
    ...(row.model === null ? {} : { model: row.model }),
    ...(inputTokens === null || outputTokens === null ? {} : { usage: { inputTokens, outputTokens } }),
  };
}
