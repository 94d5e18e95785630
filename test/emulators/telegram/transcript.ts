import type { Chat, StoredMessage } from './chat.ts';
import type { Transcript, TranscriptFile, TranscriptMessage } from './control-contract.ts';
import type { StoredMedia } from './media-store.ts';

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
    ...(message.media === null ? {} : { file: renderFile(message.media) }),
    ...(message.mediaGroupId === null ? {} : { mediaGroupId: message.mediaGroupId }),
    ...(message.raw === null ? {} : { raw: message.raw }),
    ...(message.parseMode === null ? {} : { parseMode: message.parseMode }),
    ...(message.thread === null ? {} : { thread: message.thread }),
    ...(message.replyTo === null ? {} : { replyTo: message.replyTo }),
    ...(message.replyMarkup === undefined ? {} : { replyMarkup: message.replyMarkup }),
    ...(message.reaction === undefined ? {} : { reaction: message.reaction }),
    ...(message.isDeleted ? { deleted: true as const } : {}),
  };
}

function renderFile({ kind, main }: StoredMedia): TranscriptFile {
  const { name, size, sha256 } = main;
  return { kind, name, sizeBytes: size, ...(sha256 === null ? {} : { sha256 }) };
}
