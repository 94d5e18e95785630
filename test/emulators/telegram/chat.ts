import type { ShutOut, TypingInterval } from './control-contract.ts';
import type { StoredMedia } from './media-store.ts';
import { renderMedia } from './render-media.ts';
import type { WireChat, WireEntity, WireMessage, WireUser } from './wire.ts';

/** A message with everything the emulator remembers about it. */
export interface StoredMessage {
  readonly id: number;
  readonly at: number;
  readonly from: WireUser;
  readonly isFromBot: boolean;
  readonly thread: number | null;
  readonly replyTo: number | null;
  readonly media: StoredMedia | null;
  /** What the parts of an album have in common. */
  readonly mediaGroupId: string | null;
  readonly original: string;
  readonly edits: { readonly text: string; readonly at: number }[];
  /** The text, or the caption of a message with media. */
  text: string;
  entities: readonly WireEntity[];
  raw: string | null;
  parseMode: string | null;
  replyMarkup: unknown;
  reaction: unknown;
  isDeleted: boolean;
}

/** What a new message is made of. */
export type NewMessage = Pick<StoredMessage, 'from' | 'isFromBot' | 'thread' | 'replyTo' | 'text' | 'entities'> &
  Partial<Pick<StoredMessage, 'raw' | 'parseMode' | 'replyMarkup' | 'media' | 'mediaGroupId'>>;

type MutableInterval = { -readonly [Key in keyof TypingInterval]: TypingInterval[Key] };

const typingMs = 5000;
const topicColor = 7322096;

/** One chat of one bot: its messages, topics, typing and whether the bot is shut out. */
export class Chat {
  readonly messages: StoredMessage[] = [];
  readonly typing: MutableInterval[] = [];
  readonly drafts: { draftId: number; text: string; at: number }[] = [];
  readonly topics = new Map<number, WireUser>();
  info: WireChat;
  /** Why the bot may not write here; null when it may. */
  shutOut: ShutOut | null = null;
  /** The supergroup this group became. */
  migratedTo: number | null = null;
  #lastId = 0;

  constructor(info: WireChat) {
    this.info = info;
  }

  get isPrivate(): boolean {
    return this.info.type === 'private';
  }

  get isForum(): boolean {
    return this.info.is_forum === true;
  }

  /** A message that still exists. */
  find(id: number): StoredMessage | undefined {
    return this.messages.find((message) => message.id === id && !message.isDeleted);
  }

  /** Stores a message under the chat's next id and ends the bot's typing when the bot wrote it. */
  add(message: NewMessage, at: number): StoredMessage {
    const id = this.nextId(message.thread);
    const stored = {
      raw: null,
      parseMode: null,
      replyMarkup: undefined,
      media: null,
      mediaGroupId: null,
      ...message,
      id,
      at,
      original: message.text,
      edits: [],
      reaction: undefined,
      isDeleted: false,
    };
    this.messages.push(stored);
    if (message.isFromBot) this.#stopTyping(message.thread, at);
    return stored;
  }

  /** The next free id; the ids of topics are taken, because a topic is named after its first message. */
  nextId(thread: number | null): number {
    this.#lastId = Math.max(this.#lastId + 1, this.isForum && thread !== null ? thread + 1 : 0);
    while (this.topics.has(this.#lastId)) this.#lastId += 1;
    return this.#lastId;
  }

  /** Shows the action for five seconds, or prolongs it. */
  act(action: string, thread: number | null, at: number): void {
    const current = this.typing.at(-1);
    const isSame = current?.action === action && current.thread === (thread ?? undefined) && current.until >= at;
    if (current !== undefined && isSame) {
      current.until = at + typingMs;
      return;
    }
    this.typing.push({ action, from: at, until: at + typingMs, ...(thread === null ? {} : { thread }) });
  }

  /** The message as the Bot API shows it, with the message it replies to. */
  render(message: StoredMessage): WireMessage {
    const replied = message.replyTo === null ? this.#topicRoot(message) : this.#renderReplied(message.replyTo);
    return { ...this.#renderFlat(message), ...(replied === undefined ? {} : { reply_to_message: replied }) };
  }

  #renderFlat(message: StoredMessage): WireMessage {
    const lastEdit = message.edits.at(-1);
    return {
      message_id: message.id,
      from: message.from,
      chat: this.info,
      date: Math.floor(message.at / 1000),
      ...this.#renderThread(message.thread),
      ...(lastEdit === undefined ? {} : { edit_date: Math.floor(lastEdit.at / 1000) }),
      ...renderContent(message),
      ...(message.replyMarkup === undefined ? {} : { reply_markup: message.replyMarkup }),
    };
  }

  #renderThread(thread: number | null): Partial<WireMessage> {
    if (thread === null) return {};
    return this.isForum ? { message_thread_id: thread, is_topic_message: true } : { message_thread_id: thread };
  }

  #renderReplied(id: number): WireMessage | undefined {
    const replied = this.find(id);
    return replied === undefined ? undefined : this.#renderFlat(replied);
  }

  // Inside a topic every message that answers nothing else is shown as a reply to the topic's first message.
  #topicRoot(message: StoredMessage): WireMessage | undefined {
    const creator = message.thread === null ? undefined : this.topics.get(message.thread);
    if (message.thread === null || creator === undefined || !this.isForum) return undefined;
    return {
      message_id: message.thread,
      from: creator,
      chat: this.info,
      date: Math.floor(message.at / 1000),
      message_thread_id: message.thread,
      is_topic_message: true,
      forum_topic_created: { name: `Topic ${message.thread}`, icon_color: topicColor },
    };
  }

  #stopTyping(thread: number | null, at: number): void {
    const current = this.typing.findLast((interval) => interval.thread === (thread ?? undefined));
    if (current !== undefined && current.until > at) current.until = at;
  }
}

function renderContent({ text, entities, media, mediaGroupId }: StoredMessage): Partial<WireMessage> {
  const marks = entities.length === 0 ? null : entities;
  if (media === null) return { text, ...(marks === null ? {} : { entities: marks }) };
  return {
    ...renderMedia(media),
    ...(mediaGroupId === null ? {} : { media_group_id: mediaGroupId }),
    ...(text === '' ? {} : { caption: text }),
    ...(marks === null ? {} : { caption_entities: marks }),
  };
}
