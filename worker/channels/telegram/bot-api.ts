import type { Update, UserFromGetMe, WebhookInfo } from 'grammy/types';
import type { Api } from 'grammy/web';
import type { OutboundFile } from '../plugin.ts';
import { type Upload, uploadFile } from './upload.ts';

/** The calls we make, on grammY's client and with the platform's own AbortSignal. Errors are GrammyError or HttpError. */
export type BotApi = {
  getMe(signal: AbortSignal): Promise<UserFromGetMe>;
  getUpdates(request: { offset?: number; timeout: number }, signal: AbortSignal): Promise<Update[]>;
  deleteWebhook(signal: AbortSignal): Promise<void>;
  /** Has what waits and what comes pushed to an address, with the secret in a header. */
  setWebhook(request: { url: string; secret: string }, signal: AbortSignal): Promise<void>;
  getWebhookInfo(signal: AbortSignal): Promise<WebhookInfo>;
  /** Returns the id of the new message. Throws Rejected when its file cannot be read. */
  sendMessage(request: SendRequest, signal: AbortSignal): Promise<number>;
  editMessageText(request: EditRequest, signal: AbortSignal): Promise<void>;
  sendTyping(request: { chatId: number | string; threadId?: number }, signal: AbortSignal): Promise<void>;
  /** Where a file lies that somebody sent. */
  getFilePath(fileId: string, signal: AbortSignal): Promise<string>;
  /** Begins to fetch a file. What it throws may hold the token. */
  download(filePath: string, signal: AbortSignal): Promise<Response>;
};

/** A text, and the HTML to show it as; without that it is shown as it is. */
type Content = { text: string; html?: string };

export type SendRequest = Content & {
  chatId: number | string;
  /** Carries the content as its caption. */
  file?: OutboundFile;
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
  const { Api, InputFile } = await import('grammy/web');
  return (token, apiRoot, fetch = globalThis.fetch) => {
    const slow = new Api(token, { apiRoot, fetch, timeoutSeconds: UPLOAD_TIMEOUT_S });
    return {
      ...wrap(new Api(token, { apiRoot, fetch, timeoutSeconds: REQUEST_TIMEOUT_S }), (upload, signal) =>
        uploadFile(slow, (content, name) => new InputFile(content, name), upload, typed(signal)),
      ),
      download: (filePath, signal) => fetch(`${apiRoot}/file/bot${token}/${filePath}`, { signal }),
    };
  };
}

/** Longer than any poll: the poll loop has a deadline of its own. */
const REQUEST_TIMEOUT_S = 60;

/** Longer than any upload: who sends has a deadline that fits the size. */
const UPLOAD_TIMEOUT_S = 3_600;

const ALLOWED_UPDATES = ['message', 'edited_message'] as const;
/** As many as Telegram makes when nothing is said. */
const MAX_CONNECTIONS = 40;

type SendUpload = (upload: Upload, signal: AbortSignal) => Promise<number>;

function wrap(api: Api, upload: SendUpload): Omit<BotApi, 'download'> {
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
    async sendMessage({ chatId, text, html, file, threadId, replyTo, isSilent }, signal) {
      const options = {
        ...parseMode(html),
        ...(threadId === undefined ? {} : { message_thread_id: threadId }),
        ...(replyTo === undefined
          ? {}
          : { reply_parameters: { message_id: replyTo, allow_sending_without_reply: true as const } }),
        ...(isSilent ? { disable_notification: true } : {}),
      };
      if (file !== undefined) return upload({ chatId, file, options: { ...options, caption: html ?? text } }, signal);
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
    async getFilePath(fileId, signal) {
      const { file_path: path = '' } = await api.getFile(fileId, typed(signal));
      return path;
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
