import { ControlError } from '../core/control-body.ts';
import type { Bot } from './bot.ts';
import type { Chat, StoredMessage } from './chat.ts';
import type {
  AlbumInput,
  ChatSeed,
  ClickInput,
  EditInput,
  PostedAlbum,
  PostedMessage,
  ShutOut,
  UserMessageInput,
  UserSeed,
} from './control-contract.ts';
import { findEntities } from './find-entities.ts';
import type { StoredMedia } from './media-store.ts';
import { readUserFile } from './user-file.ts';
import type { WireEntity, WireUser } from './wire.ts';

/** A person writes into a chat; the bot is told if it may see the message. */
export function postUserMessage(bot: Bot, input: UserMessageInput, now: number): PostedMessage {
  const from = toUser(input.from);
  const seed: ChatSeed = typeof input.chat === 'number' ? { id: input.chat } : input.chat;
  const chat = bot.ensureChat(seed, from);
  if (chat.shutOut !== null && chat.isPrivate)
    throw new ControlError('the bot is shut out of this chat: unblock first');
  if (chat.migratedTo !== null) throw new ControlError(`the group became ${chat.migratedTo}: write there`);
  const replyTo = input.replyTo ?? null;
  const replied = replyTo === null ? undefined : chat.find(replyTo);
  if (replyTo !== null && replied === undefined) throw new ControlError(`no message ${replyTo} to reply to`);
  const { media, text } = readContent(bot, input);
  const message = chat.add(
    {
      from,
      isFromBot: false,
      thread: openThread(chat, input.thread, from, replied),
      replyTo,
      text,
      entities: findEntities(text, []),
      media,
      mediaGroupId: input.mediaGroupId ?? null,
    },
    now,
  );
  const isSeen = chat.shutOut === null && isVisible(bot, chat, message, replied);
  const update_id = isSeen ? bot.notify('message', chat.info.id, chat.render(message)) : null;
  return { update_id, message_id: message.id };
}

/** A person sends two to ten files at once; the bot gets one update after the other. */
export function postAlbum(bot: Bot, input: AlbumInput, now: number): PostedAlbum {
  const { files, caption, ...common } = input;
  if (files.length < 2 || files.length > 10) throw new ControlError('an album has 2 to 10 files');
  const mediaGroupId = bot.media.nextGroupId();
  const captioned = caption === undefined ? -1 : files.findIndex((file) => file.caption === undefined);
  const messages = files.map((file, index) => {
    const shown = index === captioned && caption !== undefined ? { ...file, caption } : file;
    return postUserMessage(bot, { ...common, file: shown, mediaGroupId }, now);
  });
  return { mediaGroupId, messages };
}

/** A person changes an own text or caption. */
export function editUserMessage(bot: Bot, input: EditInput, now: number): PostedMessage {
  const chat = requireChat(bot, input.chat);
  const message = chat.find(input.message_id);
  if (message === undefined || message.isFromBot) throw new ControlError(`no message ${input.message_id} of a person`);
  message.text = input.text;
  message.entities = findEntities(input.text, []);
  message.edits.push({ text: input.text, at: now });
  const replied = message.replyTo === null ? undefined : chat.find(message.replyTo);
  const isSeen = isVisible(bot, chat, message, replied);
  const update_id = isSeen ? bot.notify('edited_message', chat.info.id, chat.render(message)) : null;
  return { update_id, message_id: message.id };
}

/** A person presses an inline button under a bot message. */
export function clickButton(bot: Bot, input: ClickInput, now: number): { update_id: number | null; id: string } {
  const chat = requireChat(bot, input.chat);
  const message = chat.find(input.message_id);
  if (message === undefined || !message.isFromBot) throw new ControlError(`no bot message ${input.message_id}`);
  const id = `${now}${bot.callbacks.size}${input.message_id}`;
  bot.callbacks.add(id);
  const query = {
    id,
    from: toUser(input.from),
    message: chat.render(message),
    chat_instance: String(chat.info.id),
    data: input.data,
  };
  return { update_id: bot.notify('callback_query', chat.info.id, query), id };
}

