import type { Update, UserFromGetMe } from 'grammy/types';
import type { Api } from 'grammy/web';

/** The calls we make, on grammY's client and with the platform's own AbortSignal. Errors are GrammyError or HttpError. */
export type BotApi = {
  getMe(signal: AbortSignal): Promise<UserFromGetMe>;
  getUpdates(request: { offset?: number; timeout: number }, signal: AbortSignal): Promise<Update[]>;
  deleteWebhook(signal: AbortSignal): Promise<void>;
  /** Returns the id of the new message. */
  sendMessage(request: SendRequest, signal: AbortSignal): Promise<number>;
  sendTyping(request: { chatId: number | string; threadId?: number }, signal: AbortSignal): Promise<void>;
};

export type SendRequest = {
  chatId: number | string;
  text: string;
  threadId?: number;
  replyTo?: number;
  isSilent: boolean;
};

/** Loads grammY and returns what creates a client per token. */
export async function loadBotApi(): Promise<(token: string, apiRoot: string) => BotApi> {
  // The build without node-fetch: it loads in a tenth of the time, and Node has all it needs.
  const { Api } = await import('grammy/web');
  return (token, apiRoot) =>
    wrap(new Api(token, { apiRoot, fetch: globalThis.fetch, timeoutSeconds: REQUEST_TIMEOUT_S }));
}

/** Longer than any poll: the poll loop has a deadline of its own. */
const REQUEST_TIMEOUT_S = 60;

function wrap(api: Api): BotApi {
  return {
    getMe: (signal) => api.getMe(typed(signal)),
    getUpdates: (request, signal) =>
      api.getUpdates({ ...request, limit: 100, allowed_updates: ['message', 'edited_message'] }, typed(signal)),
    async deleteWebhook(signal) {
      await api.deleteWebhook({}, typed(signal));
    },
    async sendMessage({ chatId, text, threadId, replyTo, isSilent }, signal) {
      const options = {
        ...(threadId === undefined ? {} : { message_thread_id: threadId }),
        ...(replyTo === undefined
          ? {}
          : { reply_parameters: { message_id: replyTo, allow_sending_without_reply: true as const } }),
        ...(isSilent ? { disable_notification: true } : {}),
      };
      const posted = await api.sendMessage(chatId, text, options, typed(signal));
      return posted.message_id;
    },
    async sendTyping({ chatId, threadId }, signal) {
      const options = threadId === undefined ? {} : { message_thread_id: threadId };
      await api.sendChatAction(chatId, 'typing', options, typed(signal));
    },
  };
}

type GrammySignal = NonNullable<Parameters<Api['getMe']>[0]>;

/** grammY declares the signal of an old polyfill; at run time it takes any that has `addEventListener`. */
function typed(signal: AbortSignal): GrammySignal {
  return signal as unknown as GrammySignal;
}
