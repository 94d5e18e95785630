import { GatewayError } from '../../../lib/errors.ts';
import { type ChannelContext, type ChannelPlugin, Rejected, Unreachable } from '../plugin.ts';
import { loadFetch } from '../proxy-fetch.ts';
import { type AccountState, createAccountState } from './account-state.ts';
import type { TelegramAccount } from './accounts.ts';
import { type BotApi, loadBotApi } from './bot-api.ts';
import type { Holder } from './claim.ts';
import { createInterrupter, type Interrupter } from './interrupter.ts';
import { pollAccount } from './poll.ts';
import { editText, sendText, sendTyping } from './send.ts';
import { POLL_TIMING, type PollTiming } from './timing.ts';
import { createWebhookReceiver, type WebhookReceiver } from './webhook-receiver.ts';

/**
 * Creates the Telegram channel: long polling or a webhook per account, Markdown out as HTML. Nothing of grammY is loaded before `start`. With a
 * `holder` each token is leased on this machine, so that two gateways never poll with the same one (TG-1).
 */
export function createTelegramChannel(
  accounts: readonly TelegramAccount[],
  timing: PollTiming = POLL_TIMING,
  holder?: Holder,
) {
  const bots = new Map<string, Bot>();
  let context: ChannelContext | undefined;
  let run: Run | undefined;
  const stop = async () => {
    const ending = run;
    if (ending === undefined) return;
    await ending.stop();
    if (run === ending) run = undefined;
  };
  return {
    meta: META,
    init(given) {
      context = given;
      for (const account of accounts) bots.set(account.accountId, createBot(account, given, timing));
    },
    async start(signal) {
      if (context === undefined) throw new Error('telegram: init must come before start');
      if (run?.isStopping()) await stop();
      // One poller per bot, ever: two would answer each other with 409 (TG-3).
      run ??= beginRun({ bots: [...bots.values()], context, timing, holder, signal });
      await run.launched.catch(async (error: unknown) => {
        // What failed is no run that a later start could join.
        await stop();
        throw error;
      });
    },
    stop,
    reprobe() {
      for (const { interrupter } of bots.values()) interrupter.fire();
    },
    receiveHttp: async (request) => requireReceiver(bots, request.accountId).receive(request),
    send: async (message, signal) => sendText(requireApi(bots, message.accountId), message, signal),
    chunkLimit: (accountId) => bots.get(accountId)?.account.textChunkLimit,
    edit: async ({ accountId, chatId, remoteId, text }, signal) =>
      editText(requireApi(bots, accountId), { chatId, messageId: remoteId, text }, signal),
    showTyping: async (target, signal) => sendTyping(requireApi(bots, target.accountId), target, signal),
    status: () => [...bots.values()].map((bot) => bot.state.current()),
  } satisfies ChannelPlugin;
}

const META: ChannelPlugin['meta'] = {
  id: 'telegram',
  label: 'Telegram',
  deferConnectUntilAfterListen: true,
  isIdempotent: false,
  textLimit: 4_096,
};

type Bot = {
  account: TelegramAccount;
  state: AccountState;
  interrupter: Interrupter;
  receiver?: WebhookReceiver;
  api?: BotApi;
};

function createBot(account: TelegramAccount, context: ChannelContext, timing: PollTiming): Bot {
  const { accountId, botToken, webhook } = account;
  const state = createAccountState(accountId, (status) => context.onStatus(status));
  const bot: Bot = { account, state, interrupter: createInterrupter() };
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

type Run = { launched: Promise<void>; isStopping(): boolean; stop(): Promise<void> };

type RunOptions = {
  bots: readonly Bot[];
  context: ChannelContext;
  timing: PollTiming;
  holder: Holder | undefined;
  signal: AbortSignal;
};

function beginRun(options: RunOptions): Run {
  const { signal } = options;
  const controller = new AbortController();
  const abort = () => controller.abort();
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  const loops: Promise<void>[] = [];
  const launched = launch(options, controller.signal, loops);
  return {
    launched,
    isStopping: () => controller.signal.aborted,
    async stop() {
      abort();
      signal.removeEventListener('abort', abort);
      // Whether the launch worked is the business of who called start.
      await Promise.allSettled([launched]);
      await Promise.all(loops);
    },
  };
}

async function launch(options: RunOptions, signal: AbortSignal, loops: Promise<void>[]): Promise<void> {
  const { bots, context, timing, holder } = options;
  for (const bot of bots) {
    const { account, state, interrupter, receiver } = bot;
    if (account.botToken === undefined) {
      state.change('down', `No bot token. Set ${account.tokenPath}, then restart the gateway.`);
      continue;
    }
    if (account.proxy !== undefined && 'problem' in account.proxy) {
      state.change('down', `${account.proxy.problem}. Set channels.telegram.proxy, then restart the gateway.`);
      continue;
    }
    const token = account.botToken;
    const api = await openApi(bot, token);
    loops.push(pollAccount({ account, token, api, context, state, timing, receiver, interrupter, holder, signal }));
  }
}

/** What is pushed may come before the channel is started. */
async function openApi(bot: Bot, token: string): Promise<BotApi> {
  const { apiRoot, proxy } = bot.account;
  if (proxy !== undefined && 'problem' in proxy) throw new Error(proxy.problem);
  const [createApi, fetch] = await Promise.all([loadBotApi(), loadFetch(proxy)]);
  bot.api ??= createApi(token, apiRoot, fetch);
  return bot.api;
}

/** Without an account in its address a request is for "default". */
function requireReceiver(bots: ReadonlyMap<string, Bot>, accountId = 'default'): WebhookReceiver {
  const receiver = bots.get(accountId)?.receiver;
  if (receiver === undefined) throw new GatewayError('NOT_FOUND', 'There is no such webhook.');
  return receiver;
}

function requireApi(bots: ReadonlyMap<string, Bot>, accountId: string): BotApi {
  const bot = bots.get(accountId);
  if (bot === undefined)
    throw new Rejected(`Telegram has no account "${accountId}". Check channels.telegram.accounts.`);
  if (bot.api === undefined) throw new Unreachable(`The Telegram account "${accountId}" is not connected.`);
  return bot.api;
}
