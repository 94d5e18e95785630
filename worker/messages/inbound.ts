import { randomUUID } from 'node:crypto';
import type { Config } from '../../lib/config/schema.ts';
import type { Logger } from '../../lib/log.ts';
import type { Lanes } from '../agent/lanes.ts';
import type { InboundMessage } from '../channels/plugin.ts';
import type { EventHub } from '../events.ts';
import { routeSession } from '../sessions/route.ts';
import type { InboxPayload, InboxRow, NewInboxRow, Receipt, ReceiveOptions } from '../store/inbox.ts';
import type { Store } from '../store/index.ts';
import { type AccountPolicy, admitSender } from './admission.ts';
import type { Orders } from './orders.ts';
import type { Outbound } from './outbound.ts';
import type { Reachability } from './reachability.ts';

export type ChannelBatch = {
  channel: string;
  accountId: string;
  messages: readonly InboundMessage[];
  cursor?: string;
  epoch: number;
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
      if (receipt.claimed === undefined) lanes.wake(receipt.sessionKey);
      else lanes.take(receipt.claimed);
    }
    return receipts;
  }

  return {
    async receive({ channel, accountId, messages, cursor, epoch }) {
      const rows: NewInboxRow[] = [];
      for (const message of messages) {
        await options.reachability.markBack({ channel, accountId, chatId: message.peer.id });
        if (await isAdmitted(options, channel, message)) rows.push(buildRow(options.config, channel, message));
      }
      const receipts = await accept(rows, {
        epoch,
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

async function isAdmitted(options: InboundOptions, channel: string, message: InboundMessage): Promise<boolean> {
  const { accountId, senderId, senderName } = message;
  const sender = { channel, accountId, senderId, ...(senderName === undefined ? {} : { senderName }) };
  const policy = options.policyOf(channel, accountId);
  const isGroup = message.peer.kind === 'group';
  // Whoever may not write in private may not do so from a group either, where no code is told for all to read.
  const admission = await admitSender(sender, isGroup ? withoutPairing(policy) : policy, options.store.pairings);
  if (admission.verdict === 'allow') return true;
  options.log.info(
    { channel, account: accountId, sender: senderId, verdict: admission.verdict },
    'A message was not let in',
  );
  if (admission.verdict === 'pair') await tellCode(options, channel, message, admission.code);
  return false;
}

function withoutPairing(policy: AccountPolicy): AccountPolicy {
  return policy.dmPolicy === 'pairing' ? { ...policy, dmPolicy: 'allowlist' } : policy;
}

/** Sent before the cursor moves on, once per code: a crash in between neither loses it nor tells it twice. */
async function tellCode(
  options: InboundOptions,
  channel: string,
  message: InboundMessage,
  code: string,
): Promise<void> {
  const target = { channel, accountId: message.accountId, chatId: message.peer.id };
  const text = `This assistant does not know you yet. Ask its owner to approve the code ${code}:\n\nxopc gateway pairing approve ${code}`;
  await options.outbound.enqueue({ target, text }, { key: `pair-${code}` });
}

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
  };
  return { runId: randomUUID(), sessionKey, payload, dedupe: { key: message.dedupeKey } };
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
