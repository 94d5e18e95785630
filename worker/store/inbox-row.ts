import type { FileKind } from '../../lib/file-kind.ts';
import type { NewOutboxRow, OutboxRow } from './outbox-row.ts';
import type { NewMessage } from './sessions.ts';
import type { NewWindow } from './windows.ts';

/** What a turn needs to know of the message that asks for it. */
export type InboxPayload = {
  channel: string;
  accountId: string;
  peerKind: 'direct' | 'group';
  chatId: string;
  threadId?: string;
  senderId: string;
  senderName?: string;
  messageId?: string;
  text: string;
  files?: readonly StoredFile[];
  /** Model reference that replaces the agent's. */
  model?: string;
  /** Settings of the caller that replace the agent's. */
  settings?: { maxTokens?: number; temperature?: number };
  /** False when the answer is only for the caller who waits for it. */
  deliver: boolean;
  /** Set when nobody wrote it, but a job by the clock. */
  job?: JobTurn;
};

/** What a turn needs to know of the job that asks for it. */
export type JobTurn = {
  /** False when the job asks again if this turn fails: then nobody is told of the failure. */
  isLastTry: boolean;
  /** An answer with the word for silence may hold so many other characters and is not delivered all the same. */
  ackMaxChars: number;
  /** Longest turn, in milliseconds; as the configuration says when it is left out. */
  timeoutMs?: number;
};

/** A file that came with a message, as the channel described it. */
export type StoredFile = { kind: FileKind; ref: string; name?: string; mimeType?: string; sizeBytes?: number };

export type NewInboxRow = {
  runId: string;
  sessionKey: string;
  payload: InboxPayload;
  dedupe?: { key: string; digest?: string };
  /**
   * Waits for the other messages of its album, for so long after the newest one, in milliseconds. One that `isAside` asks nothing
   * by itself: it only goes with the others of its album.
   */
  album?: { id: string; waitMs: number; isAside: boolean };
  /** Said to somebody else: kept for the next question, so many of them. It starts no turn. */
  overheard?: { keep: number };
  /** The new wording of an earlier message; it changes what is stored and starts no turn. */
  isEdit?: true;
  /** Set for what is no question but an order: carried out and answered with its reception, so at most once (IN-2). */
  order?: Order;
};

/** What an order does to its session, and what is told of it. */
export type Order = {
  /** The model reads nothing of what was said so far. */
  startsAnew: boolean;
  /** What was set aside is tried once more. */
  resumesParked: boolean;
  messages: readonly NewMessage[];
  outbox: readonly NewOutboxRow[];
};

export type InboxRow = {
  id: number;
  runId: string;
  sessionKey: string;
  /** How often a turn was begun for it, this time included. */
  attempts: number;
  payload: InboxPayload;
  receivedAt: number;
  /** The platform's id of the message that shows the growing answer; empty while it is unknown whether it was posted. */
  draft?: string;
};

/** What became of a message: taken in, or known already. */
export type Receipt = {
  runId: string;
  sessionKey: string;
  isDuplicate: boolean;
  /** Of a duplicate: what was sent the first time, for telling a retry from a mistake. */
  digest?: string;
  /** Set when the row was claimed for the caller at once. */
  claimed?: InboxRow;
  /** Set when it was an order: the answers on their way out. */
  answers?: OutboxRow[];
};

export type ReceiveOptions = {
  rows: readonly NewInboxRow[];
  /** Committed together with the rows; what the platform may then be told to forget (IN-1). */
  cursor?: { channel: string; accountId: string; value: string };
  /** What the peers' messages let us say to them. */
  windows?: readonly NewWindow[];
  /** Claims each row whose session is idle, which saves a commit. */
  claimFor?: string;
  /** Epoch of the caller's lease; a receiver that lost it changes nothing. */
  epoch?: number;
};

/** A row as the table has it. */
export type RawInboxRow = {
  id: number;
  run_id: string;
  session_key: string;
  attempts: number;
  payload: string;
  received_at: number;
  draft: string | null;
  album: string | null;
  is_aside: number;
  ready_at: number;
};

/** Returns undefined when what is stored makes no sense. */
export function readInboxRow(row: RawInboxRow): InboxRow | undefined {
  const payload = parsePayload(row.payload);
  if (payload === undefined) return undefined;
  return {
    id: row.id,
    runId: row.run_id,
    sessionKey: row.session_key,
    attempts: row.attempts,
    payload,
    receivedAt: row.received_at,
    ...(row.draft === null ? {} : { draft: row.draft }),
  };
}

function parsePayload(json: string): InboxPayload | undefined {
  try {
    const payload: unknown = JSON.parse(json);
    const isPayload =
      typeof payload === 'object' && payload !== null && 'text' in payload && typeof payload.text === 'string';
    return isPayload ? (payload as InboxPayload) : undefined;
  } catch {
    return undefined;
  }
}
