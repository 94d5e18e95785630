import type { GrammyError } from 'grammy/web';
import { type OutboundMessage, Unreachable } from '../plugin.ts';
import type { BotApi, SendRequest } from './bot-api.ts';
import { isApiError, toDeliveryError } from './errors.ts';

/** Posts one part as plain text and returns its message id. Errors are those of the channel contract. */
export async function sendText(
  api: BotApi,
  message: OutboundMessage,
  signal: AbortSignal,
): Promise<{ remoteId: string }> {
  if (signal.aborted) throw new Unreachable('Telegram: cancelled before the request was made');
  try {
    return { remoteId: String(await post(api, requestOf(message), signal)) };
  } catch (error) {
    throw toDeliveryError(error);
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

function requestOf(message: OutboundMessage): SendRequest {
  const threadId = readId(message.threadId);
  const replyTo = readId(message.replyTo);
  return {
    chatId: readChatId(message.chatId),
    text: message.text,
    // The topic "General" has id 1, and the server finds it only when nothing is said.
    ...(threadId === undefined || threadId === 1 ? {} : { threadId }),
    ...(replyTo === undefined ? {} : { replyTo }),
    isSilent: message.silent ?? false,
  };
}

function readId(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

function readChatId(text: string): number | string {
  return /^-?\d+$/.test(text) ? Number(text) : text;
}

/** Posts again only after a definite "not posted", so that a repair cannot double the message. */
async function post(api: BotApi, first: SendRequest, signal: AbortSignal): Promise<number> {
  let request = first;
  for (let repairs = 0; ; repairs += 1) {
    try {
      return await api.sendMessage(request, signal);
    } catch (error) {
      const repaired = repairs < MAX_REPAIRS && isApiError(error) ? repair(request, error) : undefined;
      if (repaired === undefined) throw error;
      request = repaired;
    }
  }
}

/** One each for the chat, the topic and the reply. */
const MAX_REPAIRS = 3;

/** The same message without what the server could not place; undefined when that is not the trouble. */
function repair(request: SendRequest, error: GrammyError): SendRequest | undefined {
  if (error.error_code !== 400) return undefined;
  const { migrate_to_chat_id: newChatId } = error.parameters;
  if (newChatId !== undefined) return { ...request, chatId: newChatId };
  const { threadId, ...withoutThread } = request;
  if (threadId !== undefined && error.description.includes('message thread not found')) return withoutThread;
  const { replyTo, ...withoutReply } = request;
  const isReplyGone = /message to be replied not found|replied message not found/.test(error.description);
  return replyTo !== undefined && isReplyGone ? withoutReply : undefined;
}
