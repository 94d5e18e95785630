import { setTimeout as sleep } from 'node:timers/promises';
import { withDeadline } from '../../lib/deadline.ts';
import { errorMessage } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import { type OutboundMessage, RateLimited, Rejected, Unreachable } from '../channels/plugin.ts';
import type { EventHub } from '../events.ts';
import type { Store } from '../store/index.ts';
import { LeaseLost } from '../store/lease.ts';
import type { OutboxRow } from '../store/outbox.ts';

/** What to do with a message of which nobody knows whether it arrived (OUT-1). */
export type AmbiguousPolicy = 'resend' | 'resend-marked' | 'drop';

/** The channels as far as delivery cares. */
export type Carrier = {
  /** Longest text of one part, in UTF-16 units. */
  textLimit(channel: string): number;
  /** Whether sending the same id twice shows once; undefined when the channel is not there. */
  isIdempotent(channel: string): boolean | undefined;
  send(channel: string, message: OutboundMessage, signal: AbortSignal): Promise<{ remoteId: string }>;
};

export type DeliveryOptions = {
  store: Store;
  carrier: Carrier;
  events: EventHub;
  ambiguous: AmbiguousPolicy;
  log: Logger;
};

/** One tenure of delivering: `stopping` ends all waiting, `sending` also cuts off requests under way. */
export type Delivering = { epoch: number; stopping: AbortController; sending: AbortController };

/** Added to a text that may be there already. Parts leave room for it. */
export const REPEAT_MARK = '\n\n(possible repeat after an interruption)';

const SEND_TIMEOUT_MS = 60_000;
const MAX_BACKOFF_MS = 60_000;
const MISSING_CHANNEL_RETRY_MS = 60_000;
const MAX_AMBIGUOUS = 5;

type Outcome =
  | { kind: 'sent'; remoteId: string }
  | { kind: 'again'; afterMs: number; reason: string }
  | { kind: 'ambiguous'; reason: string }
  | { kind: 'refused'; reason: string }
  /** Cut off by our own stop: what became of it is for the next start to judge. */
  | { kind: 'cut-off' };

/** Delivers the rows of one chat, each to its end before the next, while more may be pushed. Returns early when stopped. */
export async function deliverInOrder(
  options: DeliveryOptions,
  rows: OutboxRow[],
  tenure: Delivering,
): Promise<'done' | 'stopped'> {
  try {
    for (let row = rows[0]; row !== undefined; row = rows[0]) {
      await deliver(options, row, tenure);
      rows.shift();
    }
    return 'done';
  } catch (error) {
    if (tenure.stopping.signal.aborted || error instanceof LeaseLost) return 'stopped';
    throw error;
  }
}

/** The fields of a row that clients see in events and answers. */
export function describeRow(row: OutboxRow): Record<string, unknown> {
  const { id, channel, chatId, state, part, parts, text, runId } = row;
  return {
    message_id: id,
    channel,
    chat_id: chatId,
    state,
    part,
    parts,
    content: text,
    ...(runId === undefined ? {} : { run_id: runId }),
  };
}

async function deliver(options: DeliveryOptions, first: OutboxRow, tenure: Delivering): Promise<void> {
  const { store } = options;
  let row = first;
  // Found in this state: the last holder died between the request and its answer.
  if (row.state === 'sending')
    row = await settle(options, row, { kind: 'ambiguous', reason: 'interrupted while sending' }, tenure);
  while (row.state === 'queued') {
    const wakeAt = Math.min(row.nextAt, row.expiresAt);
    await sleep(Math.max(0, wakeAt - Date.now()), undefined, { signal: tenure.stopping.signal });
    if (Date.now() >= row.expiresAt) {
      row = await settle(options, row, { kind: 'refused', reason: 'too old to be of use' }, tenure);
      continue;
    }
    const isIdempotent = options.carrier.isIdempotent(row.channel);
    if (isIdempotent === false) await keepTrying(options, tenure, () => store.outbox.markSending(row, tenure.epoch));
    const outcome = await attempt(options, row, tenure);
    row = await settle(options, { ...row, attempts: row.attempts + 1 }, outcome, tenure);
  }
}

