import type { CallRecord } from '../core/journal.ts';
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

/** Something a person writes to the bot. */
export interface UserMessageInput {
  readonly token: string;
  readonly chat: ChatSeed | number;
  readonly from: UserSeed | number;
  readonly text: string;
  readonly thread?: number;
  readonly replyTo?: number;
}

/** What a user message became; `update_id` is null when the bot may not see it. */
export interface PostedMessage {
  readonly update_id: number | null;
  readonly message_id: number;
}

/** A person's later change of an own message. */
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

/** One message as a person in the chat sees it; times are emulator-clock milliseconds. */
export interface TranscriptMessage {
  readonly message_id: number;
  readonly from: 'bot' | 'user';
  readonly userId: number;
  /** The visible text after every edit, without markup. */
  readonly text: string;
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
  /** The method's usual spelling, or what was asked for when it is unknown. */
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  /**
   * For getUpdates: polls of this token in flight when the call began, itself included; more than 1 is an overlap. A
   * call that arrives while another is open begins up to 50 ms later, so that a hang-up under way is not taken for one.
   */
  readonly pollsInFlight?: number;
  /** For getUpdates: the updates in the answer. */
  readonly updateIds?: readonly number[];
  /** For sends: the message that was created. */
  readonly messageId?: number;
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