/** Shuts the bot out of a chat or lets it in again, and tells the bot as Telegram does. */
export function shutOut(bot: Bot, chat: Chat, reason: ShutOut | null, now: number): void {
  const statusOf = (state: ShutOut | null): string => (state === null ? 'member' : 'kicked');
  const before = statusOf(chat.shutOut);
  chat.shutOut = reason;
  if (before === statusOf(reason) || reason === 'deactivated') return;
  bot.notify('my_chat_member', chat.info.id, {
    chat: chat.info,
    from: chat.messages.findLast(({ isFromBot }) => !isFromBot)?.from ?? toUser(chat.info.id),
    date: Math.floor(now / 1000),
    old_chat_member: { user: bot.identity.user, status: before },
    new_chat_member: { user: bot.identity.user, status: statusOf(reason) },
  });
}

/** Turns a group into a supergroup: the old id stops working and names the new one. */
export function migrateGroup(bot: Bot, id: number, to: number, now: number): void {
  const old = requireChat(bot, id);
  if (old.info.type !== 'group') throw new ControlError('only a group can be upgraded');
  const title = old.info.title;
  const next = bot.ensureChat({ id: to, type: 'supergroup', ...(title === undefined ? {} : { title }) }, null);
  old.migratedTo = to;
  const service = { message_id: old.nextId(null), date: Math.floor(now / 1000), from: toUser(1087968824) };
  bot.notify('message', id, { ...service, chat: old.info, migrate_to_chat_id: to });
  bot.notify('message', to, { ...service, message_id: next.nextId(null), chat: next.info, migrate_from_chat_id: id });
}

/** The chat a control call names. */
export function requireChat(bot: Bot, id: number): Chat {
  const chat = bot.chats.get(id);
  if (chat === undefined) throw new ControlError(`no chat ${id}`);
  return chat;
}

function readContent(bot: Bot, input: UserMessageInput): { media: StoredMedia | null; text: string } {
  const { file, text } = input;
  if (file === undefined) {
    if (input.mediaGroupId !== undefined) throw new ControlError('only a file can be part of an album');
    return { media: null, text: text ?? '' };
  }
  if (text !== undefined && file.caption !== undefined) throw new ControlError('give text or file.caption, not both');
  return { media: bot.media.add(readUserFile(file)), text: file.caption ?? text ?? '' };
}

function toUser(seed: UserSeed | number): WireUser {
  const person: UserSeed = typeof seed === 'number' ? { id: seed } : seed;
  const { id, first_name, username } = person;
  return { id, is_bot: false, first_name: first_name ?? `User ${id}`, ...(username === undefined ? {} : { username }) };
}

// A forum opens the topic on its first message; elsewhere a chain of replies carries the id of its first message.
function openThread(
  chat: Chat,
  thread: number | undefined,
  from: WireUser,
  replied: StoredMessage | undefined,
): number | null {
  if (chat.isForum) {
    if (thread !== undefined && !chat.topics.has(thread)) chat.topics.set(thread, from);
    return thread ?? replied?.thread ?? null;
  }
  if (thread !== undefined) throw new ControlError('only a forum has topics');
  if (chat.info.type !== 'supergroup' || replied === undefined) return null;
  return replied.thread ?? replied.id;
}

function isVisible(bot: Bot, chat: Chat, message: StoredMessage, replied: StoredMessage | undefined): boolean {
  if (chat.isPrivate || !bot.identity.privacy || replied?.isFromBot === true) return true;
  return message.entities.some((entity) => isForBot(bot, message.text, entity));
}

function isForBot(bot: Bot, text: string, { type, offset, length }: WireEntity): boolean {
  const name = `@${bot.identity.user.username ?? ''}`.toLowerCase();
  const marked = text.slice(offset, offset + length).toLowerCase();
  if (type === 'mention') return marked === name;
  return type === 'bot_command' && (!marked.includes('@') || marked.endsWith(name));
}