async function attempt({ carrier, ambiguous }: DeliveryOptions, row: OutboxRow, tenure: Delivering): Promise<Outcome> {
  const isRepeat = row.ambiguous > 0 && ambiguous === 'resend-marked' && carrier.isIdempotent(row.channel) === false;
  const message: OutboundMessage = {
    id: row.id,
    accountId: row.accountId,
    chatId: row.chatId,
    text: isRepeat ? row.text + REPEAT_MARK : row.text,
    ...(row.threadId === undefined ? {} : { threadId: row.threadId }),
    ...(row.replyTo === undefined ? {} : { replyTo: row.replyTo }),
    ...(row.silent === true ? { silent: true } : {}),
  };
  if (carrier.isIdempotent(row.channel) === undefined) {
    return { kind: 'again', afterMs: MISSING_CHANNEL_RETRY_MS, reason: `the channel ${row.channel} is not enabled` };
  }
  try {
    // Not every channel ends in time when it is told to; the chat and our own end do not wait for it.
    const { remoteId } = await withDeadline(tenure.sending.signal, SEND_TIMEOUT_MS, (signal) =>
      Promise.race([carrier.send(row.channel, message, signal), rejectOnAbort(signal)]),
    );
    return { kind: 'sent', remoteId };
  } catch (error) {
    return judge(error, row.attempts, tenure);
  }
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function judge(error: unknown, attempts: number, tenure: Delivering): Outcome {
  const reason = errorMessage(error);
  if (error instanceof Rejected) return { kind: 'refused', reason };
  if (error instanceof RateLimited) return { kind: 'again', afterMs: error.retryAfterMs, reason };
  if (error instanceof Unreachable) return { kind: 'again', afterMs: backoffMs(attempts), reason };
  return tenure.sending.signal.aborted ? { kind: 'cut-off' } : { kind: 'ambiguous', reason };
}

/** 1, 2, 4 … 60 seconds, each ±20 %, so that many chats do not come back in step. */
function backoffMs(attempts: number): number {
  return Math.round(Math.min(MAX_BACKOFF_MS, 1_000 * 2 ** Math.min(attempts, 6)) * (0.8 + Math.random() * 0.4));
}

/** Writes an outcome down and returns the row as it is then. */
async function settle(
  options: DeliveryOptions,
  row: OutboxRow,
  outcome: Outcome,
  tenure: Delivering,
): Promise<OutboxRow> {
  const { store, log, events, ambiguous } = options;
  const fields = { channel: row.channel, account: row.accountId, message_id: row.id, attempts: row.attempts };
  switch (outcome.kind) {
    case 'sent': {
      const isUrgent = options.carrier.isIdempotent(row.channel) !== true;
      const written = keepTrying(options, tenure, () => store.outbox.markSent(row, outcome.remoteId, isUrgent));
      if (isUrgent) await written;
      else written.catch(() => undefined);
      const sent: OutboxRow = { ...row, state: 'sent', remoteId: outcome.remoteId };
      log.debug({ ...fields, remote_id: outcome.remoteId }, 'A message was sent');
      events.publish('message.sent', { ...describeRow(sent), remote_id: outcome.remoteId }, row.sessionKey);
      return sent;
    }
    case 'again': {
      const nextAt = Math.round(Date.now() + outcome.afterMs);
      log.warn(
        { ...fields, reason: outcome.reason, retryMs: Math.round(outcome.afterMs) },
        'A message could not be sent yet',
      );
      await keepTrying(options, tenure, () => store.outbox.reschedule(row, nextAt, outcome.reason));
      return { ...row, state: 'queued', nextAt };
    }
    case 'ambiguous': {
      const isRepeatSeen = options.carrier.isIdempotent(row.channel) !== true;
      if ((ambiguous === 'drop' && isRepeatSeen) || row.ambiguous + 1 >= MAX_AMBIGUOUS)
        return abandon(options, row, 'unknown', outcome.reason, tenure);
      const nextAt = Date.now() + (row.state === 'sending' ? 0 : backoffMs(row.ambiguous));
      log.warn({ ...fields, reason: outcome.reason }, 'A message may have been sent; it is sent again');
      await keepTrying(options, tenure, () => store.outbox.rescheduleAmbiguous(row, nextAt, outcome.reason));
      return { ...row, state: 'queued', nextAt, ambiguous: row.ambiguous + 1 };
    }
    case 'refused':
      return abandon(options, row, 'failed', outcome.reason, tenure);
    case 'cut-off':
      throw new Error('Delivery was stopped');
  }
}

async function abandon(
  options: DeliveryOptions,
  row: OutboxRow,
  state: 'failed' | 'unknown',
  reason: string,
  tenure: Delivering,
): Promise<OutboxRow> {
  await keepTrying(options, tenure, () => options.store.outbox.abandon(row, state, reason));
  const abandoned: OutboxRow = { ...row, state, lastError: reason };
  const { channel, chatId, id } = row;
  options.log.error({ channel, chat: chatId, message_id: id, state, reason }, 'A message was given up');
  options.events.publish('message.failed', { ...describeRow(abandoned), reason }, row.sessionKey);
  return abandoned;
}

/** Repeats a write while the store fails, e.g. on a full disk: what was sent must not be forgotten, or it is sent again. */
async function keepTrying(options: DeliveryOptions, tenure: Delivering, write: () => Promise<void>): Promise<void> {
  for (let waitMs = 250; ; waitMs = Math.min(waitMs * 2, 30_000)) {
    try {
      return await write();
    } catch (error) {
      if (error instanceof LeaseLost) throw error;
      options.log.error({ err: error }, 'The outbox cannot be written; trying again');
      await sleep(waitMs, undefined, { signal: tenure.sending.signal });
    }
  }
}
