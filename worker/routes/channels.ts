import { type AccountAnswer, type ChannelAnswer, channelRestartedAnswer, channelsAnswer } from '../../lib/answers.ts';
import { type LoginAnswer, loginAnswer } from '../../lib/answers-channels.ts';
import { idPath } from '../../lib/api.ts';
import { loginCodeRequest, loginPath, loginStartRequest } from '../../lib/api-channels.ts';
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
    ...loginRoutes(registry),
  ];
}

function loginRoutes(registry: Pick<Registry, 'login'>): Route[] {
  return [
    defineRoute({
      method: 'POST',
      path: '/api/channels/:id/login/start',
      scope: 'operator.admin',
      tag: 'Channels',
      summary: 'Begins the login of an account',
      description:
        'Answers when there is something to scan, or it has failed. In place of an earlier login of the account; a restart forgets it.',
      params: idPath,
      body: loginStartRequest,
      example: { account_id: 'default' },
      answers: { 200: loginAnswer },
      errors: ['CHANNEL_NOT_FOUND', 'NOT_FOUND'],
      handle: async ({ body, params }) => describeLogin(await registry.login(params.id).start(body.account_id)),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/channels/:id/login/:sessionKey',
      scope: 'operator.admin',
      tag: 'Channels',
      summary: 'Shows how a login stands',
      params: loginPath,
      answers: { 200: loginAnswer },
      errors: ['CHANNEL_NOT_FOUND', 'NOT_FOUND'],
      handle: ({ params: { id, sessionKey } }) => describeLogin(registry.login(id).read(sessionKey)),
    }),
    defineRoute({
      method: 'POST',
      path: '/api/channels/:id/login/:sessionKey/code',
      scope: 'operator.admin',
      tag: 'Channels',
      summary: 'Enters the digits that the phone shows',
      params: loginPath,
      body: loginCodeRequest,
      example: { code: '1234' },
      answers: { 200: loginAnswer },
      errors: ['CHANNEL_NOT_FOUND', 'NOT_FOUND', 'CONFLICT'],
      handle: ({ body, params: { id, sessionKey } }) =>
        describeLogin(registry.login(id).enterCode(sessionKey, body.code)),
    }),
  ];
}

function describeLogin(view: LoginView | undefined): LoginAnswer {
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
