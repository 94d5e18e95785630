import { setTimeout as delay } from 'node:timers/promises';
import type { AccountState } from '../account-state.ts';
import type { ChannelContext } from '../plugin.ts';
import type { TelegramAccount } from './accounts.ts';
import type { BotApi } from './bot-api.ts';
import { type Claim, claimToken, type Holder } from './claim.ts';
import type { Interrupter } from './interrupter.ts';
import { keepWebhook } from './keep-webhook.ts';
import { diagnosePoll } from './poll-trouble.ts';
import { createTroubleReport, type TroubleReport } from './report-trouble.ts';
import { type Progress, takeUpdates } from './take-updates.ts';
import type { PollTiming } from './timing.ts';
import type { WebhookReceiver } from './webhook-receiver.ts';

export type PollOptions = {
  account: TelegramAccount;
  token: string;
  api: BotApi;
  context: ChannelContext;
  state: AccountState;
  timing: PollTiming;
  /** Of an account whose messages are pushed: its webhook is watched, and nothing is polled for. */
  receiver: WebhookReceiver | undefined;
  /** Fired when the transport is to be proven anew (LIVE-3). */
  interrupter: Interrupter;
  /** Who we are to other gateways with the same token; without it the token is not leased. */
  holder: Holder | undefined;
  /** Ends the loop. */
  signal: AbortSignal;
};

/** Takes in an account's messages until the signal aborts or the token is refused, whenever nobody else here does (TG-1). */
export async function pollAccount(options: PollOptions): Promise<void> {
  const { account, state, signal } = options;
  state.change('starting');
  while (!signal.aborted) {
    const claim = await claimToken({ ...options, accountId: account.accountId });
    if (claim === undefined) break;
    state.change('starting');
    const forget = releaseWhenStuck(claim, signal);
    try {
      const end = await pollClaimed({ ...options, signal: claim.signal });
      if (end === 'refused') return;
    } finally {
      forget();
      await claim.release();
    }
  }
  state.change('idle');
}

/** As long as the registry waits for a stop. */
const STUCK_MS = 3_000;

/** A round that does not end when it is told to must not keep the token from the instance that follows (LIVE-4). */
function releaseWhenStuck(claim: Claim, signal: AbortSignal): () => void {
  let timer: NodeJS.Timeout | undefined;
  const wait = (): void => {
    timer = setTimeout(() => void claim.release(), STUCK_MS);
  };
  signal.addEventListener('abort', wait, { once: true });
  return () => {
    clearTimeout(timer);
    signal.removeEventListener('abort', wait);
  };
}

async function pollClaimed(options: PollOptions): Promise<'refused' | 'ended'> {
  const { interrupter, signal } = options;
  const loop: Loop = {
    report: createTroubleReport(options),
    progress: { longPollS: 0, hasWebhook: false },
    failures: 0,
    isRefused: false,
  };
  while (!signal.aborted) {
    const wasInterrupted = await interrupter.run(signal, (limited) => runRound({ ...options, signal: limited }, loop));
    if (loop.isRefused) return 'refused';
    if (!wasInterrupted) continue;
    loop.failures = 0;
    loop.progress.longPollS = 0;
  }
  return 'ended';
}

type Loop = {
  report: TroubleReport;
  progress: Progress;
  /** In a row. */
  failures: number;
  isRefused: boolean;
};

/** One poll, and the wait after it when it failed. */
async function runRound(options: PollOptions, loop: Loop): Promise<void> {
  const { state, timing, signal } = options;
  const { progress } = loop;
  try {
    if (options.receiver === undefined) await takeUpdates(options, progress);
    else await keepWebhook(options, options.receiver, progress);
    loop.failures = 0;
    progress.longPollS = timing.longPollS;
    state.change('up');
  } catch (error) {
    if (signal.aborted) return;
    loop.failures += 1;
    const trouble = diagnosePoll(error, loop.failures, timing);
    loop.report(trouble, loop.failures, error);
    loop.isRefused = trouble.kind === 'unauthorized';
    if (trouble.kind === 'unauthorized') return;
    progress.hasWebhook = trouble.kind === 'webhook';
    // Only a poll that is held can tell whether another poller is gone: one that is answered at once never conflicts.
    progress.longPollS = trouble.kind === 'conflict' ? Math.min(timing.longPollS, CONFLICT_PROBE_S) : 0;
    // Resolves early when the signal aborts; the loop sees that itself.
    await delay(trouble.waitMs, undefined, { signal }).catch(() => undefined);
  }
}

const CONFLICT_PROBE_S = 10;
