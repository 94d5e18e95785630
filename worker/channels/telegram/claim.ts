import { setTimeout as delay } from 'node:timers/promises';
import type { AccountState } from '../account-state.ts';
import type { ChannelContext } from '../plugin.ts';
import { type LeaseHolder, type TokenHeld, type TokenLease, takeTokenLease } from '../token-lease.ts';
import type { PollTiming } from './timing.ts';

/** What of this gateway shows in the lease of a bot token. */
export type Holder = { stateDir: string; instanceId: string };

/** The right to poll with a bot token. */
export type Claim = {
  /** Aborts when the right was lost: a holder that had been frozen lives again. */
  signal: AbortSignal;
  release(): Promise<void>;
};

type ClaimOptions = {
  accountId: string;
  token: string;
  /** Undefined: the token is not leased. */
  holder: Holder | undefined;
  context: ChannelContext;
  state: AccountState;
  timing: PollTiming;
  signal: AbortSignal;
};

/**
 * Waits until no other living program on this machine polls with the token (TG-1), for ever if need be, and keeps the state
 * of the account up to date. Undefined when the signal aborted.
 */
export async function claimToken(options: ClaimOptions): Promise<Claim | undefined> {
  const { holder, timing, signal } = options;
  if (holder === undefined) return { signal, release: async () => undefined };
  let silent = 0;
  while (!signal.aborted) {
    const taken = await take(options, holder);
    if ('release' in taken) return { signal, release: taken.release };
    silent = taken.heldBy === undefined ? silent + 1 : 0;
    if (silent >= FROZEN_AFTER && !signal.aborted) return claimFromFrozen(options, holder);
    const isPredecessor = reportHolder(options, holder, taken.heldBy);
    await pause(isPredecessor ? timing.predecessorRetryMs : timing.leaseRetryMs, signal);
  }
  return undefined;
}

/** A program that does not answer so many times in a row is frozen, and such a one polls nothing. */
const FROZEN_AFTER = 3;

async function take(options: ClaimOptions, holder: Holder): Promise<TokenLease | TokenHeld> {
  const { accountId, token, context, timing, signal } = options;
  try {
    return await takeTokenLease({
      channel: 'telegram',
      secret: token,
      holder: { pid: process.pid, stateDir: holder.stateDir, instanceId: holder.instanceId },
      answerMs: timing.leaseAnswerMs,
      signal,
    });
  } catch (error) {
    // A system without such sockets must not cost the messages: after some tries the account polls without a lease.
    context.log.debug({ accountId, err: error }, 'telegram: the lease of the bot token cannot be taken');
    return { heldBy: undefined };
  }
}

/** Tells who polls instead; true when it is our own predecessor, which is about to end. */
function reportHolder(options: ClaimOptions, own: Holder, heldBy: LeaseHolder | undefined): boolean {
  if (heldBy === undefined) return false;
  const { accountId, context, state } = options;
  if (heldBy.instanceId === own.instanceId && heldBy.pid !== process.pid) {
    state.change('starting');
    return true;
  }
  const text = describeHolder(heldBy);
  const { lastError } = state.current();
  state.change('conflict', text);
  if (lastError !== text) context.log.warn({ accountId, holder: heldBy }, `telegram: ${text}`);
  return false;
}

function describeHolder({ pid, stateDir }: LeaseHolder): string {
  if (pid === process.pid) {
    return 'Another account of this gateway polls with the same bot token, or an earlier start does not end. Give each account a bot of its own; else restart the gateway.';
  }
  return `Another gateway on this machine polls with the same bot token: process ${pid}, state directory ${stateDir}. Stop it, or give one of the two a bot of its own. This one takes over by itself when it ends.`;
}

/** Polls without the lease, and goes on trying to get it. */
function claimFromFrozen(options: ClaimOptions, holder: Holder): Claim {
  const { accountId, context, signal } = options;
  context.log.info({ accountId }, 'telegram: polling, although the program that has the bot token does not answer');
  const lost = new AbortController();
  const ended = new AbortController();
  const abort = (): void => {
    lost.abort();
    ended.abort();
  };
  signal.addEventListener('abort', abort, { once: true });
  const watching = watchFrozen({ ...options, signal: ended.signal }, holder, () => lost.abort());
  return {
    signal: lost.signal,
    async release() {
      signal.removeEventListener('abort', abort);
      ended.abort();
      await (await watching)?.release();
    },
  };
}

async function watchFrozen(options: ClaimOptions, holder: Holder, onLost: () => void): Promise<TokenLease | undefined> {
  const { timing, signal } = options;
  while (!signal.aborted) {
    await pause(timing.leaseRetryMs, signal);
    if (signal.aborted) break;
    const taken = await take(options, holder);
    if ('release' in taken) return taken;
    if (taken.heldBy === undefined) continue;
    onLost();
    break;
  }
  return undefined;
}

/** Resolves early when the signal aborts. */
async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await delay(milliseconds, undefined, { signal }).catch(() => undefined);
}
