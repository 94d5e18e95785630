import { setTimeout as sleep } from 'node:timers/promises';
import type { FileView } from '../../lib/answers.ts';
import { toMediaType } from '../../lib/file-kind.ts';
import type { Logger } from '../../lib/log.ts';
import type { EventHub } from '../events.ts';
import type { Store } from '../store/index.ts';
import { LeaseLost } from '../store/lease.ts';
import type { PendingRow } from '../store/outbox.ts';
import type { OutboxFile, OutboxRow } from '../store/outbox-row.ts';
import { type AmbiguousPolicy, backoffMs, type Carrier, type Outcome, replaceMessage, sendMessage } from './attempt.ts';
import type { Doorbell } from './doorbell.ts';
import type { Reachability } from './reachability.ts';
import type { Slots } from './slots.ts';

export type DeliveryOptions = {
  store: Store;
  carrier: Carrier;
  events: EventHub;
  reachability: Reachability;
  /** Rings when a peer writes. */
  doorbell: Doorbell;
  ambiguous: AmbiguousPolicy;
  /** Where files on their way out lie. */
  filesDir: string;
  /** Called for each message that was given up. */
  onDeadLetter(row: OutboxRow): void;
  log: Logger;
};

/** One tenure of delivering: `stopping` ends all waiting, `sending` also cuts off requests under way. */
export type Delivering = {
  epoch: number;
  stopping: AbortController;
  sending: AbortController;
  /** Bounds the requests that are under way at the same time on a channel. */
  slotsOf(channel: string): Slots;
};

const MAX_AMBIGUOUS = 5;

/** The window of the chat may be opened by another worker. */
const HELD_LOOK_MS = 10_000;

/** Why a message is not sent on a platform that lets us only answer. */
export const HELD = 'the platform lets nothing more be sent to this chat until its person writes again';

