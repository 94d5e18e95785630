import { hash } from 'node:crypto';
import { messageRequest, messageSyncRequest } from '../../lib/api.ts';
import { GatewayError } from '../../lib/errors.ts';
import type { Registry } from '../channels/registry.ts';
import type { Delivery, Outbound } from '../messages/outbound.ts';
import { routeSession } from '../sessions/route.ts';
import { type AgentOptions, ask, closedSignal, idempotencyKeyOf } from './agent.ts';
import { describeMessage, requireRow } from './outbox.ts';
import { defineRoute, type Route } from './route.ts';

export type MessagesOptions = AgentOptions & { outbound: Outbound; registry: Registry };

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
        const once = key === undefined ? undefined : { key, digest: digestOf(delivery) };
        const receipt = await outbound.enqueue(delivery, once);
        if (receipt.isRepeat && receipt.digest !== once?.digest) {
          throw new GatewayError('CONFLICT', 'This idempotency key was used for another message.');
        }
        return { status: 'ok', message_id: receipt.rows[0]?.id };
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

function digestOf(delivery: Delivery): string {
  return hash('sha256', JSON.stringify(delivery), 'hex').slice(0, 32);
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
