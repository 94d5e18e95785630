import { setMaxListeners } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Peer } from '../channels/plugin.ts';
import type { Chat, EnqueueReceipt, PendingRow } from '../store/outbox.ts';
import type { NewOutboxRow, OutboxFile, OutboxRow } from '../store/outbox-row.ts';
import { type Carrier, REPEAT_MARK } from './attempt.ts';
import { announceSent, type Delivering, type DeliveryOptions, deliverInOrder, describeRow } from './deliver.ts';
import { createSlots, type Slots } from './slots.ts';
import { splitText } from './split.ts';

/** Where a message goes. */
export type Target = Chat & { replyTo?: string };

/** A text to deliver. */
export type Delivery = {
  target: Target;
  text: string;
  /** Goes first, with the text as its caption if it is short enough. */
  file?: OutboxFile;
  sessionKey?: string;
  runId?: string;
  silent?: boolean;
  /** The message that it answers; the account decides which parts quote it. */
  answers?: { messageId: string; peerKind: Peer['kind'] };
  /** What it is, which says how long it is of use; an answer when left out. */
  kind?: DeliveryKind;
};

/** An answer of the agent, a message that an API caller ordered, or a word of the gateway itself. */
export type DeliveryKind = 'reply' | 'message' | 'notice';

/** `ttlMs`: the age after which a delivery of each kind is a dead letter, in milliseconds (OUT-2). */
export type OutboundOptions = DeliveryOptions & { ttlMs: Readonly<Record<DeliveryKind, number>> };

export type Outbound = {
  /** The rows of a delivery: its text cut into parts that fit the channel. */
  compose(delivery: Delivery): NewOutboxRow[];
  /** Stores a delivery and sends it; with a key, once however often it is handed in. Resolves when it is committed. */
  enqueue(delivery: Delivery, once?: { key: string; digest?: string }): Promise<EnqueueReceipt>;
  /** Sends rows that somebody else committed. */
  accept(rows: readonly OutboxRow[]): void;
  /** Begins to deliver under a lease, what is left from before first. */
  start(epoch: number): Promise<void>;
  /** Stops delivering. Waits for what is being sent for at most `graceMs`; what is still unanswered then is ambiguous. */
  stop(graceMs: number): Promise<void>;
  /** Whether messages to this chat are not yet delivered: what is sent past them would come before them. */
  isWaiting(target: Chat): Promise<boolean>;
  /** Messages not yet delivered that this worker knows of. */
  readonly waiting: number;
};

const POLL_MS = 1_000;
const PAGE = 1_000;

/** Requests that may be under way at once on one channel: their answers tend to come together, and the loop serves nobody else meanwhile. */
const SENDING_AT_ONCE = 32;

type Session = Delivering & { poll: NodeJS.Timeout; lastSeq: number };

