/** A user or bot as the Bot API shows it. */
export interface WireUser {
  readonly id: number;
  readonly is_bot: boolean;
  readonly first_name: string;
  readonly username?: string;
}

/** The kinds of chat the emulator knows. */
export type ChatType = 'private' | 'group' | 'supergroup';

/** A chat as it appears inside a message. */
export interface WireChat {
  readonly id: number;
  readonly type: ChatType;
  readonly title?: string;
  readonly username?: string;
  readonly first_name?: string;
  readonly is_forum?: true;
}

/** A marked range of a text; offset and length count UTF-16 units. */
export interface WireEntity {
  readonly type: string;
  readonly offset: number;
  readonly length: number;
  readonly url?: string;
  readonly language?: string;
  readonly user?: WireUser;
}

/** A file as the Bot API shows it; which optional fields there are depends on its kind. */
export interface WireFile {
  readonly file_id: string;
  readonly file_unique_id: string;
  readonly file_size: number;
  readonly file_name?: string;
  readonly mime_type?: string;
  readonly width?: number;
  readonly height?: number;
  readonly duration?: number;
  readonly performer?: string;
  readonly title?: string;
}

/** A message as the Bot API shows it. */
export interface WireMessage {
  readonly message_id: number;
  readonly date: number;
  readonly chat: WireChat;
  readonly from: WireUser;
  readonly message_thread_id?: number;
  readonly is_topic_message?: true;
  readonly reply_to_message?: WireMessage;
  readonly forum_topic_created?: { readonly name: string; readonly icon_color: number };
  readonly migrate_to_chat_id?: number;
  readonly migrate_from_chat_id?: number;
  readonly edit_date?: number;
  readonly text?: string;
  readonly entities?: readonly WireEntity[];
  readonly caption?: string;
  readonly caption_entities?: readonly WireEntity[];
  readonly media_group_id?: string;
  /** All sizes, the largest last. */
  readonly photo?: readonly WireFile[];
  readonly document?: WireFile;
  readonly voice?: WireFile;
  readonly audio?: WireFile;
  readonly video?: WireFile;
  readonly animation?: WireFile;
  readonly reply_markup?: unknown;
}

/** The update kinds the emulator produces. */
export type UpdateKind = 'message' | 'edited_message' | 'callback_query' | 'my_chat_member';