/** Delivers the rows of one chat, each to its end before the next, while more may be pushed. Returns early when stopped. */
export async function deliverInOrder(
  options: DeliveryOptions,
  rows: PendingRow[],
  tenure: Delivering,
): Promise<'done' | 'stopped'> {
  try {
    for (let next = rows[0]; next !== undefined; next = rows[0]) {
      const row = await options.store.outbox.bySeq(next.seq);
      if (row !== undefined) await deliver(options, row, tenure);
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
  const { id, channel, chatId, part, parts, text, file, runId } = row;
  return {
    message_id: id,
    channel,
    chat_id: chatId,
    state: stateOf(row),
    part,
    parts,
    content: text,
    ...(file === undefined ? {} : { file: describeFile(file) }),
    ...(runId === undefined ? {} : { run_id: runId }),
  };
}

/** The state of a row in the terms of the API. */
export function stateOf({ state, held }: OutboxRow): OutboxRow['state'] | 'held' {
  return held === undefined || state !== 'queued' ? state : 'held';
}

/** A file of a message in the terms of the API. */
export function describeFile({ kind, name, mimeType, sizeBytes }: OutboxFile): FileView {
  return { media_type: toMediaType(kind), name, mime_type: mimeType, size_bytes: sizeBytes };
}

/** Tells that a message has arrived. */
export function announceSent({ log, events }: Pick<DeliveryOptions, 'log' | 'events'>, row: OutboxRow): void {
  const { id, channel, accountId, attempts, remoteId } = row;
  log.debug({ channel, account: accountId, message_id: id, attempts, remote_id: remoteId }, 'A message was sent');
  events.publish('message.sent', { ...describeRow(row), remote_id: remoteId }, row.sessionKey);
}

async function deliver(options: DeliveryOptions, first: OutboxRow, tenure: Delivering): Promise<void> {
  let row = first;
  // Found in this state: the last holder died between the request and its answer.
  if (row.state === 'sending')
    row = await settle(options, row, { kind: 'ambiguous', reason: 'interrupted while sending' }, tenure);
  // Counted before each try: whoever writes in between has already changed what the next one finds.
  let rings = 0;
  while (row.state === 'queued') {
    const { signal } = tenure.stopping;
    signal.throwIfAborted();
    const milliseconds = Math.max(0, Math.min(row.nextAt, row.expiresAt) - Date.now());
    if (row.held !== undefined) await options.doorbell.wait(row, { seen: rings, milliseconds, signal });
    else if (milliseconds > 0) await sleep(milliseconds, undefined, { signal });
    if (Date.now() >= row.expiresAt) {
      row = await settle(options, row, { kind: 'refused', reason: 'too old to be of use' }, tenure);
      continue;
    }
    const refusal = options.reachability.refusal(row);
    if (refusal !== undefined) {
      row = await settle(options, row, { kind: 'refused', reason: `not tried: ${refusal}` }, tenure);
      continue;
    }
    const bookedMs = options.carrier.bookSend(row.channel, row);
    if (bookedMs > 0) await sleep(bookedMs, undefined, { signal: tenure.stopping.signal });
    rings = options.doorbell.count(row);
    const outcome = await tenure.slotsOf(row.channel).use(tenure.stopping.signal, () => begin(options, row, tenure));
    row = await settle(options, { ...row, attempts: row.attempts + 1 }, outcome, tenure);
  }
}

async function begin(options: DeliveryOptions, row: OutboxRow, tenure: Delivering): Promise<Outcome> {
  const { carrier, store, ambiguous, filesDir } = options;
  const trial = { carrier, ambiguous, filesDir, signal: tenure.sending.signal };
  if (row.replaces !== undefined) return replaceMessage(trial, row, row.replaces);
  if (carrier.isIdempotent(row.channel) !== false) return sendMessage(trial, row);
  const how = { epoch: tenure.epoch, hasWindows: carrier.hasWindows(row.channel) };
  const going = await keepTrying(options, tenure, () => store.outbox.markSending(row, how));
  if (going === 'dropped') return { kind: 'dropped' };
  if (going === 'closed') return { kind: 'held', reason: row.held ?? HELD, isRefused: false };
  return sendMessage(trial, row, going.window);
}

/** Writes an outcome down and returns the row as it is then. */
async function settle(
  options: DeliveryOptions,
  row: OutboxRow,
  outcome: Outcome,
  tenure: Delivering,
): Promise<OutboxRow> {
  const { store, log, ambiguous } = options;
  const fields = { channel: row.channel, account: row.accountId, message_id: row.id, attempts: row.attempts };
  switch (outcome.kind) {
    case 'sent': {
      const isUrgent = options.carrier.isIdempotent(row.channel) !== true;
      const written = keepTrying(options, tenure, () => store.outbox.markSent(row, outcome.remoteId, isUrgent));
      if (isUrgent) await written;
      else written.catch(() => undefined);
      const sent: OutboxRow = { ...row, state: 'sent', remoteId: outcome.remoteId };
      announceSent(options, sent);
      if (outcome.migratedTo !== undefined) await followChat(options, row, outcome.migratedTo);
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
      if (outcome.isPeerGone === true)
        await keepTrying(options, tenure, () => options.reachability.markGone(row, outcome.reason));
      return abandon(options, row, 'failed', outcome.reason, tenure);
    case 'held': {
      const isNews = row.held !== outcome.reason;
      if (isNews || outcome.isRefused)
        await keepTrying(options, tenure, () => store.outbox.hold(row, outcome.reason, outcome.isRefused));
      const held: OutboxRow = { ...row, state: 'queued', held: outcome.reason, nextAt: Date.now() + HELD_LOOK_MS };
      if (!isNews) return held;
      log.info({ ...fields, reason: outcome.reason }, 'A message is held until its peer writes');
      options.events.publish('message.held', { ...describeRow(held), reason: outcome.reason }, row.sessionKey);
      return held;
    }
    case 'gone': {
      await keepTrying(options, tenure, () => store.outbox.forgetReplaced(row));
      const { replaces: _gone, ...rest } = row;
      return { ...rest, state: 'queued' };
    }
    case 'dropped':
      log.info(fields, 'A message was dropped before it was sent');
      return { ...row, state: 'failed' };
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
  options.onDeadLetter(abandoned);
  return abandoned;
}

/** Parts that wait for the old id find their way by themselves if this fails. */
async function followChat({ store, log }: DeliveryOptions, row: OutboxRow, to: string): Promise<void> {
  const { channel, accountId, chatId: from } = row;
  log.info({ channel, account: accountId, from, to }, 'A chat has a new id');
  await store.peers
    .move(channel, accountId, from, to)
    .catch((error: unknown) => log.error({ err: error, channel, from, to }, 'A chat could not follow to its new id'));
}

/** Repeats a write while the store fails, e.g. on a full disk: what was sent must not be forgotten, or it is sent again. */
async function keepTrying<T>(options: DeliveryOptions, tenure: Delivering, write: () => Promise<T>): Promise<T> {
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
