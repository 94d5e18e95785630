import { hash } from 'node:crypto';
import { outboxMessageAnswer, queuedAnswer, replyAnswer } from '../../lib/answers.ts';
import { heldAnswer } from '../../lib/answers-channels.ts';
import { idPath, messageRequest, messageSyncRequest } from '../../lib/api.ts';
import { GatewayError } from '../../lib/errors.ts';
import { assertChannel, type Registry } from '../channels/registry.ts';
import type { Attachments, Wanted } from '../messages/attachments.ts';
import { HELD } from '../messages/deliver.ts';
import type { Delivery, Outbound } from '../messages/outbound.ts';
import { routeSession } from '../sessions/route.ts';
import type { EnqueueReceipt } from '../store/outbox.ts';
import type { OutboxRow } from '../store/outbox-row.ts';
import { type AgentOptions, ask, closedSignal, idempotencyKeyOf } from './ask.ts';
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
      tag: 'Messages',
      summary: 'Sends a message through a channel',
      description:
        'It is in the outbox before this answers, and is tried again until it arrives or gets too old. 202 when the platform takes nothing more before its person writes.',
      body: messageRequest,
      example: { channel: 'telegram', chat_id: '123456789', content: 'Hello from API!' },
      answers: { 200: queuedAnswer, 202: heldAnswer },
      errors: ['CHANNEL_NOT_FOUND', 'CONFLICT'],
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
        const once = key === undefined ? undefined : { key, digest: digestOf(asked) };
        const receipt =
          media === undefined
            ? await outbound.enqueue(delivery, once)
            : await enqueueFile(options, { delivery, media, once, signal: closedSignal(ctx) });
        if (receipt.isRepeat && receipt.digest !== once?.digest) {
          throw new GatewayError('CONFLICT', 'This idempotency key was used for another message.');
        }
        const answer = { message_id: firstOf(receipt.rows).id };
        if (!(await isHeld(options, target, receipt))) return { status: 'ok' as const, ...answer };
        ctx.status = 202;
        return { status: 'held' as const, ...answer, reason: HELD };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/message/:id',
      scope: 'operator.read',
      tag: 'Messages',
      summary: 'Tells what became of a message',
      params: idPath,
      answers: { 200: outboxMessageAnswer },
      errors: ['NOT_FOUND'],
      async handle({ params }) {
        const row = await requireRow(store, params.id);
        return { status: 'ok' as const, message: describeMessage(row) };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/message/sync',
      scope: 'operator.write',
      tag: 'Messages',
      summary: "Asks the agent in a peer's session and waits for its answer",
      body: messageSyncRequest,
      example: { channel: 'telegram', chat_id: '123456789', content: 'Hello and reply!' },
      answers: { 200: replyAnswer },
      errors: ['CHANNEL_NOT_FOUND', 'CONFLICT', 'AGENT_ERROR'],
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
        return { status: 'ok' as const, reply, run_id: runId };
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

/** A text has at least one part. */
function firstOf(rows: readonly OutboxRow[]): OutboxRow {
  const [row] = rows;
  if (row === undefined) throw new Error('The outbox gave no row');
  return row;
}

/** Tells one message from another under the same key. */
function digestOf(asked: Delivery | { delivery: Delivery; media: Wanted }): string {
  return hash('sha256', JSON.stringify(asked), 'hex').slice(0, 32);
}
