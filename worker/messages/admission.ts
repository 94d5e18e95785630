import { randomInt } from 'node:crypto';
import type { Pairings } from '../store/pairings.ts';

export type DmPolicy = 'pairing' | 'allowlist' | 'open' | 'disabled';

/** Who may write to an account in private. */
export type AccountPolicy = { dmPolicy: DmPolicy; allowFrom: readonly string[] };

export type Admission =
  | { verdict: 'allow' }
  /** Dropped without an answer. */
  | { verdict: 'drop' }
  /** Not yet known: the sender is told the code that the owner must approve. `isNew` once per code. */
  | { verdict: 'pair'; code: string; isNew: boolean };

type Sender = { channel: string; accountId: string; senderId: string; senderName?: string };

/** No characters that look alike when read out or typed on a phone. */
const CODE_ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';
const CODE_LENGTH = 8;
const CODE_VALID_MS = 60 * 60_000;

/** Decides about a private message by the sender's immutable id, never by a name (INJ-4). */
export async function admitSender(sender: Sender, policy: AccountPolicy, pairings: Pairings): Promise<Admission> {
  const { channel, accountId, senderId } = sender;
  if (policy.dmPolicy === 'disabled') return { verdict: 'drop' };
  if (policy.dmPolicy === 'open' || policy.allowFrom.includes('*') || policy.allowFrom.includes(senderId))
    return { verdict: 'allow' };
  if (await pairings.isApproved(channel, accountId, senderId)) return { verdict: 'allow' };
  if (policy.dmPolicy === 'allowlist') return { verdict: 'drop' };
  const { pairing, isNew } = await pairings.request({
    channel,
    accountId,
    peerId: senderId,
    code: makeCode(),
    expiresAt: Date.now() + CODE_VALID_MS,
    ...(sender.senderName === undefined ? {} : { name: sender.senderName }),
  });
  return pairing.code === undefined ? { verdict: 'allow' } : { verdict: 'pair', code: pairing.code, isNew };
}

function makeCode(): string {
  return Array.from({ length: CODE_LENGTH }, () => CODE_ALPHABET[randomInt(CODE_ALPHABET.length)]).join('');
}
