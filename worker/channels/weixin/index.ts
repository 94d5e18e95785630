import { type AccountState, createAccountState } from '../account-state.ts';
import { type ChannelContext, type ChannelPlugin, type LoginDesk, Rejected, Unreachable } from '../plugin.ts';
import type { WeixinAccount } from './accounts.ts';
import { createClient, type WeixinClient } from './client.ts';
import type { CredentialStore } from './credentials.ts';
import { LOG_IN, pollAccount } from './poll.ts';
import { sendPart } from './send.ts';
import { WEIXIN_TIMING, type WeixinTiming } from './timing.ts';
import { createTyping } from './typing.ts';

export type WeixinOptions = {
  accounts: readonly WeixinAccount[];
  credentials: CredentialStore;
  logins: LoginDesk;
  timing?: WeixinTiming;
};

/** One account with what it takes to serve it. */
type Bot = {
  account: WeixinAccount;
  state: AccountState;
  /** Undefined while the account is not logged in. */
  client: WeixinClient | undefined;
};

/** Creates the channel of WeChat bots over the iLink protocol: private chats, polled for, plain text (channels 4). */
export function createWeixinChannel({ accounts, credentials, logins, timing = WEIXIN_TIMING }: WeixinOptions) {
  const bots = new Map<string, Bot>();
  const showTyping = createTyping();
  let context: ChannelContext | undefined;
  let run: { controller: AbortController; loops: Promise<void>[] } | undefined;
  const stop = async (): Promise<void> => {
    const ending = run;
    run = undefined;
    ending?.controller.abort();
    await Promise.all(ending?.loops ?? []);
  };
  return {
    meta: META,
    init(given) {
      context = given;
      for (const account of accounts) {
        const state = createAccountState(account.accountId, (status) => given.onStatus(status));
        bots.set(account.accountId, { account, state, client: undefined });
      }
    },
    async start(signal) {
      if (context === undefined) throw new Error('weixin: init must come before start');
      await stop();
      const controller = new AbortController();
      signal.addEventListener('abort', () => controller.abort(), { once: true });
      if (signal.aborted) controller.abort();
      const serving = { context, credentials, timing, signal: controller.signal };
      run = { controller, loops: [...bots.values()].map((bot) => serve(bot, serving)) };
    },
    stop,
    send: async (message, signal) => sendPart(requireClient(bots, message.accountId), message, signal),
    showTyping: async ({ accountId, chatId }, signal) => showTyping(requireClient(bots, accountId), chatId, signal),
    chunkLimit: (accountId) => bots.get(accountId)?.account.textChunkLimit,
    login: logins,
    status: () => [...bots.values()].map(({ state }) => state.current()),
  } satisfies ChannelPlugin;
}

const META: ChannelPlugin['meta'] = {
  id: 'weixin',
  label: 'Weixin',
  deferConnectUntilAfterListen: true,
  // Nobody confirms that the service knows a client_id again (channels 4.4).
  isIdempotent: false,
  hasWindows: true,
  textLimit: 4_000,
};

type Serving = { context: ChannelContext; credentials: CredentialStore; timing: WeixinTiming; signal: AbortSignal };

/** A login restarts the channel: until then there is nothing to do for an account without one. */
async function serve(bot: Bot, { context, credentials, timing, signal }: Serving): Promise<void> {
  const { account, state } = bot;
  const { accountId, routeTag } = account;
  const login = credentials.read(accountId);
  if (login === undefined) {
    state.change('login-needed', `Not logged in. ${LOG_IN}.`);
    return;
  }
  const client = createClient({ baseUrl: login.baseUrl, botToken: login.botToken, routeTag });
  bot.client = client;
  const end = await pollAccount({ accountId, botId: login.botId, client, context, state, timing, signal });
  if (end === 'login-over') bot.client = undefined;
}

function requireClient(bots: ReadonlyMap<string, Bot>, accountId: string): WeixinClient {
  const bot = bots.get(accountId);
  if (bot === undefined) throw new Rejected(`Weixin has no account "${accountId}". Check channels.weixin.accounts.`);
  if (bot.client === undefined) throw new Unreachable(`The Weixin account "${accountId}" is not logged in. ${LOG_IN}.`);
  return bot.client;
}
