import { badRequest } from '../api-error.ts';
import type { MethodContext } from './context.ts';
import { findChat, findThread, findWritableChat } from './find-chat.ts';

const actions = [
  'typing',
  'upload_photo',
  'record_video',
  'upload_video',
  'record_voice',
  'upload_voice',
  'upload_document',
  'choose_sticker',
  'find_location',
  'record_video_note',
  'upload_video_note',
];
const maxAnswerLength = 200;

/** `getMe`. */
export function getMe({ bot }: MethodContext): object {
  return {
    ...bot.identity.user,
    can_join_groups: true,
    can_read_all_group_messages: !bot.identity.privacy,
    supports_inline_queries: false,
    can_connect_to_business: false,
    has_main_web_app: false,
  };
}

/** `sendChatAction`. */
export function sendChatAction({ bot, params, clock }: MethodContext): true {
  const action = params.text('action').toLowerCase();
  if (!actions.includes(action)) throw badRequest('wrong parameter action in request');
  const chat = findWritableChat(bot, params);
  chat.act(action, findThread(chat, params), clock.now());
  return true;
}

/** `getChat`. */
export function getChat({ bot, params }: MethodContext): object {
  const chat = findChat(bot, params);
  return { ...chat.info, accent_color_id: 0, max_reaction_count: 11 };
}

/** `getChatMember`: everybody who has written is a member; the bot is one until it is shut out. */
export function getChatMember({ bot, params }: MethodContext): object {
  const chat = findChat(bot, params);
  const userId = params.integer('user_id', 0);
  if (userId === bot.identity.user.id) {
    return { status: chat.shutOut !== null ? 'left' : 'member', user: bot.identity.user };
  }
  const known = chat.messages.find((message) => message.from.id === userId);
  if (known === undefined) throw badRequest('user not found');
  return { status: 'member', user: known.from };
}

/** `setMyCommands`. */
export function setMyCommands({ bot, params }: MethodContext): true {
  const commands = params.json('commands');
  if (!Array.isArray(commands)) throw badRequest("can't parse commands: expected an Array");
  if (commands.length > 100) throw badRequest('BOT_COMMANDS_TOO_MUCH');
  for (const { command, description } of commands) {
    if (typeof command !== 'string' || !/^\/?[a-z0-9_]{1,32}$/.test(command)) throw badRequest('BOT_COMMAND_INVALID');
    if (typeof description !== 'string' || description === '' || description.length > 256) {
      throw badRequest('BOT_COMMAND_DESCRIPTION_INVALID');
    }
  }
  bot.commands = commands;
  return true;
}

/** `deleteMyCommands`. */
export function deleteMyCommands({ bot }: MethodContext): true {
  bot.commands = [];
  return true;
}

/** `getMyCommands`. */
export function getMyCommands({ bot }: MethodContext): unknown {
  return bot.commands;
}

/** `answerCallbackQuery`: each press can be answered once. */
export function answerCallbackQuery({ bot, params }: MethodContext): true {
  if (params.text('text').length > maxAnswerLength) throw badRequest('MESSAGE_TOO_LONG');
  if (!bot.callbacks.delete(params.text('callback_query_id'))) {
    throw badRequest('query is too old and response timeout expired or query ID is invalid');
  }
  return true;
}
