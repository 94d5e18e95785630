import { randomUUID } from 'node:crypto';
import type { AccountPolicy } from '../../lib/account-policy.ts';
import type { Config } from '../../lib/config/schema.ts';
import { toMediaType } from '../../lib/file-kind.ts';
import type { Logger } from '../../lib/log.ts';
import type { Lanes } from '../agent/lanes.ts';
import type { InboundMessage } from '../channels/plugin.ts';
import type { EventHub } from '../events.ts';
import { routeSession } from '../sessions/route.ts';
import type { InboxPayload, InboxRow, NewInboxRow, Receipt, ReceiveOptions } from '../store/inbox-row.ts';
import type { Store } from '../store/index.ts';
import { followMoves } from './chat-move.ts';
import type { Doorbell } from './doorbell.ts';
import { createGate, type LetIn } from './gate.ts';
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
  /** Takes in what a channel received. Resolves when messages and cursor are committed, with a receipt of each that was let in. */
  receive(batch: ChannelBatch): Promise<Receipt[]>;
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
  doorbell: Doorbell;
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
    extra: Pick<ReceiveOptions, 'cursor' | 'epoch' | 'windows'>,
  ): Promise<Receipt[]> {
    const rows: NewInboxRow[] = [];
    for (const row of given) rows.push(isQuestion(row) ? await options.orders.prepare(row) : row);
    const canClaim = rows.length > 0 && rows.every((row) => lanes.hasRoomFor(row.sessionKey));
    const receipts = await store.inbox.receive({ rows, ...extra, ...(canClaim ? { claimFor: owner } : {}) });
    for (const [index, receipt] of receipts.entries()) {
      const row = rows[index];
      if (receipt.isDuplicate || (row !== undefined && isSilent(row))) continue;
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
      const letIn = await gate.letIn(channel, messages);
      const rows = letIn.map((item) => buildRow(options, channel, item));
      const receipts = await accept(rows, {
        ...(epoch === undefined ? {} : { epoch }),
        ...(cursor === undefined ? {} : { cursor: { channel, accountId, value: cursor } }),
        // Strangers open theirs too: a pairing code is a message.
        windows: messages.flatMap((message) => describeWindow(channel, message)),
      });
      for (const { peer, window } of messages)
        if (window !== undefined) options.doorbell.ring({ channel, accountId, chatId: peer.id });
      const duplicates = receipts.filter((receipt) => receipt.isDuplicate).length;
      if (duplicates > 0)
        log.info({ channel, account: accountId, duplicates }, 'Messages that were delivered again are ignored');
      return receipts;
    },
    async submit(request) {
      const [receipt] = await accept([request], {});
      if (receipt === undefined) throw new Error('The inbox gave no receipt');
      return receipt;
    },
    async wakeAll() {
      const sessionKeys = await store.inbox.waitingSessions();
      const wake = (): void => sessionKeys.forEach((sessionKey) => void lanes.wake(sessionKey));
      wake();
      // Of an album that is not complete yet.
      setTimeout(wake, ALBUM_MS + 5).unref();
    },
  };
}

/** The messages of an album come one by one, some hundred milliseconds apart at most. */
const ALBUM_MS = 800;

function buildRow({ config, policyOf }: InboundOptions, channel: string, { message, as }: LetIn): NewInboxRow {
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
    dedupe: { key: message.dedupeKey, ...(message.digest === undefined ? {} : { digest: message.digest }) },
    ...(as === 'overheard' ? { overheard: { keep: policyOf(channel, accountId).groupHistory } } : {}),
    ...(as === 'edit' ? { isEdit: true as const } : {}),
    ...(message.albumId === undefined
      ? {}
      : { album: { id: message.albumId, waitMs: ALBUM_MS, isAside: as === 'aside' } }),
  };
}

function describeWindow(
  channel: string,
  { accountId, peer, window, dedupeKey: key }: InboundMessage,
): NonNullable<ReceiveOptions['windows']> {
  return window === undefined ? [] : [{ channel, accountId, chatId: peer.id, key, ...window }];
}

/** It starts no turn and is answered by nobody. */
function isSilent({ overheard, isEdit }: NewInboxRow): boolean {
  return overheard !== undefined || isEdit === true;
}

/** The words that ask stand under one picture of an album only. */
function isQuestion(row: NewInboxRow): boolean {
  return !isSilent(row) && row.album?.isAside !== true;
}

function announce({ events }: InboundOptions, receipt: Receipt, row: NewInboxRow | undefined): void {
  if (row === undefined || !isQuestion(row)) return;
  const { channel, chatId, senderId, text, files = [] } = row.payload;
  const data = {
    session: receipt.sessionKey,
    run_id: receipt.runId,
    channel,
    chat_id: chatId,
    sender_id: senderId,
    content: text,
    ...(files.length === 0 ? {} : { files: files.map(({ kind, name }) => ({ media_type: toMediaType(kind), name })) }),
  };
  events.publish('message.received', data, receipt.sessionKey);
}
