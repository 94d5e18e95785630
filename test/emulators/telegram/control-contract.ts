import type { CallRecord } from '../core/journal.ts';
import type { MediaKind } from './media-kinds.ts';
import type { ChatType } from './wire.ts';

/** A bot to register; `privacy` (default true) hides ordinary group messages from it. */
export interface BotSeed {
  readonly token: string;
  readonly username: string;
  readonly id?: number;
  readonly privacy?: boolean;
}

/** A chat named in a control call; a bare number means its default kind. */
export interface ChatSeed {
  readonly id: number;
  readonly type?: ChatType;
  readonly title?: string;
  readonly username?: string;
  readonly isForum?: boolean;
}

/** A person named in a control call. */
export interface UserSeed {
  readonly id: number;
  readonly first_name?: string;
  readonly username?: string;
}

/**
 * A file a person sends. Without content its bytes are made up when the bot downloads it, so that a large one costs
 * nothing; `sizeBytes` is then its size (default 1000).
 */
export interface UserFile {
  readonly kind: MediaKind;
  readonly name?: string;
  readonly mimeType?: string;
  readonly sizeBytes?: number;
  readonly contentBase64?: string;
  readonly caption?: string;
}

/** Something a person writes to the bot: a text, a file, or a file with the text as its caption. */
export interface UserMessageInput {
  readonly token: string;
  readonly chat: ChatSeed | number;
  readonly from: UserSeed | number;
  readonly text?: string;
  readonly file?: UserFile;
  /** Makes the message a part of an album; only with a file. */
  readonly mediaGroupId?: string;
  readonly thread?: number;
  readonly replyTo?: number;
}

/** Several files a person sends at once; the caption goes to the first one that has none of its own. */
export interface AlbumInput {
  readonly token: string;
  readonly chat: ChatSeed | number;
  readonly from: UserSeed | number;
  readonly files: readonly UserFile[];
  readonly caption?: string;
  readonly thread?: number;
  readonly replyTo?: number;
}

/** What an album became, in order. */
export interface PostedAlbum {
  readonly mediaGroupId: string;
  readonly messages: readonly PostedMessage[];
}

/** What a user message became; `update_id` is null when the bot may not see it. */
export interface PostedMessage {
  readonly update_id: number | null;
  readonly message_id: number;
}

/** A person's later change of an own text or caption. */
export interface EditInput {
  readonly token: string;
  readonly chat: number;
  readonly message_id: number;
  readonly text: string;
}

/** A person's press on an inline button under a bot message. */
export interface ClickInput {
  readonly token: string;
  readonly chat: number;
  readonly from: UserSeed | number;
  readonly message_id: number;
  readonly data: string;
}

/** Why a bot cannot write to a chat: the person blocked it (or the group threw it out), or the account is gone. */
export type ShutOut = 'blocked' | 'deactivated';

/** The file of a message; `sha256` (hex) is missing when nobody has given its bytes. */
export interface TranscriptFile {
  readonly kind: MediaKind;
  readonly name: string;
  readonly sizeBytes: number;
  readonly sha256?: string;
}

/** One message as a person in the chat sees it; times are emulator-clock milliseconds. */
export interface TranscriptMessage {
  readonly message_id: number;
  readonly from: 'bot' | 'user';
  readonly userId: number;
  /** The visible text or caption after every edit, without markup. */
  readonly text: string;
  readonly file?: TranscriptFile;
  readonly mediaGroupId?: string;
  /** The text as the bot sent it; only for bot messages. */
  readonly raw?: string;
  readonly parseMode?: string;
  readonly thread?: number;
  readonly replyTo?: number;
  readonly at: number;
  /** Every later text, oldest first. */
  readonly edits: readonly { readonly text: string; readonly at: number }[];
  /** The text before the first edit. */
  readonly original: string;
  readonly replyMarkup?: unknown;
  readonly reaction?: unknown;
  readonly deleted?: true;
}

/** A time during which a person saw the bot typing. */
export interface TypingInterval {
  readonly action: string;
  readonly from: number;
  readonly until: number;
  readonly thread?: number;
}

/** What a person in the chat has seen, in order. */
export interface Transcript {
  readonly messages: readonly TranscriptMessage[];
  readonly typing: readonly TypingInterval[];
  readonly drafts: readonly { readonly draftId: number; readonly text: string; readonly at: number }[];
}

/** One journal entry of the Telegram emulator. */
export interface TelegramCall extends CallRecord {
  readonly token: string;
  /** The method's usual spelling, or what was asked for when it is unknown; `file` for a download. */
  readonly method: string;
  /** For a download only its `file_path`. */
  readonly params: Readonly<Record<string, unknown>>;
  /** The uploaded files. */
  readonly files?: readonly { readonly field: string; readonly name: string; readonly sizeBytes: number }[];
  /**
   * For getUpdates: polls of this token in flight when the call began, itself included; more than 1 is an overlap. A
   * call that arrives while another is open begins up to 50 ms later, so that a hang-up under way is not taken for one.
   */
  readonly pollsInFlight?: number;
  /** For getUpdates: the updates in the answer. */
  readonly updateIds?: readonly number[];
  /** For sends: the message that was created, of an album the first one. */
  readonly messageId?: number;
  /** For albums: every message. */
  readonly messageIds?: readonly number[];
}

/** One attempt to deliver an update to a webhook. */
export interface WebhookDelivery {
  readonly update_id: number;
  readonly at: number;
  readonly finishedAt: number;
  /** The HTTP status, or why there was none. */
  readonly outcome: number | string;
}

/** Flood limits; a field left out is not limited. Counts run over sliding windows of the emulator clock. */
export interface FloodLimits {
  readonly perChatPerSecond?: number;
  readonly perGroupPerMinute?: number;
  readonly globalPerSecond?: number;
}
