import { type AccountAnswer, type ChannelAnswer, channelRestartedAnswer, channelsAnswer } from '../../lib/answers.ts';
import { idPath } from '../../lib/api.ts';
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
      tag: 'Channels',
      summary: 'Lists the channels and how they are',
      answers: { 200: channelsAnswer },
      handle: () => ({ items: registry.list().map(describeChannel) }),
    }),
    defineRoute({
      method: 'POST',
      path: '/api/channels/:id/restart',
      scope: 'operator.write',
      tag: 'Channels',
      summary: 'Starts a channel afresh',
      params: idPath,
      answers: { 200: channelRestartedAnswer },
      errors: ['CHANNEL_NOT_FOUND', 'CONFLICT'],
      async handle({ params: { id } }) {
        await registry.restart(id);
        const channel = registry.list().find((summary) => summary.id === id);
        return { status: 'ok' as const, ...(channel === undefined ? {} : { channel: describeChannel(channel) }) };
      },
    }),
  ];
}

/** A channel and its accounts in the words of the API. */
export function describeChannel(channel: ChannelSummary): ChannelAnswer {
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

function describeAccount({ accountId, state, since, lastError, lastExchangeAt }: AccountStatus): AccountAnswer {
  return {
    account_id: accountId,
    state,
    since: new Date(since).toISOString(),
    ...(lastError === undefined ? {} : { last_error: lastError }),
    ...(lastExchangeAt === undefined ? {} : { last_exchange_at: new Date(lastExchangeAt).toISOString() }),
  };
}
