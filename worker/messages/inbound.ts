import { randomUUID } from 'node:crypto';
import type { AccountPolicy } from '../../lib/account-policy.ts';
import type { Config } from '../../lib/config/schema.ts';
import type { Logger } from '../../lib/log.ts';
import type { Lanes } from '../agent/lanes.ts';
import type { InboundMessage } from '../channels/plugin.ts';
import type { EventHub } from '../events.ts';
import { routeSession } from '../sessions/route.ts';
import type { InboxPayload, InboxRow, NewInboxRow, Receipt, ReceiveOptions } from '../store/inbox.ts';
import type { Store } from '../store/index.ts';
import { followMoves } from './chat-move.ts';
import { createGate } from './gate.ts';
import type { Orders } from './orders.ts';
import type { Outbound } from './outbound.ts';
import type { Reachability } from './reachability.ts';

export type ChannelBatch = {
  channel: string;
  accountId: string;
  messages: readonly InboundMessage[];
  cursor?: string;
  /** Epoch of the lease; left out for what any worker may take in. */
  epoch?: number;
};

/** A message of a caller who knows the session. */
export type Request = {
  runId: string;
  sessionKey: string;
  payload: InboxPayload;
  dedupe?: { key: string; digest?: string };
};

export type Inbound = {
  /** Takes in what a channel received. Resolves when messages and cursor are committed. */
  receive(batch: ChannelBatch): Promise<void>;
  /** Takes in a message of an API caller. Resolves when it is committed. */
  submit(request: Request): Promise<Receipt>;
  /** Looks for sessions with waiting messages, e.g. after another worker ended. */
  wakeAll(): Promise<void>;
};

export type InboundOptions = {
  config: Config;
  store: Store;
  lanes: Lanes<InboxRow>;
  outbound: Outbound;
  orders: Orders;
  reachability: Reachability;
  events: EventHub;
  /** Names this worker in its claims. */
  owner: string;
  policyOf(channel: string, accountId: string): AccountPolicy;
  log: Logger;
};

/** The one way into the gateway: whoever brings a message, it is stored first and worked on after. */
export function createInbound(options: InboundOptions): Inbound {
  const { store, lanes, owner, log } = options;
  const gate = createGate(options);

  async function accept(
    given: readonly NewInboxRow[],
    extra: Pick<ReceiveOptions, 'cursor' | 'epoch'>,
  ): Promise<Receipt[]> {
    const rows: NewInboxRow[] = [];
    for (const row of given) rows.push(await options.orders.prepare(row));
    const canClaim = rows.length > 0 && rows.every((row) => lanes.hasRoomFor(row.sessionKey));
    const receipts = await store.inbox.receive({ rows, ...extra, ...(canClaim ? { claimFor: owner } : {}) });
    for (const [index, receipt] of receipts.entries()) {
      if (receipt.isDuplicate) continue;
      const row = rows[index];
      announce(options, receipt, row);
      if (row?.order !== undefined) options.orders.follow(row, receipt);
      if (row?.album !== undefined) setTimeout(() => lanes.wake(receipt.sessionKey), row.album.waitMs + 5).unref();
      if (receipt.claimed === undefined) lanes.wake(receipt.sessionKey);
      else lanes.take(receipt.claimed);
    }
    return receipts;
  }

  return {
    async receive({ channel, accountId, messages: given, cursor, epoch }) {
      const messages = await followMoves(options, channel, given);
      for (const { peer } of messages) await options.reachability.markBack({ channel, accountId, chatId: peer.id });
      const { questions, context } = await gate.sort(channel, messages);
      if (context.length > 0)
        log.debug({ channel, account: accountId, messages: context.length }, 'What is said to others is not kept');
      const rows = questions.map((message) => buildRow(options.config, channel, message));
      const receipts = await accept(rows, {
        ...(epoch === undefined ? {} : { epoch }),
        ...(cursor === undefined ? {} : { cursor: { channel, accountId, value: cursor } }),
      });
      const duplicates = receipts.filter((receipt) => receipt.isDuplicate).length;
      if (duplicates > 0)
        log.info({ channel, account: accountId, duplicates }, 'Messages that were delivered again are ignored');
    },
    async submit(request) {
      const [receipt] = await accept([request], {});
      if (receipt === undefined) throw new Error('The inbox gave no receipt');
      return receipt;
    },
    async wakeAll() {
      for (const sessionKey of await store.inbox.waitingSessions()) lanes.wake(sessionKey);
    },
  };
}

/** The messages of an album come one by one, some hundred milliseconds apart at most. */
const ALBUM_MS = 800;

function buildRow(config: Config, channel: string, message: InboundMessage): NewInboxRow {
  const { accountId, peer } = message;
  const sessionKey = routeSession(config, {
    channel,
    accountId,
    peerKind: peer.kind,
    peerId: peer.id,
    ...(peer.threadId === undefined ? {} : { threadId: peer.threadId }),
  });
  const payload: InboxPayload = {
    channel,
    accountId,
    peerKind: peer.kind,
    chatId: peer.id,
    senderId: message.senderId,
    text: message.text,
    deliver: true,
    ...(peer.threadId === undefined ? {} : { threadId: peer.threadId }),
    ...(message.senderName === undefined ? {} : { senderName: message.senderName }),
    ...(message.messageId === undefined ? {} : { messageId: message.messageId }),
    ...(message.files === undefined ? {} : { files: message.files }),
  };
  return {
    runId: randomUUID(),
    sessionKey,
    payload,
    dedupe: { key: message.dedupeKey },
    ...(message.albumId === undefined ? {} : { album: { id: message.albumId, waitMs: ALBUM_MS } }),
  };
}

function announce({ events }: InboundOptions, receipt: Receipt, row: NewInboxRow | undefined): void {
  if (row === undefined) return;
  const { channel, chatId, senderId, text } = row.payload;
  const data = {
    session: receipt.sessionKey,
    run_id: receipt.runId,
    channel,
    chat_id: chatId,
    sender_id: senderId,
    content: text,
  };
  events.publish('message.received', data, receipt.sessionKey);
}
