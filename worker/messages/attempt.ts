import { join } from 'node:path';
import { withDeadline } from '../../lib/deadline.ts';
import { errorMessage } from '../../lib/errors.ts';
import {
  type EditTarget,
  type FileSupport,
  type OutboundMessage,
  type Peer,
  type Posted,
  type Quoting,
  RateLimited,
  Rejected,
  type SendWindow,
  type Streaming,
  Unreachable,
  WindowClosed,
} from '../channels/plugin.ts';
import type { OutboxRow } from '../store/outbox-row.ts';

/** What to do with a message of which nobody knows whether it arrived (OUT-1). */
export type AmbiguousPolicy = 'resend' | 'resend-marked' | 'drop';

/** The channels as far as messages care. */
export type Carrier = {
  /** Longest text of one part, in UTF-16 units: as an account wishes, and `reserve` less than the platform takes. */
  textLimit(target: { channel: string; accountId: string }, reserve: number): number;
  /** What may be sent besides text; undefined when the channel sends no files. */
  fileSupport(channel: string): FileSupport | undefined;
  /** Whether sending the same id twice shows once; undefined when the channel is not there. */
  isIdempotent(channel: string): boolean | undefined;
  /** Whether a message has arrived there when it is committed. */
  isLocal(channel: string): boolean;
  /** Whether the platform takes messages only in a window that the peer opens by writing. */
  hasWindows(channel: string): boolean;
  send(channel: string, message: OutboundMessage, signal: AbortSignal): Promise<Posted>;
  /** Shows "typing" in a chat until the signal aborts; never fails. */
  showTyping(
    target: { channel: string; accountId: string; chatId: string; threadId?: string },
    signal: AbortSignal,
  ): void;
  /** How a channel shows an answer while it grows; undefined when it does not. */
  streaming(channel: string, accountId: string, peerKind: Peer['kind']): Streaming | undefined;
  /** Which parts of an answer quote the message that they answer. */
  quoting(channel: string, accountId: string, peerKind: Peer['kind']): Quoting;
  /** Books the next message to a chat and returns how long it has to wait for the platform's pace, in milliseconds. */
  bookSend(channel: string, target: { accountId: string; chatId: string }): number;
  /** Fetches a file that came in. Throws Rejected when it can never be had. */
  fetchFile(
    channel: string,
    file: { accountId: string; ref: string },
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>>;
  /** Undefined when the channel cannot change what was sent. */
  edit(channel: string, target: EditTarget, signal: AbortSignal): Promise<'edited' | 'gone'> | undefined;
};

/** What one try came to. */
export type Outcome =
  | ({ kind: 'sent' } & Posted)
  | { kind: 'again'; afterMs: number; reason: string }
  | { kind: 'ambiguous'; reason: string }
  | { kind: 'refused'; reason: string; isPeerGone?: boolean }
  /** It waits until its peer writes; `isRefused` when the platform said so, whatever we counted. */
  | { kind: 'held'; reason: string; isRefused: boolean }
  /** The message it was to take the place of is gone. */
  | { kind: 'gone' }
  /** Somebody dropped it meanwhile. */
  | { kind: 'dropped' }
  /** Cut off by our own stop: what became of it is for the next start to judge. */
  | { kind: 'cut-off' };

/** Added to a text that may be there already. Parts leave room for it. */
export const REPEAT_MARK = '\n\n(possible repeat after an interruption)';

/** How a try is made: `signal` cuts it off. Files on their way out lie in `filesDir`. */
export type AttemptOptions = { carrier: Carrier; ambiguous: AmbiguousPolicy; filesDir: string; signal: AbortSignal };

const SEND_TIMEOUT_MS = 60_000;
/** What a line must carry at least, in bytes per millisecond: a file takes longer than a text. */
const SLOWEST_UPLOAD = 50;
const MAX_BACKOFF_MS = 60_000;
const MISSING_CHANNEL_RETRY_MS = 60_000;

/** An edit that is made twice shows once, so that its outcome is never in doubt. */
export async function replaceMessage(
  { carrier, signal: cutOff }: AttemptOptions,
  row: OutboxRow,
  remoteId: string,
): Promise<Outcome> {
  const { channel, accountId, chatId, text } = row;
  try {
    const result = await withDeadline(cutOff, SEND_TIMEOUT_MS, async (signal) =>
      Promise.race([carrier.edit(channel, { accountId, chatId, remoteId, text }, signal), rejectOnAbort(signal)]),
    );
    return result === 'edited' ? { kind: 'sent', remoteId } : { kind: 'gone' };
  } catch (error) {
    const outcome = judge(error, row.attempts, cutOff);
    if (outcome.kind !== 'ambiguous') return outcome;
    return { kind: 'again', afterMs: backoffMs(row.attempts), reason: outcome.reason };
  }
}

/** Sends a row once, by the window of its chat if the platform has windows. */
export async function sendMessage(
  { carrier, ambiguous, filesDir, signal: cutOff }: AttemptOptions,
  row: OutboxRow,
  window?: SendWindow,
): Promise<Outcome> {
  const isRepeat = row.ambiguous > 0 && ambiguous === 'resend-marked' && carrier.isIdempotent(row.channel) === false;
  const message: OutboundMessage = {
    id: row.id,
    accountId: row.accountId,
    chatId: row.chatId,
    text: isRepeat ? (row.text + REPEAT_MARK).trimStart() : row.text,
    ...(row.file === undefined ? {} : { file: { ...row.file, path: join(filesDir, row.file.path) } }),
    ...(row.threadId === undefined ? {} : { threadId: row.threadId }),
    ...(row.replyTo === undefined ? {} : { replyTo: row.replyTo }),
    ...(row.silent === true ? { silent: true } : {}),
    ...(window === undefined ? {} : { window }),
  };
  if (carrier.isIdempotent(row.channel) === undefined) {
    return { kind: 'again', afterMs: MISSING_CHANNEL_RETRY_MS, reason: `the channel ${row.channel} is not enabled` };
  }
  try {
    // Not every channel ends in time when it is told to; the chat and our own end do not wait for it.
    const timeoutMs = SEND_TIMEOUT_MS + (row.file?.sizeBytes ?? 0) / SLOWEST_UPLOAD;
    const posted = await withDeadline(cutOff, timeoutMs, (signal) =>
      Promise.race([carrier.send(row.channel, message, signal), rejectOnAbort(signal)]),
    );
    return { kind: 'sent', ...posted };
  } catch (error) {
    return judge(error, row.attempts, cutOff);
  }
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function judge(error: unknown, attempts: number, cutOff: AbortSignal): Outcome {
  const reason = errorMessage(error);
  if (error instanceof Rejected) return { kind: 'refused', reason, isPeerGone: error.isPeerGone };
  if (error instanceof WindowClosed) return { kind: 'held', reason, isRefused: true };
  if (error instanceof RateLimited) return { kind: 'again', afterMs: error.retryAfterMs, reason };
  if (error instanceof Unreachable) return { kind: 'again', afterMs: backoffMs(attempts), reason };
  return cutOff.aborted ? { kind: 'cut-off' } : { kind: 'ambiguous', reason };
}

/** 1, 2, 4 … 60 seconds, each ±20 %, so that many chats do not come back in step. */
export function backoffMs(attempts: number): number {
  return Math.round(Math.min(MAX_BACKOFF_MS, 1_000 * 2 ** Math.min(attempts, 6)) * (0.8 + Math.random() * 0.4));
}
