import { webhookAnswer } from '../../lib/answers.ts';
import { accountPath, channelPath } from '../../lib/api.ts';
import { GatewayError } from '../../lib/errors.ts';
import type { Registry } from '../channels/registry.ts';
import { readRawBody } from '../middleware/raw-body.ts';
import type { Context } from '../middleware/state.ts';
import { defineRoute, type Route } from './route.ts';

/**
 * Where platforms push messages to (SPEC 7.5). They cannot present the gateway's credential: each channel verifies them in its
 * own way, before the body is read. Answered when everything is committed (IN-1).
 */
export function webhookRoutes(registry: Pick<Registry, 'receiveHttp'>): Route[] {
  return [
    defineRoute({
      ...WEBHOOK,
      path: '/api/webhook/:channel',
      params: channelPath,
      handle: ({ ctx, params: { channel } }) => receive(registry, ctx, { channel, account: undefined }),
    }),
    defineRoute({
      ...WEBHOOK,
      path: '/api/webhook/:channel/:account',
      params: accountPath,
      handle: ({ ctx, params }) => receive(registry, ctx, params),
    }),
  ];
}

const WEBHOOK = {
  method: 'POST',
  scope: 'public',
  tag: 'Channels',
  summary: 'Where a platform pushes messages to',
  description:
    'The body is the JSON of the platform, 1 MiB at most; the channel verifies it in its own way before it is read. Answered when everything is committed; 503 asks the platform to send it again.',
  answers: { 200: webhookAnswer },
  errors: ['CHANNEL_NOT_FOUND', 'UNAUTHORIZED', 'PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'],
} as const;

const RETRY_AFTER_S = 1;

async function receive(
  registry: Pick<Registry, 'receiveHttp'>,
  ctx: Context,
  { channel, account }: { channel: string; account: string | undefined },
): Promise<Record<string, unknown>> {
  try {
    return await registry.receiveHttp(channel, {
      accountId: account,
      header: (name) => (ctx.get(name) === '' ? undefined : ctx.get(name)),
      rawBody: () => readRawBody(ctx),
    });
  } catch (error) {
    // Whoever is refused has no claim to have the rest of the request read.
    if (!ctx.req.readableEnded) ctx.set('Connection', 'close');
    if (error instanceof GatewayError && error.code !== 'NOT_READY') throw error;
    ctx.state.log.warn(
      { err: error, channel, account },
      'What a platform pushed is not taken in yet; it is asked again',
    );
    throw new GatewayError('NOT_READY', 'Not taken in yet. Send it again.', {
      cause: error,
      headers: { 'Retry-After': `${RETRY_AFTER_S}` },
    });
  }
}
