import { webhookAnswer } from '../../lib/answers-channels.ts';
import { accountPath, channelPath } from '../../lib/api.ts';
import type { Config } from '../../lib/config/schema.ts';
import { GatewayError } from '../../lib/errors.ts';
import { hasSignature } from '../../lib/webhook-signature.ts';
import type { HttpPush } from '../channels/plugin.ts';
import type { Registry } from '../channels/registry.ts';
import type { Inbound } from '../messages/inbound.ts';
import { readRawBody } from '../middleware/raw-body.ts';
import { requireScope } from '../middleware/scope.ts';
import type { Context } from '../middleware/state.ts';
import { findSender } from '../webhooks/senders.ts';
import { takeIn, type WebhookRequest } from '../webhooks/take-in.ts';
import { defineRoute, type Route } from './route.ts';

export type WebhookOptions = {
  config: Config;
  registry: Pick<Registry, 'has' | 'takesHttp' | 'receiveHttp'>;
  inbound: Pick<Inbound, 'receive'>;
};

/**
 * Where platforms and programs push messages to (SPEC 7.5). A platform cannot present the gateway's credential: it is verified in
 * the way of its channel, before the body is read. Answered when everything is committed (IN-1).
 */
export function webhookRoutes(options: WebhookOptions): Route[] {
  const readings = { open: 0 };
  return [
    defineRoute({
      ...WEBHOOK,
      path: '/api/webhook/:channel',
      params: channelPath,
      handle: ({ ctx, params: { channel } }) => receive(options, ctx, { channel, account: undefined, readings }),
    }),
    defineRoute({
      ...WEBHOOK,
      path: '/api/webhook/:channel/:account',
      params: accountPath,
      handle: ({ ctx, params }) => receive(options, ctx, { ...params, readings }),
    }),
  ];
}

const WEBHOOK = {
  method: 'POST',
  scope: 'public',
  tag: 'Channels',
  summary: 'Where platforms and programs push messages to',
  description:
    'The body of a platform is its own JSON, 1 MiB at most; the channel verifies it in its own way before it is read. A program sends `{"event": "message", "data": {"chat_id", "content", "sender_id"?, "sender_name"?, "message_id"?, "thread_id"?, "chat_type"?}}`, 256 KiB at most, signed or with a credential that may write. Answered when everything is committed; 503 asks to send it again.',
  answers: { 200: webhookAnswer },
  errors: ['CHANNEL_NOT_FOUND', 'UNAUTHORIZED', 'CONFLICT', 'PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'],
} as const;

const RETRY_AFTER_S = 1;

/** Bodies of strangers that may be in memory at once, of 1 MiB at most each. */
const MAX_READINGS = 64;

type Target = { channel: string; account: string | undefined; readings: { open: number } };

async function receive(options: WebhookOptions, ctx: Context, target: Target): Promise<Record<string, unknown>> {
  const { channel, account } = target;
  const request: HttpPush = {
    accountId: account,
    header: (name) => (ctx.get(name) === '' ? undefined : ctx.get(name)),
    rawBody: (maxBytes) => readBounded(ctx, target, maxBytes),
  };
  try {
    const generic = chooseGeneric(options, ctx, { channel, request });
    if (generic === undefined) return await options.registry.receiveHttp(channel, request);
    const { body, isReplay } = await takeIn(options.inbound, generic);
    if (isReplay) ctx.set('X-Idempotent-Replay', 'true');
    return body;
  } catch (error) {
    // Whoever is refused has no claim to have the rest of the request read.
    if (!ctx.req.readableEnded) ctx.set('Connection', 'close');
    if (error instanceof GatewayError && error.code !== 'NOT_READY') throw error;
    ctx.state.log.warn({ err: error, channel, account }, 'What was pushed is not taken in yet; it is asked for again');
    throw new GatewayError('NOT_READY', 'Not taken in yet. Send it again.', {
      cause: error,
      headers: { 'Retry-After': `${RETRY_AFTER_S}` },
    });
  }
}

async function readBounded(ctx: Context, { readings }: Target, maxBytes: number | undefined): Promise<Buffer> {
  if (readings.open >= MAX_READINGS && !ctx.state.isAuthenticated)
    throw new GatewayError('NOT_READY', 'Too many bodies are being read.');
  readings.open += 1;
  try {
    return await readRawBody(ctx, maxBytes);
  } finally {
    readings.open -= 1;
  }
}

/** The request as one of a program that signs or has the credential; undefined when it is the platform's own, or nobody's. */
function chooseGeneric(
  { config, registry }: WebhookOptions,
  ctx: Context,
  { channel, request }: { channel: string; request: HttpPush },
): WebhookRequest | undefined {
  if (!registry.has(channel)) return undefined;
  const accountId = request.accountId ?? 'default';
  const sender = findSender(config, channel, accountId);
  const given = { channel, accountId, request };
  if (sender !== undefined && hasSignature(sender.scheme, request.header))
    return { ...given, sender, idempotencyKey: undefined };
  const hasCredential = request.header('authorization') !== undefined || request.header('x-api-key') !== undefined;
  // Where no credential is needed a platform still proves itself.
  if (ctx.state.isAuthenticated && (hasCredential || !registry.takesHttp(channel))) {
    requireScope(ctx, 'operator.write');
    return { ...given, sender: undefined, idempotencyKey: request.header('idempotency-key')?.slice(0, 256) };
  }
  return sender === undefined || registry.takesHttp(channel)
    ? undefined
    : { ...given, sender, idempotencyKey: undefined };
}
