import { ApiError, badRequest } from '../api-error.ts';
import type { Bot } from '../bot.ts';
import type { Chat } from '../chat.ts';
import type { Params } from '../params.ts';

/** The chat of `chat_id`, by number or public name. */
export function findChat(bot: Bot, params: Params): Chat {
  const id = params.text('chat_id').trim();
  if (id === '') throw badRequest('chat_id is empty');
  const chat = id.startsWith('@') ? findByName(bot, id.slice(1)) : bot.chats.get(Number(id));
  if (chat === undefined) throw badRequest('chat not found');
  return chat;
}

/** The chat of `chat_id`, provided the bot may write there. */
export function findWritableChat(bot: Bot, params: Params): Chat {
  const chat = findChat(bot, params);
  if (chat.migratedTo !== null) {
    const text = 'Bad Request: group chat was upgraded to a supergroup chat';
    throw new ApiError(400, text, { migrate_to_chat_id: chat.migratedTo });
  }
  switch (chat.shutOut) {
    case null:
      return chat;
    case 'deactivated':
      throw new ApiError(403, 'Forbidden: user is deactivated');
    case 'blocked': {
      const reason = chat.isPrivate ? 'blocked by the user' : `kicked from the ${chat.info.type} chat`;
      throw new ApiError(403, `Forbidden: bot was ${reason}`);
    }
  }
}

/** The topic of `message_thread_id`; null when none was given. */
export function findThread(chat: Chat, params: Params): number | null {
  const thread = params.integer('message_thread_id', 0);
  if (thread === 0) return null;
  // The general topic has no id of its own on the wire: naming it, as 1, is an error.
  const exists = chat.isForum ? chat.topics.has(thread) : !chat.isPrivate && chat.find(thread) !== undefined;
  if (!exists) throw badRequest('message thread not found');
  return thread;
}

/** The message to reply to; null when none was named, or it is gone and that is allowed. */
export function findReplied(chat: Chat, params: Params): number | null {
  const reply = params.object('reply_parameters');
  const id = reply === undefined ? params.integer('reply_to_message_id', 0) : Number(reply['message_id'] ?? 0);
  if (id === 0) return null;
  if (chat.find(id) !== undefined) return id;
  const isOptional =
    reply === undefined ? params.flag('allow_sending_without_reply') : reply['allow_sending_without_reply'] === true;
  if (isOptional) return null;
  throw badRequest('message to be replied not found');
}

function findByName(bot: Bot, name: string): Chat | undefined {
  const wanted = name.toLowerCase();
  const chats = [...bot.chats.values()];
  return chats.find((chat) => !chat.isPrivate && chat.info.username?.toLowerCase() === wanted);
}
