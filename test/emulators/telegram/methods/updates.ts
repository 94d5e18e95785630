import { renderUpdate } from '../update-queue.ts';
import type { MethodContext } from './context.ts';

const maxAnswerBytes = 4 << 20;

/** `getUpdates`: confirms, answers, or waits. */
export async function getUpdates({ bot, params, signal, notes }: MethodContext): Promise<unknown> {
  if (bot.webhook.isActive) return bot.poller.refuse(signal);
  const request = {
    offset: params.integer('offset', 0),
    limit: clamp(params.integer('limit', 100), 1, 100),
    timeout: clamp(params.integer('timeout', 0), 0, 50),
  };
  bot.allow(params.json('allowed_updates'));
  const updates = await bot.poller.poll(request, signal);
  const fitting = fitAnswer(updates.map(renderUpdate));
  notes.updateIds = updates.slice(0, fitting.length).map(({ update_id }) => update_id);
  return fitting;
}

/** `setWebhook`; an empty address deletes the webhook. */
export function setWebhook(context: MethodContext): true {
  const { bot, params } = context;
  const url = params.text('url').trim();
  if (url === '') return deleteWebhook(context);
  const secret = params.text('secret_token');
  bot.allow(params.json('allowed_updates'));
  if (params.flag('drop_pending_updates')) bot.queue.clear();
  bot.webhook.set({
    url,
    secret: secret === '' ? null : secret,
    maxConnections: clamp(params.integer('max_connections', 40), 1, 100),
  });
  bot.poller.yieldToWebhook();
  return true;
}

/** `deleteWebhook`. */
export function deleteWebhook({ bot, params }: MethodContext): true {
  bot.webhook.delete();
  if (params.flag('drop_pending_updates')) bot.queue.clear();
  return true;
}

/** `getWebhookInfo`. */
export function getWebhookInfo({ bot, clock }: MethodContext): object {
  const { target, lastError } = bot.webhook;
  bot.queue.expire(clock.now());
  return {
    url: target?.url ?? '',
    has_custom_certificate: false,
    pending_update_count: bot.queue.size,
    ...(target === null ? {} : { max_connections: target.maxConnections }),
    ...(lastError === null ? {} : { last_error_date: lastError.date, last_error_message: lastError.message }),
    ...(bot.allowed === null ? {} : { allowed_updates: bot.allowed }),
  };
}

// The real server cuts an answer at 4 MiB and leaves the rest for the next call.
function fitAnswer(updates: readonly object[]): object[] {
  let left = maxAnswerBytes;
  return updates.filter((update) => {
    left -= 50 + Buffer.byteLength(JSON.stringify(update));
    return left > 0;
  });
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value));
}
