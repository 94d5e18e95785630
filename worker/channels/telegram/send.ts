import type { GrammyError } from 'grammy/web';
import {
  type FileSupport,
  type OutboundFile,
  type OutboundMessage,
  type Posted,
  Rejected,
  Unreachable,
} from '../plugin.ts';
import type { BotApi, EditRequest, SendRequest } from './bot-api.ts';
import { isApiError, toDeliveryError } from './errors.ts';
import { renderHtml } from './html.ts';
import { escapeHtml } from './html-inline.ts';

/** What the platform takes: 50 MB, and 10 MB as a photo; captions are shorter than texts. */
export const FILE_SUPPORT: FileSupport = { maxBytes: 50 * 1_024 * 1_024, captionLimit: 1_024 };

const PHOTO_LIMIT = 10 * 1_024 * 1_024;

/**
 * Posts one part, Markdown with or without a file, and returns its message id; when the chat moved, also the id it has now.
 * Errors are those of the channel contract.
 */
export async function sendPart(api: BotApi, message: OutboundMessage, signal: AbortSignal): Promise<Posted> {
  if (signal.aborted) throw cancelled();
  try {
    return await post(api, requestOf(message), signal);
  } catch (error) {
    throw error instanceof Rejected ? error : toDeliveryError(error);
  }
}

/**
 * Gives a message of ours a new text, Markdown; the same text again is a success. Returns `gone` when the message cannot be
 * changed any more. Errors are those of the channel contract.
 */
export async function editText(
  api: BotApi,
  { chatId, messageId, text }: { chatId: string; messageId: string; text: string },
  signal: AbortSignal,
): Promise<'edited' | 'gone'> {
  if (signal.aborted) throw cancelled();
  const id = readId(messageId);
  if (id === undefined) return 'gone';
  try {
    await edit(api, { chatId: readChatId(chatId), messageId: id, ...contentOf(text) }, signal);
    return 'edited';
  } catch (error) {
    const outcome = isApiError(error) ? judgeEdit(error) : undefined;
    if (outcome === undefined) throw toDeliveryError(error);
    return outcome;
  }
}

/** Shows "typing" for about five seconds. */
export async function sendTyping(
  api: BotApi,
  target: { chatId: string; threadId?: string },
  signal: AbortSignal,
): Promise<void> {
  const threadId = readId(target.threadId);
  await api.sendTyping({ chatId: readChatId(target.chatId), ...(threadId === undefined ? {} : { threadId }) }, signal);
}

function cancelled(): Unreachable {
  return new Unreachable('Telegram: cancelled before the request was made');
}

function requestOf(message: OutboundMessage): SendRequest {
  const threadId = readId(message.threadId);
  const replyTo = readId(message.replyTo);
  return {
    chatId: readChatId(message.chatId),
    ...contentOf(message.text),
    ...(message.file === undefined ? {} : { file: fitKind(message.file) }),
    // The topic "General" has id 1, and the server finds it only when nothing is said.
    ...(threadId === undefined || threadId === 1 ? {} : { threadId }),
    ...(replyTo === undefined ? {} : { replyTo }),
    isSilent: message.silent ?? false,
  };
}

/** What is too large for a photo is still a file. */
function fitKind(file: OutboundFile): OutboundFile {
  return file.kind === 'image' && file.sizeBytes > PHOTO_LIMIT ? { ...file, kind: 'file' } : file;
}

/** A text without any markup goes as it is, so that nothing has to be parsed. */
function contentOf(text: string): { text: string; html?: string } {
  const html = renderHtml(text);
  return html === escapeHtml(text) ? { text } : { text, html };
}

function readId(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

function readChatId(text: string): number | string {
  return /^-?\d+$/.test(text) ? Number(text) : text;
}

/** Posts again only after a definite "not posted", so that a repair cannot double the message. */
async function post(api: BotApi, first: SendRequest, signal: AbortSignal): Promise<Posted> {
  let request = first;
  for (let repairs = 0; ; repairs += 1) {
    try {
      const remoteId = String(await api.sendMessage(request, signal));
      return request.chatId === first.chatId ? { remoteId } : { remoteId, migratedTo: String(request.chatId) };
    } catch (error) {
      const repaired = repairs < MAX_REPAIRS && isApiError(error) ? repair(request, error) : undefined;
      if (repaired === undefined) throw error;
      request = repaired;
    }
  }
}

/** One each for the chat, the topic, the reply, the kind of the file and the markup. */
const MAX_REPAIRS = 5;

/** The same message without what the server could not place or read; undefined when that is not the trouble. */
function repair(request: SendRequest, error: GrammyError): SendRequest | undefined {
  if (error.error_code !== 400) return undefined;
  const { migrate_to_chat_id: newChatId } = error.parameters;
  if (newChatId !== undefined) return { ...request, chatId: newChatId };
  const { threadId, ...withoutThread } = request;
  if (threadId !== undefined && error.description.includes('message thread not found')) return withoutThread;
  const { replyTo, ...withoutReply } = request;
  const isReplyGone = /message to be replied not found|replied message not found/.test(error.description);
  if (replyTo !== undefined && isReplyGone) return withoutReply;
  const { file } = request;
  if (file !== undefined && file.kind !== 'file' && KIND_REFUSED.test(error.description))
    return { ...request, file: { ...file, kind: 'file' } };
  return withoutMarkup(request, error);
}

/** Too wide, too narrow, no picture after all, or a person who takes no voice messages: it can still go as a document. */
const KIND_REFUSED = /PHOTO_|IMAGE_PROCESS_FAILED|too big for a photo|VOICE_MESSAGES_FORBIDDEN/;

/** The same text as it was written; undefined when it has no markup or that is not the trouble. */
function withoutMarkup<T extends { html?: string }>(request: T, error: GrammyError): Omit<T, 'html'> | undefined {
  const { html, ...plain } = request;
  const isRefused = error.error_code === 400 && MARKUP_REFUSED.test(error.description);
  return html !== undefined && isRefused ? plain : undefined;
}

const MARKUP_REFUSED = /can't parse entities|message text is empty|must be non-empty/;

async function edit(api: BotApi, request: EditRequest, signal: AbortSignal): Promise<void> {
  try {
    await api.editMessageText(request, signal);
  } catch (error) {
    const plain = isApiError(error) ? withoutMarkup(request, error) : undefined;
    if (plain === undefined) throw error;
    await api.editMessageText(plain, signal);
  }
}

/** What a refused edit means; undefined when it is trouble of another kind. */
function judgeEdit({ error_code, description, parameters }: GrammyError): 'edited' | 'gone' | undefined {
  if (error_code !== 400) return undefined;
  if (description.includes('message is not modified')) return 'edited';
  // A group that became a supergroup has left its messages behind.
  if (parameters.migrate_to_chat_id !== undefined) return 'gone';
  return /message to edit not found|message can't be edited/.test(description) ? 'gone' : undefined;
}
