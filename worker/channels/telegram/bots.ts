import { GatewayError } from '../../../lib/errors.ts';
import { type AccountState, createAccountState } from '../account-state.ts';
import { type ChannelContext, Rejected, Unreachable } from '../plugin.ts';
import { loadFetch } from '../proxy-fetch.ts';
import type { TelegramAccount } from './accounts.ts';
import { type BotApi, loadBotApi } from './bot-api.ts';
import { createInterrupter, type Interrupter } from './interrupter.ts';
import { createPace, type Pace } from './pace.ts';
import type { PollTiming } from './timing.ts';
import { createWebhookReceiver, type WebhookReceiver } from './webhook-receiver.ts';

/** One account with what it takes to serve it. */
export type Bot = {
  account: TelegramAccount;
  state: AccountState;
  pace: Pace;
  interrupter: Interrupter;
  receiver?: WebhookReceiver;
  api?: BotApi;
};

/** Puts an account together, without using the network. */
export function createBot(account: TelegramAccount, context: ChannelContext, timing: PollTiming): Bot {
  const { accountId, botToken, webhook, sendRate } = account;
  const state = createAccountState(accountId, (status) => context.onStatus(status));
  const bot: Bot = { account, state, pace: createPace(sendRate), interrupter: createInterrupter() };
  if (webhook === undefined || botToken === undefined) return bot;
  const secret = webhook.readSecret();
  const receiver = {
    accountId,
    url: webhook.url,
    secret,
    context,
    state,
    timing,
    openApi: () => openApi(bot, botToken),
  };
  return Object.assign(bot, { receiver: createWebhookReceiver(receiver) });
}

/** The client of an account; what is pushed may come before the channel is started. */
export async function openApi(bot: Bot, token: string): Promise<BotApi> {
  const { apiRoot, proxy } = bot.account;
  if (proxy !== undefined && 'problem' in proxy) throw new Error(proxy.problem);
  const [createApi, fetch] = await Promise.all([loadBotApi(), loadFetch(proxy)]);
  bot.api ??= createApi(token, apiRoot, fetch);
  return bot.api;
}

/** What takes the pushes of an account; without one in its address a request is for "default". Throws NOT_FOUND when there is none. */
export function requireReceiver(bots: ReadonlyMap<string, Bot>, accountId = 'default'): WebhookReceiver {
  const receiver = bots.get(accountId)?.receiver;
  if (receiver === undefined) throw new GatewayError('NOT_FOUND', 'There is no such webhook.');
  return receiver;
}

/** The client of an account. Throws Rejected when there is no such account, Unreachable while it is not connected. */
export function requireApi(bots: ReadonlyMap<string, Bot>, accountId: string): BotApi {
  const bot = bots.get(accountId);
  if (bot === undefined)
    throw new Rejected(`Telegram has no account "${accountId}". Check channels.telegram.accounts.`);
  if (bot.api === undefined) throw new Unreachable(`The Telegram account "${accountId}" is not connected.`);
  return bot.api;
}
