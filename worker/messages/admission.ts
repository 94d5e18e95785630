import { randomInt } from 'node:crypto';
import type { AccountPolicy } from '../../lib/account-policy.ts';
import type { InboundMessage } from '../channels/plugin.ts';
import type { Pairings } from '../store/pairings.ts';

export type Admission =
  /** A question. */
  | { verdict: 'allow' }
  /** Said to somebody else by somebody who may be heard: worth knowing, not to be answered. */
  | { verdict: 'context' }
  /** Dropped without an answer; `crowded` when as many wait for their pairing as may. */
  | { verdict: 'drop'; reason: 'policy' | 'crowded' }
  /** Not yet known: the sender is told the code that the owner must approve. `isNew` once per code. */
  | { verdict: 'pair'; code: string; isNew: boolean };

/** What decides about a message. */
export type Candidate = { channel: string } & Pick<
  InboundMessage,
  'accountId' | 'peer' | 'senderId' | 'senderName' | 'isFromBot' | 'isAddressed'
>;

/** Decides about a message by the sender's immutable id, never by a name (INJ-4). No code is ever told in a group. */
export async function judge(message: Candidate, policy: AccountPolicy, pairings: Pairings): Promise<Admission> {
  if (message.senderId === '') return DROP;
  return message.peer.kind === 'direct'
    ? judgePrivate(message, policy, pairings)
    : judgeGroup(message, policy, pairings);
}

const ALLOW: Admission = { verdict: 'allow' };
const DROP: Admission = { verdict: 'drop', reason: 'policy' };

/** No characters that look alike when read out or typed on a phone. */
const CODE_ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';
const CODE_LENGTH = 8;
const CODE_VALID_MS = 60 * 60_000;

async function judgePrivate(message: Candidate, policy: AccountPolicy, pairings: Pairings): Promise<Admission> {
  const { channel, accountId, senderId } = message;
  if (policy.dmPolicy === 'disabled') return DROP;
  if (policy.dmPolicy === 'open' || isListed(policy.allowFrom, senderId)) return ALLOW;
  if (await pairings.isApproved(channel, accountId, senderId)) return ALLOW;
  if (policy.dmPolicy === 'allowlist') return DROP;
  const requested = await pairings.request({
    channel,
    accountId,
    peerId: senderId,
    code: makeCode(),
    expiresAt: Date.now() + CODE_VALID_MS,
    ...(message.senderName === undefined ? {} : { name: message.senderName }),
  });
  if (requested === undefined) return { verdict: 'drop', reason: 'crowded' };
  const { code } = requested.pairing;
  return code === undefined ? ALLOW : { verdict: 'pair', code, isNew: requested.isNew };
}

async function judgeGroup(message: Candidate, policy: AccountPolicy, pairings: Pairings): Promise<Admission> {
  const { channel, accountId, peer, senderId } = message;
  const own = policy.groups.get(peer.id);
  const rule = own ?? policy.groups.get('*');
  if (policy.groupPolicy === 'disabled' || rule?.enabled === false) return DROP;
  const isForAll = rule?.allowFrom === undefined && (policy.groupPolicy === 'open' || own !== undefined);
  const isHeard =
    isForAll ||
    isListed([...policy.groupAllowFrom, ...(rule?.allowFrom ?? [])], senderId) ||
    // Its `*` opens private chats; groups are opened by settings of their own.
    policy.allowFrom.includes(senderId) ||
    (await pairings.isApproved(channel, accountId, senderId));
  if (!isHeard) return DROP;
  // Two programs that answer each other would never stop.
  const needsMention = message.isFromBot === true || (rule?.requireMention ?? policy.requireMention);
  return needsMention && !message.isAddressed ? { verdict: 'context' } : ALLOW;
}

function isListed(list: readonly string[], senderId: string): boolean {
  return list.includes('*') || list.includes(senderId);
}

function makeCode(): string {
  return Array.from({ length: CODE_LENGTH }, () => CODE_ALPHABET[randomInt(CODE_ALPHABET.length)]).join('');
}
