import { setTimeout as delay } from 'node:timers/promises';
import { withDeadline } from '../../../lib/deadline.ts';
import type { ChannelContext } from '../plugin.ts';
import type { AccountState } from './account-state.ts';
import type { TelegramAccount } from './accounts.ts';
import type { BotApi } from './bot-api.ts';
import type { BotIdentity } from './mention.ts';
import { diagnosePoll, type PollTrouble } from './poll-trouble.ts';
import type { PollTiming } from './timing.ts';
import { normaliseUpdate } from './updates.ts';

type PollOptions = {
  account: TelegramAccount;
  api: BotApi;
  context: ChannelContext;
  state: AccountState;
  timing: PollTiming;
  /** Ends the loop. */
  signal: AbortSignal;
};

/**
 * Takes in an account's messages until the signal aborts or the token is refused. An update is acknowledged by the next
 * poll, which is only made after `receive` committed it (IN-1).
 */
export async function pollAccount(options: PollOptions): Promise<void> {
  const { state, timing, signal } = options;
  const progress: Progress = { longPollS: 0, hasWebhook: false };
  let failures = 0;
  state.change('starting');
  while (!signal.aborted) {
    try {
      await pollOnce(options, progress);
      failures = 0;
      progress.longPollS = timing.longPollS;
      state.change('up');
    } catch (error) {
      if (signal.aborted) break;
      failures += 1;
      const trouble = diagnosePoll(error, failures, timing);
      report(options, trouble, failures, error);
      if (trouble.kind === 'unauthorized') return;
      progress.hasWebhook = trouble.kind === 'webhook';
      // Only a poll that is held can tell whether another poller is gone: one that is answered at once never conflicts.
      progress.longPollS = trouble.kind === 'conflict' ? Math.min(timing.longPollS, CONFLICT_PROBE_S) : 0;
      await pause(trouble.waitMs, signal);
    }
  }
  state.change('idle');
}

const CONFLICT_PROBE_S = 10;

/** What is learnt on the way. */
type Progress = {
  bot?: BotIdentity;
  offset?: number;
  isCursorRead?: true;
  hasWebhook: boolean;
  /** 0 while the connection is unproven, so that the first answer comes at once. */
  longPollS: number;
};

async function pollOnce(options: PollOptions, progress: Progress): Promise<void> {
  const { account, api, context, state, timing, signal } = options;
  const bot = await prepare(options, progress);
  const request = {
    timeout: progress.longPollS,
    ...(progress.offset === undefined ? {} : { offset: progress.offset }),
  };
  const limitMs = progress.longPollS * 1_000 + timing.graceMs;
  const updates = await withDeadline(signal, limitMs, (limited) => api.getUpdates(request, limited));
  state.markExchange();
  if (updates.length === 0) return;
  // Ids may restart lower after a silent week, so what counts is this batch and never the highest id seen.
  const next = Math.max(...updates.map((update) => update.update_id)) + 1;
  const messages = updates.flatMap((update) => normaliseUpdate(account.accountId, bot, update) ?? []);
  // What nobody reads needs no commit: if its acknowledgement gets lost it comes again and is passed over again.
  if (messages.length > 0) await context.receive(account.accountId, messages, String(next));
  progress.offset = next;
}

async function prepare(options: PollOptions, progress: Progress): Promise<BotIdentity> {
  const { account, api, context, timing, signal } = options;
  const bot = progress.bot ?? (await withDeadline(signal, timing.graceMs, (limited) => api.getMe(limited)));
  progress.bot = bot;
  if (progress.isCursorRead === undefined) {
    const cursor = await context.readCursor(account.accountId);
    if (cursor !== undefined && /^\d+$/.test(cursor)) progress.offset = Number(cursor);
    progress.isCursorRead = true;
  }
  if (progress.hasWebhook) {
    await withDeadline(signal, timing.graceMs, (limited) => api.deleteWebhook(limited));
    progress.hasWebhook = false;
  }
  return bot;
}

function report(
  { account, context, state }: PollOptions,
  trouble: PollTrouble,
  failures: number,
  cause: unknown,
): void {
  const fields = { accountId: account.accountId, failures, err: cause };
  switch (trouble.kind) {
    case 'unauthorized': {
      const text = `${trouble.text} Check ${account.tokenPath}, then restart the gateway.`;
      state.change('down', text);
      context.log.error(fields, `telegram: ${text}`);
      return;
    }
    case 'webhook':
    case 'conflict':
    case 'retry':
      state.change('degraded', trouble.text);
      context.log.warn({ ...fields, waitMs: Math.round(trouble.waitMs) }, `telegram: ${trouble.text}`);
      return;
  }
}

/** Resolves early when the signal aborts; the loop sees that itself. */
async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await delay(milliseconds, undefined, { signal }).catch(() => undefined);
}
