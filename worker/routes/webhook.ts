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
  return ['/api/webhook/:channel', '/api/webhook/:channel/:account'].map((path) =>
    defineRoute({
      method: 'POST',
      path,
      scope: 'public',
      handle: ({ ctx, params: { channel = '', account } }) => receive(registry, ctx, { channel, account }),
    }),
  );
}

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
