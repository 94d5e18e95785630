import type { ChannelContext, ChannelPlugin, Peer, Streaming } from '../plugin.ts';
import type { TelegramAccount } from './accounts.ts';
import { type Bot, createBot, openApi, requireApi, requireReceiver } from './bots.ts';
import type { Holder } from './claim.ts';
import { openFile } from './files.ts';
import { pollAccount } from './poll.ts';
import { editText, FILE_SUPPORT, sendPart, sendTyping } from './send.ts';
import { POLL_TIMING, type PollTiming } from './timing.ts';

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
    send: async (message, signal) => sendPart(requireApi(bots, message.accountId), message, signal),
    fetchFile: async (accountId, ref, signal) => openFile(requireApi(bots, accountId), ref, signal),
    chunkLimit: (accountId) => bots.get(accountId)?.account.textChunkLimit,
    edit: async ({ accountId, chatId, remoteId, text }, signal) =>
      editText(requireApi(bots, accountId), { chatId, messageId: remoteId, text }, signal),
    streaming: (accountId, peerKind) => describeStreaming(bots.get(accountId)?.account.streamMode ?? 'off', peerKind),
    quoting: (accountId) => bots.get(accountId)?.account.replyToMode,
    bookSend: ({ accountId, chatId }) => bots.get(accountId)?.pace.book(chatId) ?? 0,
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
  files: FILE_SUPPORT,
};

/** Edits count as messages: a group may have twenty per minute (channels 2.5). */
function describeStreaming(mode: TelegramAccount['streamMode'], peerKind: Peer['kind']): Streaming | undefined {
  if (mode === 'off') return undefined;
  return { afterMs: 1_000, everyMs: peerKind === 'direct' ? 1_500 : 3_500, isByBlock: mode === 'block' };
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
