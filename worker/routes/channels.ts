import { loginCodeRequest, loginStartRequest } from '../../lib/api.ts';
import { GatewayError } from '../../lib/errors.ts';
import type { AccountStatus, LoginView } from '../channels/plugin.ts';
import type { ChannelSummary, Registry } from '../channels/registry.ts';
import { defineRoute, type Route } from './route.ts';

/** The channels of this gateway: how they are, a restart of one of them, and the login of its accounts by a person (SPEC 5). */
export function channelsRoutes(registry: Pick<Registry, 'list' | 'restart' | 'login'>): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/channels',
      scope: 'operator.read',
      handle: () => ({ items: registry.list().map(describeChannel) }),
    }),
    defineRoute({
      method: 'POST',
      path: '/api/channels/:id/restart',
      scope: 'operator.write',
      async handle({ params: { id = '' } }) {
        await registry.restart(id);
        const channel = registry.list().find((summary) => summary.id === id);
        return { status: 'ok', ...(channel === undefined ? {} : { channel: describeChannel(channel) }) };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/channels/:id/login/start',
      scope: 'operator.admin',
      body: loginStartRequest,
      handle: async ({ body, params: { id = '' } }) => describeLogin(await registry.login(id).start(body.account_id)),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/channels/:id/login/:sessionKey',
      scope: 'operator.admin',
      handle: ({ params: { id = '', sessionKey = '' } }) => describeLogin(registry.login(id).read(sessionKey)),
    }),
    defineRoute({
      method: 'POST',
      path: '/api/channels/:id/login/:sessionKey/code',
      scope: 'operator.admin',
      body: loginCodeRequest,
      handle: ({ body, params: { id = '', sessionKey = '' } }) =>
        describeLogin(registry.login(id).enterCode(sessionKey, body.code)),
    }),
  ];
}

function describeLogin(view: LoginView | undefined): Record<string, unknown> {
  if (view === undefined)
    throw new GatewayError(
      'NOT_FOUND',
      'There is no such login; a restart forgets those that are under way. Begin anew.',
    );
  const { sessionKey, accountId, step, qr, problem, expiresAt } = view;
  return {
    status: 'ok',
    session_key: sessionKey,
    account_id: accountId,
    step,
    expires_at: new Date(expiresAt).toISOString(),
    ...(qr === undefined ? {} : { qr }),
    ...(problem === undefined ? {} : { problem }),
  };
}

/** A channel and its accounts in the words of the API. */
export function describeChannel(channel: ChannelSummary): Record<string, unknown> {
  const { id, label, state, lastError, accounts, restarts } = channel;
  return {
    id,
    label,
    state,
    ...(lastError === undefined ? {} : { last_error: lastError }),
    accounts: accounts.map(describeAccount),
    restarts,
  };
}

function describeAccount({
  accountId,
  state,
  since,
  lastError,
  lastExchangeAt,
}: AccountStatus): Record<string, unknown> {
  return {
    account_id: accountId,
    state,
    since: new Date(since).toISOString(),
    ...(lastError === undefined ? {} : { last_error: lastError }),
    ...(lastExchangeAt === undefined ? {} : { last_exchange_at: new Date(lastExchangeAt).toISOString() }),
  };
}
