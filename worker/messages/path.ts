import { join } from 'node:path';
import type { AccountPolicy } from '../../lib/account-policy.ts';
import type { Config } from '../../lib/config/schema.ts';
import type { Logger } from '../../lib/log.ts';
import { createLanes, type Lanes } from '../agent/lanes.ts';
import type { Provider } from '../agent/providers/provider.ts';
import type { Runs } from '../agent/runs.ts';
import type { EventHub } from '../events.ts';
import type { InboxRow } from '../store/inbox-row.ts';
import type { Store } from '../store/index.ts';
import type { OutboxRow } from '../store/outbox-row.ts';
import { type Alerts, createAlerts } from './alerts.ts';
import { type Attachments, createAttachments } from './attachments.ts';
import type { Carrier } from './attempt.ts';
import { createDispatch } from './dispatch.ts';
import { createDoorbell } from './doorbell.ts';
import { createFiles, type Files } from './files.ts';
import { createInbound, type Inbound } from './inbound.ts';
import { createOrders } from './orders.ts';
import { createOutbound, type Outbound } from './outbound.ts';
import { createReachability, type Reachability } from './reachability.ts';

export type MessagePathOptions = {
  config: Config;
  store: Store;
  events: EventHub;
  runs: Runs;
  /** The channels. */
  carrier: Carrier;
  providers: ReadonlyMap<string, Provider>;
  /** The model when neither agent nor message names one. */
  fallbackModel(): Promise<string>;
  policyOf(channel: string, accountId: string): AccountPolicy;
  /** Where files are kept that came in or go out. */
  filesDir: string;
  /** Names this worker in its claims. */
  owner: string;
  log: Logger;
};

export type MessagePath = {
  inbound: Inbound;
  lanes: Lanes<InboxRow>;
  outbound: Outbound;
  reachability: Reachability;
  alerts: Alerts;
  files: Files;
  attachments: Attachments;
};

/** Puts the way of a message together: inbox → lane → turn → outbox → channel (SPEC 7.2). */
export function createMessagePath(options: MessagePathOptions): MessagePath {
  const { config, store, events, carrier, owner, log } = options;
  const reachability = createReachability(store);
  const doorbell = createDoorbell();
  const alerts = createAlerts({ owner: config.alerts.owner, outbound: () => outbound, log });
  const { ambiguous, replyTtl: reply, messageTtl: message, noticeTtl: notice } = config.outbox;
  const outgoing = join(options.filesDir, 'out');
  const outbound: Outbound = createOutbound({
    store,
    carrier,
    filesDir: outgoing,
    events,
    reachability,
    doorbell,
    ambiguous,
    ttlMs: { reply, message, notice },
    onDeadLetter: (row) => tellDeadLetter(alerts, row),
    log,
  });
  const files = createFiles({ directory: join(options.filesDir, 'in'), carrier, log });
  const { mediaHosts } = config.outbox;
  const attachments = createAttachments({ directory: outgoing, mediaHosts, carrier, outbox: store.outbox });
  const lanes = createLanes<InboxRow>({
    maxConcurrent: config.agents.maxConcurrentTurns,
    claim: (sessionKey) => store.inbox.claim(sessionKey, owner),
    run: createDispatch({ ...options, outbound, files }),
    log,
  });
  const orders = createOrders({ ...options, outbound });
  const inbound = createInbound({ ...options, lanes, outbound, orders, reachability, doorbell });
  return { inbound, lanes, outbound, reachability, alerts, files, attachments };
}

/** Once an hour at most: the list has them all (OUT-4). */
function tellDeadLetter(alerts: Alerts, row: OutboxRow): void {
  if (alerts.isOwner(row)) return;
  const { channel, chatId, lastError } = row;
  alerts.tell(
    'dead-letter',
    `A message to ${channel} chat ${chatId} could not be delivered: ${lastError ?? 'unknown reason'}. See xopc gateway outbox list.`,
  );
}
