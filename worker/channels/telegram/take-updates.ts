import { withDeadline } from '../../../lib/deadline.ts';
import type { BotIdentity } from './mention.ts';
import type { PollOptions } from './poll.ts';
import { normaliseUpdate } from './updates.ts';

/** What a poll loop learns on the way. */
export type Progress = {
  bot?: BotIdentity;
  offset?: number;
  isCursorRead?: true;
  hasWebhook: boolean;
  /** Epoch milliseconds; undefined while the webhook of an account that has one is to be set. */
  webhookSetAt?: number;
  /** 0 while the connection is unproven, so that the first answer comes at once. */
  longPollS: number;
};

/**
 * Polls once and hands over what came in. An update is acknowledged by the next poll, which is only made after `receive`
 * committed it (IN-1). A poll that is not answered in time is abandoned with its connection (LIVE-2).
 */
export async function takeUpdates(options: PollOptions, progress: Progress): Promise<void> {
  const { account, api, context, state, timing, signal } = options;
  const bot = await prepare(options, progress);
  const request = {
    timeout: progress.longPollS,
    ...(progress.offset === undefined ? {} : { offset: progress.offset }),
  };
  const limitMs = progress.longPollS * 1_000 + timing.graceMs;
  const received = await withDeadline(signal, limitMs, (limited) => api.getUpdates(request, limited));
  // They are numbered in the order in which they were written, in which they also are to be answered.
  const updates = received.toSorted((one, other) => one.update_id - other.update_id);
  state.markExchange();
  if (updates.length === 0) return;
  // Ids may restart lower after a silent week, so what counts is this batch and never the highest id seen.
  const next = (updates.at(-1)?.update_id ?? 0) + 1;
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
