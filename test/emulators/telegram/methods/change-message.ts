import { isDeepStrictEqual } from 'node:util';
import { badRequest } from '../api-error.ts';
import type { Chat, StoredMessage } from '../chat.ts';
import type { Params } from '../params.ts';
import { type BotText, checkCaption, checkText, readCaption, readText } from '../read-text.ts';
import type { WireEntity } from '../wire.ts';
import type { MethodContext } from './context.ts';
import { findChat, findWritableChat } from './find-chat.ts';

const notModified =
  'message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message';
const deletableMs = 48 * 3_600_000;

/** `editMessageText` of an own message; an unchanged one is an error. */
export function editMessageText(context: MethodContext): unknown {
  const content = readText(context.params);
  return changeText(context, content, (message) => {
    if (message.media !== null) throw badRequest('there is no text in the message to edit');
    return checkText(content);
  });
}

/** `editMessageCaption` of an own message with media; an empty caption takes it away. */
export function editMessageCaption(context: MethodContext): unknown {
  const content = readCaption(context.params);
  return changeText(context, content, (message) => {
    if (message.media === null) throw badRequest('there is no caption in the message to edit');
    return checkCaption(content);
  });
}

/** `editMessageReplyMarkup` of an own message. */
export function editMessageReplyMarkup({ bot, params, notes }: MethodContext): unknown {
  const replyMarkup = params.object('reply_markup');
  const chat = findWritableChat(bot, params);
  const message = findOwn(chat, params, 'edit');
  if (isDeepStrictEqual(message.replyMarkup, replyMarkup)) throw badRequest(notModified);
  message.replyMarkup = replyMarkup;
  notes.messageId = message.id;
  return chat.render(message);
}

/** `deleteMessage`: own messages of the last 48 hours, and a person's in a private chat. */
export function deleteMessage({ bot, params, clock, notes }: MethodContext): true {
  const chat = findChat(bot, params);
  const message = findMessage(chat, params, 'delete');
  const mayDelete = message.isFromBot || chat.isPrivate;
  if (!mayDelete || clock.now() - message.at > deletableMs) throw badRequest("message can't be deleted");
  message.isDeleted = true;
  notes.messageId = message.id;
  return true;
}

/** `setMessageReaction` on any message of the chat. */
export function setMessageReaction({ bot, params }: MethodContext): true {
  const chat = findWritableChat(bot, params);
  const message = findMessage(chat, params, 'react');
  message.reaction = params.json('reaction');
  return true;
}

function changeText(
  { bot, params, clock, notes }: MethodContext,
  content: BotText,
  check: (message: StoredMessage) => WireEntity[],
): unknown {
  const replyMarkup = params.object('reply_markup');
  const chat = findWritableChat(bot, params);
  const message = findOwn(chat, params, 'edit');
  const entities = check(message);
  const isSame =
    message.text === content.text &&
    isDeepStrictEqual(message.entities, entities) &&
    isDeepStrictEqual(message.replyMarkup, replyMarkup);
  if (isSame) throw badRequest(notModified);
  bot.flood.pass(chat);
  message.text = content.text;
  message.entities = entities;
  message.raw = content.raw;
  message.parseMode = content.parseMode;
  message.replyMarkup = replyMarkup;
  message.edits.push({ text: content.text, at: clock.now() });
  notes.messageId = message.id;
  return chat.render(message);
}

function findOwn(chat: Chat, params: Params, verb: string): StoredMessage {
  const message = findMessage(chat, params, verb);
  if (!message.isFromBot) throw badRequest("message can't be edited");
  return message;
}

function findMessage(chat: Chat, params: Params, verb: string): StoredMessage {
  const id = params.integer('message_id', 0);
  if (id === 0) throw badRequest('message identifier is not specified');
  const message = chat.find(id);
  if (message === undefined) throw badRequest(`message to ${verb} not found`);
  return message;
}
