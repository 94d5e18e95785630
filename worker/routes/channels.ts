import type { AccountStatus } from '../channels/plugin.ts';
import type { ChannelSummary, Registry } from '../channels/registry.ts';
import { defineRoute, type Route } from './route.ts';

/** The channels of this gateway: how they are, and a restart of one of them (SPEC 5). */
export function channelsRoutes(registry: Pick<Registry, 'list' | 'restart'>): Route[] {
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
  ];
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
