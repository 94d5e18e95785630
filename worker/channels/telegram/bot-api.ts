import type { Update, UserFromGetMe, WebhookInfo } from 'grammy/types';
import type { Api } from 'grammy/web';

/** The calls we make, on grammY's client and with the platform's own AbortSignal. Errors are GrammyError or HttpError. */
export type BotApi = {
  getMe(signal: AbortSignal): Promise<UserFromGetMe>;
  getUpdates(request: { offset?: number; timeout: number }, signal: AbortSignal): Promise<Update[]>;
  deleteWebhook(signal: AbortSignal): Promise<void>;
  /** Has what waits and what comes pushed to an address, with the secret in a header. */
  setWebhook(request: { url: string; secret: string }, signal: AbortSignal): Promise<void>;
  getWebhookInfo(signal: AbortSignal): Promise<WebhookInfo>;
  /** Returns the id of the new message. */
  sendMessage(request: SendRequest, signal: AbortSignal): Promise<number>;
  editMessageText(request: EditRequest, signal: AbortSignal): Promise<void>;
  sendTyping(request: { chatId: number | string; threadId?: number }, signal: AbortSignal): Promise<void>;
};

/** A text, and the HTML to show it as; without that it is shown as it is. */
type Content = { text: string; html?: string };

export type SendRequest = Content & {
  chatId: number | string;
  threadId?: number;
  replyTo?: number;
  isSilent: boolean;
};

export type EditRequest = Content & { chatId: number | string; messageId: number };

/** Loads grammY and returns what creates a client per token; every request goes through the given fetch. */
export async function loadBotApi(): Promise<
  (token: string, apiRoot: string, fetch?: typeof globalThis.fetch) => BotApi
> {
  // The build without node-fetch: it loads in a tenth of the time, and Node has all it needs.
  const { Api } = await import('grammy/web');
  return (token, apiRoot, fetch = globalThis.fetch) =>
    wrap(new Api(token, { apiRoot, fetch, timeoutSeconds: REQUEST_TIMEOUT_S }));
}

/** Longer than any poll: the poll loop has a deadline of its own. */
const REQUEST_TIMEOUT_S = 60;

const ALLOWED_UPDATES = ['message', 'edited_message'] as const;
/** As many as Telegram makes when nothing is said. */
const MAX_CONNECTIONS = 40;

function wrap(api: Api): BotApi {
  return {
    getMe: (signal) => api.getMe(typed(signal)),
    getUpdates: (request, signal) =>
      api.getUpdates({ ...request, limit: 100, allowed_updates: ALLOWED_UPDATES }, typed(signal)),
    async deleteWebhook(signal) {
      await api.deleteWebhook({}, typed(signal));
    },
    async setWebhook({ url, secret }, signal) {
      const options = {
        secret_token: secret,
        allowed_updates: ALLOWED_UPDATES,
        max_connections: MAX_CONNECTIONS,
        drop_pending_updates: false,
      };
      await api.setWebhook(url, options, typed(signal));
    },
    getWebhookInfo: (signal) => api.getWebhookInfo(typed(signal)),
    async sendMessage({ chatId, text, html, threadId, replyTo, isSilent }, signal) {
      const options = {
        ...parseMode(html),
        ...(threadId === undefined ? {} : { message_thread_id: threadId }),
        ...(replyTo === undefined
          ? {}
          : { reply_parameters: { message_id: replyTo, allow_sending_without_reply: true as const } }),
        ...(isSilent ? { disable_notification: true } : {}),
      };
      const posted = await api.sendMessage(chatId, html ?? text, options, typed(signal));
      return posted.message_id;
    },
    async editMessageText({ chatId, messageId, text, html }, signal) {
      await api.editMessageText(chatId, messageId, html ?? text, parseMode(html), typed(signal));
    },
    async sendTyping({ chatId, threadId }, signal) {
      const options = threadId === undefined ? {} : { message_thread_id: threadId };
      await api.sendChatAction(chatId, 'typing', options, typed(signal));
    },
  };
}

function parseMode(html: string | undefined): { parse_mode?: 'HTML' } {
  return html === undefined ? {} : { parse_mode: 'HTML' };
}

type GrammySignal = NonNullable<Parameters<Api['getMe']>[0]>;

/** grammY declares the signal of an old polyfill; at run time it takes any that has `addEventListener`. */
function typed(signal: AbortSignal): GrammySignal {
  return signal as unknown as GrammySignal;
}
