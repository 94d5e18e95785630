import type { Message, Update } from 'grammy/types';
import type { InboundFile, InboundMessage, Peer } from '../plugin.ts';
import { readChatMove } from './chat-move.ts';
import { readFiles } from './files.ts';
import { type BotIdentity, isAddressedTo, isNamed, readText, stripLeadingMention } from './mention.ts';

/**
 * A platform update in our terms; undefined when it is none of our business: channel posts, service messages, our own. Who is
 * heard, and whether what speaks to others is answered, is decided later.
 */
export function normaliseUpdate(accountId: string, bot: BotIdentity, update: Update): InboundMessage | undefined {
  const move = readChatMove(accountId, update);
  if (move !== undefined) return move;
  const message = update.message ?? update.edited_message;
  if (message === undefined || message.from?.id === bot.id) return undefined;
  const peer = readPeer(message);
  if (peer === undefined) return undefined;
  const files = readFiles(message);
  const text = readText(message) === '' ? describeSilent(message, files) : stripLeadingMention(bot, message);
  if (text === undefined) return undefined;
  const senderName = readSenderName(message);
  return {
    accountId,
    peer,
    senderId: String(message.sender_chat?.id ?? message.from?.id ?? message.chat.id),
    ...(senderName === undefined ? {} : { senderName }),
    ...(isFromBot(message) ? { isFromBot: true as const } : {}),
    text,
    ...(files.length === 0 ? {} : { files }),
    // Sessions may hold several chats, and what the platform promises of these ids is for one chat.
    ...(message.media_group_id === undefined
      ? {}
      : { albumId: [accountId, message.chat.id, message.media_group_id].join('/') }),
    isAddressed: peer.kind === 'direct' || (isFromBot(message) ? isNamed(bot, message) : isAddressedTo(bot, message)),
    ...(update.message === undefined ? { isEdit: true as const } : {}),
    dedupeKey: `update:${update.update_id}`,
    messageId: String(message.message_id),
    sentAt: (message.edit_date ?? message.date) * 1_000,
  };
}

/** Who writes for a chat, such as an anonymous admin, comes with a bot of the platform as its author. */
function isFromBot(message: Message): boolean {
  return message.from?.is_bot === true && message.sender_chat === undefined;
}

function readPeer(message: Message): Peer | undefined {
  const { chat } = message;
  if (chat.type === 'channel') return undefined;
  const kind = chat.type === 'private' ? 'direct' : 'group';
  // In groups without topics the thread id is only a reply chain and must not split the conversation.
  if (message.is_topic_message !== true || message.message_thread_id === undefined)
    return { kind, id: String(chat.id) };
  return { kind, id: String(chat.id), threadId: String(message.message_thread_id) };
}

/** What stands for a message without words; files tell for themselves. Undefined for service messages. */
function describeSilent(message: Message, files: readonly InboundFile[]): string | undefined {
  if (files.length > 0) return '';
  const kind = MEDIA_KINDS.find((field) => message[field] !== undefined);
  return kind === undefined ? undefined : `[${kind}]`;
}

/** A venue also comes as a location: the telling name is first. */
const MEDIA_KINDS = ['venue', 'location', 'contact', 'poll', 'dice', 'story'] as const;

function readSenderName(message: Message): string | undefined {
  const { sender_chat: sender, from } = message;
  if (sender !== undefined) return sender.title;
  if (from === undefined) return undefined;
  return from.last_name === undefined ? from.first_name : `${from.first_name} ${from.last_name}`;
}
