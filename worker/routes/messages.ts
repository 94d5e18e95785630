import { createHash } from 'node:crypto';
import { messageRequest, messageSyncRequest } from '../../lib/api.ts';
import { GatewayError } from '../../lib/errors.ts';
import type { Registry } from '../channels/registry.ts';
import type { Attachments, Wanted } from '../messages/attachments.ts';
import { HELD } from '../messages/deliver.ts';
import type { Delivery, Outbound } from '../messages/outbound.ts';
import { routeSession } from '../sessions/route.ts';
import type { EnqueueReceipt } from '../store/outbox.ts';
import { type AgentOptions, ask, closedSignal, idempotencyKeyOf } from './agent.ts';
import { describeMessage, requireRow } from './outbox.ts';
import { defineRoute, type Route } from './route.ts';

export type MessagesOptions = AgentOptions & { outbound: Outbound; attachments: Attachments; registry: Registry };

/** Sending through a channel, and asking on behalf of one of its peers. */
export function messagesRoutes(options: MessagesOptions): Route[] {
  const { config, store, outbound, registry } = options;
  return [
    defineRoute({
      method: 'POST',
      path: '/api/message',
      scope: 'operator.write',
      body: messageRequest,
      async handle({ ctx, body }) {
        assertChannel(registry, body.channel);
        const target = {
          channel: body.channel,
          accountId: body.account_id,
          chatId: body.chat_id,
          ...(body.thread_id === undefined ? {} : { threadId: body.thread_id }),
          ...(body.reply_to === undefined ? {} : { replyTo: body.reply_to }),
        };
        const delivery: Delivery = {
          target,
          text: body.content,
          kind: 'message',
          ...(body.silent === undefined ? {} : { silent: body.silent }),
        };
        const key = idempotencyKeyOf(ctx, body);
        const media =
          body.media_url === undefined
            ? undefined
            : { channel: body.channel, url: body.media_url, type: body.media_type };
        const asked = media === undefined ? delivery : { delivery, media };
        const digest = createHash('sha256').update(JSON.stringify(asked)).digest('hex').slice(0, 32);
        const once = key === undefined ? undefined : { key, digest };
        const receipt =
          media === undefined
            ? await outbound.enqueue(delivery, once)
            : await enqueueFile(options, { delivery, media, once, signal: closedSignal(ctx) });
        if (receipt.isRepeat && receipt.digest !== digest) {
          throw new GatewayError('CONFLICT', 'This idempotency key was used for another message.');
        }
        const answer = { message_id: receipt.rows[0]?.id };
        if (!(await isHeld(options, target, receipt))) return { status: 'ok', ...answer };
        ctx.status = 202;
        return { status: 'held', ...answer, reason: HELD };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/message/:id',
      scope: 'operator.read',
      async handle({ params }) {
        const row = await requireRow(store, params['id']);
        return { status: 'ok', message: describeMessage(row) };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/message/sync',
      scope: 'operator.write',
      body: messageSyncRequest,
      async handle({ ctx, body }) {
        assertChannel(registry, body.channel);
        const origin = {
          channel: body.channel,
          accountId: body.account_id,
          peerKind: 'direct',
          peerId: body.chat_id,
        } as const;
        const { reply, runId } = await ask(options, {
          sessionKey: routeSession(config, origin),
          payload: {
            channel: body.channel,
            accountId: body.account_id,
            peerKind: 'direct',
            chatId: body.chat_id,
            senderId: 'api',
            text: body.content,
            deliver: body.deliver,
          },
          idempotencyKey: idempotencyKeyOf(ctx, body),
          signal: closedSignal(ctx),
        });
        return { status: 'ok', reply, run_id: runId };
      },
    }),
  ];
}

type FileOrder = {
  delivery: Delivery;
  media: Wanted;
  once: { key: string; digest: string } | undefined;
  signal: AbortSignal;
};

/** Keeps the file before the message is committed. A repetition fetches nothing: the address may have been good for one time. */
async function enqueueFile(
  { store, outbound, attachments }: MessagesOptions,
  { delivery, media, once, signal }: FileOrder,
): Promise<EnqueueReceipt> {
  const { channel, accountId } = delivery.target;
  const seen = once === undefined ? undefined : await store.outbox.findDelivery({ channel, accountId, ...once });
  if (seen !== undefined) return seen;
  return outbound.enqueue({ ...delivery, file: await attachments.keep(media, signal) }, once);
}

/** Whether a message that was stored waits for its person to write: it is not on its way, and the caller is not told that it is. */
async function isHeld(
  { registry, store }: MessagesOptions,
  target: { channel: string; accountId: string; chatId: string },
  { rows: [row] }: EnqueueReceipt,
): Promise<boolean> {
  if (!registry.hasWindows(target.channel) || row?.state === 'sent') return false;
  const window = await store.windows.get(target);
  return window === undefined || window.sendsLeft <= 0 || window.expiresAt <= Date.now();
}

function assertChannel(registry: Registry, channel: string): void {
  if (registry.has(channel)) return;
  const known = registry
    .list()
    .map(({ id }) => id)
    .join(', ');
  throw new GatewayError(
    'CHANNEL_NOT_FOUND',
    `The channel "${channel}" does not exist or is not enabled (enabled: ${known}).`,
  );
}