/** Delivers the outbox: in order per chat, other chats unaffected, each part until it is sent, refused or too old (SPEC 7.2). */
export function createOutbound(options: OutboundOptions): Outbound {
  const { store, log, events } = options;
  const chats = new Map<string, { rows: PendingRow[]; done: Promise<void> }>();
  const slots = new Map<string, Slots>();
  let session: Session | undefined;

  function slotsOf(channel: string): Slots {
    const found = slots.get(channel) ?? createSlots(SENDING_AT_ONCE);
    slots.set(channel, found);
    return found;
  }

  function add(current: Session, rows: readonly (PendingRow & Partial<Pick<OutboxRow, 'state'>>)[]): void {
    for (const row of rows) {
      if (row.seq <= current.lastSeq) continue;
      current.lastSeq = row.seq;
      if (row.state === 'sent') continue;
      const { seq, channel, accountId, chatId } = row;
      const key = keyOf(row);
      // Only where it goes is kept: the rest is read when its turn comes.
      const kept = { seq, channel, accountId, chatId };
      const chat = chats.get(key);
      if (chat === undefined) open(current, key, [kept]);
      else chat.rows.push(kept);
    }
  }

  function open(current: Session, key: string, rows: PendingRow[]): void {
    const chat = { rows, done: Promise.resolve() };
    chats.set(key, chat);
    chat.done = deliverInOrder(options, rows, current).then(
      (end) => {
        chats.delete(key);
        // A row may be pushed between the last look and this line.
        if (end === 'done' && rows.length > 0) open(current, key, rows);
      },
      (error: unknown) => {
        chats.delete(key);
        log.error({ err: error }, 'A chat is no longer delivered to until the next start');
      },
    );
  }

  async function poll(current: Session): Promise<void> {
    try {
      for (let isMore = true; isMore; ) {
        const { rows, newest } = await store.outbox.pendingAfter(current.lastSeq, PAGE);
        if (session !== current) return;
        add(current, rows);
        // What is settled need not be looked at again.
        current.lastSeq = Math.max(current.lastSeq, newest);
        isMore = rows.length === PAGE;
        // A long queue must not keep the loop from everything else.
        if (isMore) await nextTurn();
      }
    } catch (error) {
      log.error({ err: error }, 'The outbox cannot be read; trying again');
    }
  }

  /** A worker that does not deliver leaves it to the one that does, and nothing overtakes what waits. */
  function isDeliveredAtOnce({ target }: Delivery): boolean {
    return session !== undefined && options.carrier.isLocal(target.channel) && !chats.has(keyOf(target));
  }

  const compose = (delivery: Delivery): NewOutboxRow[] => composeRows(options, delivery, isDeliveredAtOnce(delivery));

  const outbound: Outbound = {
    compose,
    async enqueue(delivery, once) {
      const { channel, accountId } = delivery.target;
      const key = once === undefined ? undefined : { channel, accountId, ...once };
      const receipt = await store.outbox.enqueue(compose(delivery), key);
      if (!receipt.isRepeat) outbound.accept(receipt.rows);
      return receipt;
    },
    accept(rows) {
      for (const row of rows) {
        events.publish('message.queued', { ...describeRow(row), state: 'queued' }, row.sessionKey);
        if (row.state === 'sent') announceSent(options, row);
      }
      if (session === undefined) return;
      // Rows in between are another worker's, e.g. of a turn that ended after the hand-over: they come first.
      if ((rows[0]?.seq ?? 0) > session.lastSeq + 1) void poll(session);
      else add(session, rows);
    },
    async start(epoch) {
      const current: Session = {
        epoch,
        stopping: new AbortController(),
        sending: new AbortController(),
        slotsOf,
        lastSeq: 0,
        poll: setInterval(() => void poll(current), POLL_MS),
      };
      await options.reachability.load();
      // Each chat that waits listens to them.
      setMaxListeners(0, current.stopping.signal, current.sending.signal);
      session = current;
      await poll(current);
    },
    async stop(graceMs) {
      const current = session;
      if (current === undefined) return;
      session = undefined;
      clearInterval(current.poll);
      current.stopping.abort();
      const timer = setTimeout(() => current.sending.abort(), graceMs);
      await Promise.all([...chats.values()].map((chat) => chat.done));
      clearTimeout(timer);
    },
    // Another worker may have committed it a moment ago.
    isWaiting: async (target) => chats.has(keyOf(target)) || store.outbox.isWaiting(target),
    get waiting() {
      return [...chats.values()].reduce((sum, chat) => sum + chat.rows.length, 0);
    },
  };
  return outbound;
}

function keyOf({ channel, accountId, chatId, threadId }: Chat): string {
  return [channel, accountId, chatId, threadId ?? ''].join('\n');
}

function composeRows({ carrier, ttlMs }: OutboundOptions, delivery: Delivery, isLocal: boolean): NewOutboxRow[] {
  const { target, sessionKey, runId, silent, file } = delivery;
  const texts = splitDelivery(carrier, delivery);
  const quotes = chooseQuotes(carrier, delivery);
  return texts.map((text, index) => {
    const replyTo = index === 0 ? quotes.first : quotes.others;
    return {
      channel: target.channel,
      accountId: target.accountId,
      chatId: target.chatId,
      part: index + 1,
      parts: texts.length,
      text,
      expiresAt: Date.now() + ttlMs[delivery.kind ?? 'reply'],
      ...(target.threadId === undefined ? {} : { threadId: target.threadId }),
      ...(file === undefined || index > 0 ? {} : { file }),
      ...(replyTo === undefined ? {} : { replyTo }),
      ...(sessionKey === undefined ? {} : { sessionKey }),
      ...(runId === undefined ? {} : { runId }),
      ...(silent === undefined ? {} : { silent }),
      ...(isLocal ? { isLocal } : {}),
    };
  });
}

/** The messages that the first part and the others quote. */
function chooseQuotes(
  carrier: Pick<Carrier, 'quoting'>,
  { target, answers }: Delivery,
): { first?: string | undefined; others?: string | undefined } {
  if (answers === undefined) return { first: target.replyTo };
  switch (carrier.quoting(target.channel, target.accountId, answers.peerKind)) {
    case 'off':
      return {};
    case 'first':
      return { first: answers.messageId };
    case 'all':
      return { first: answers.messageId, others: answers.messageId };
  }
}

/** The texts of the parts. That of a file is its caption, or empty when the text is too long for one and follows by itself. */
function splitDelivery(carrier: Carrier, { target, text, file }: Delivery): string[] {
  const captionLimit = carrier.fileSupport(target.channel)?.captionLimit ?? 0;
  if (file !== undefined && text.length <= captionLimit - REPEAT_MARK.length) return [text];
  const texts = splitText(text, carrier.textLimit(target, REPEAT_MARK.length));
  return file === undefined ? texts : ['', ...texts];
}
