import type { Chat, StoredMessage } from './chat.ts';
import type { Transcript, TranscriptMessage } from './control-contract.ts';

/** What a person in the chat has seen so far. */
export function renderTranscript(chat: Chat): Transcript {
  return { messages: chat.messages.map(renderMessage), typing: chat.typing, drafts: chat.drafts };
}

function renderMessage(message: StoredMessage): TranscriptMessage {
  return {
    message_id: message.id,
    from: message.isFromBot ? 'bot' : 'user',
    userId: message.from.id,
    text: message.text,
    original: message.original,
    at: message.at,
    edits: message.edits,
    ...(message.raw === null ? {} : { raw: message.raw }),
    ...(message.parseMode === null ? {} : { parseMode: message.parseMode }),
    ...(message.thread === null ? {} : { thread: message.thread }),
    ...(message.replyTo === null ? {} : { replyTo: message.replyTo }),
    ...(message.replyMarkup === undefined ? {} : { replyMarkup: message.replyMarkup }),
    ...(message.reaction === undefined ? {} : { reaction: message.reaction }),
    ...(message.isDeleted ? { deleted: true as const } : {}),
  };
}
