import type { Message, MessageEntity } from 'grammy/types';

/** Who the bot is, for telling whether a message is meant for it. */
export type BotIdentity = { id: number; username: string };

/** True when a group message speaks to the bot: a mention, a command with its name, or a reply to one of its messages. */
export function isAddressedTo(bot: BotIdentity, message: Message): boolean {
  return isReplyTo(bot, message) || isNamed(bot, message);
}

/** True when a message names the bot, by a mention or a command with its name. */
export function isNamed(bot: BotIdentity, message: Message): boolean {
  return readEntities(message).some((entity) => namesBot(bot, readText(message), entity));
}

/** The text without the bot's name at its start: `@bot hello` → `hello`, `/new@bot` → `/new`. */
export function stripLeadingMention(bot: BotIdentity, message: Message): string {
  const text = readText(message);
  const first = readEntities(message).find((entity) => entity.offset === 0);
  if (first === undefined || !namesBot(bot, text, first)) return text;
  const rest = text.slice(first.length);
  if (first.type === 'bot_command') return text.slice(0, text.indexOf('@')) + rest;
  // A mention alone is still a message to the bot; empty text would not be one.
  return rest.replace(/^[\s,:，：]+/, '') || text;
}

/** The text of a message, or the caption of what it carries. */
export function readText(message: Message): string {
  return message.text ?? message.caption ?? '';
}

function readEntities(message: Message): readonly MessageEntity[] {
  return message.entities ?? message.caption_entities ?? [];
}

function isReplyTo(bot: BotIdentity, message: Message): boolean {
  const original = message.reply_to_message;
  // Everything in a topic is formally a reply to the message that created it, and the creator may be the bot.
  return original?.from?.id === bot.id && original.forum_topic_created === undefined;
}

/** Entity offsets and lengths are UTF-16 units, as JavaScript strings are. */
function namesBot(bot: BotIdentity, text: string, entity: MessageEntity): boolean {
  const named = text.slice(entity.offset, entity.offset + entity.length).toLowerCase();
  const name = `@${bot.username.toLowerCase()}`;
  switch (entity.type) {
    case 'mention':
      return named === name;
    case 'text_mention':
      return entity.user.id === bot.id;
    case 'bot_command':
      return named.endsWith(name);
    default:
      return false;
  }
}
