import { setTimeout as delay } from 'node:timers/promises';
import { withDeadline } from '../../../lib/deadline.ts';
import type { PollOptions } from './poll.ts';
import type { Progress } from './take-updates.ts';
import type { WebhookReceiver } from './webhook-receiver.ts';

/** Another program set a webhook of its own, or removed ours. */
export class WebhookTaken extends Error {
  override readonly name = 'WebhookTaken';
}

/**
 * Sets the webhook of an account and proves that it is there; later rounds wait before they prove it again. Throws WebhookTaken,
 * an Error that says why Telegram cannot deliver, or what grammY throws.
 */
export async function keepWebhook(
  { api, state, timing, signal }: PollOptions,
  receiver: WebhookReceiver,
  progress: Progress,
): Promise<void> {
  const { url, secret } = receiver;
  if (progress.longPollS > 0) await delay(timing.webhookCheckMs, undefined, { signal });
  if (progress.webhookSetAt === undefined) {
    await withDeadline(signal, timing.graceMs, (limited) => api.setWebhook({ url, secret }, limited));
    progress.webhookSetAt = Date.now();
  }
  const info = await withDeadline(signal, timing.graceMs, (limited) => api.getWebhookInfo(limited));
  state.markExchange();
  if (normalise(info.url) !== normalise(url)) {
    delete progress.webhookSetAt;
    throw new WebhookTaken(
      `Another program uses this bot: its webhook ${describePlace(info.url ?? '')}. Stop that program, or give one of the two a bot of its own. Setting ours again.`,
    );
  }
  const { last_error_message: reason, last_error_date: failedAt = 0, pending_update_count: waiting } = info;
  // An error that is older than the last success, or with nothing left to deliver, is over.
  const provenAt = Math.max(progress.webhookSetAt, receiver.lastUpdateAt);
  if (reason === undefined || waiting === 0 || failedAt * 1_000 < provenAt) return;
  throw new Error(`Telegram cannot deliver to ${url} (${waiting} waiting): ${reason}`);
}

/** The server may spell an address in its own way. */
function normalise(url = ''): string {
  return URL.canParse(url) ? new URL(url).href : url;
}

/** Without the path, which may hold a secret of that program. */
function describePlace(url: string): string {
  if (url === '') return 'was removed';
  return `is at ${URL.canParse(url) ? new URL(url).host : 'another place'}`;
}
