import { badRequest } from './api-error.ts';
import type { WireEntity } from './wire.ts';

/** A text without markup and the ranges the markup stood for. */
export interface MarkedText {
  readonly text: string;
  readonly entities: readonly WireEntity[];
}

/** The answer for markup that cannot be read. */
export function cannotParse(reason: string): Error {
  return badRequest(`can't parse entities: ${reason}`);
}

/** The UTF-8 byte offset of a UTF-16 index: Telegram counts bytes of the text as it was sent. */
export function byteOffset(source: string, index: number): number {
  return Buffer.byteLength(source.slice(0, index));
}

/** Orders entities as Telegram does: by start, longer ones first. */
export function sortEntities(entities: readonly WireEntity[]): WireEntity[] {
  return [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length);
}

/** The entity of a link: a mention of a user by id, or a text link; null when the address is no link. */
export function linkEntity(url: string, offset: number, length: number): WireEntity | null {
  const id = /^tg:\/\/user\?id=(\d+)$/i.exec(url)?.[1];
  if (id !== undefined) {
    return { type: 'text_mention', offset, length, user: { id: Number(id), is_bot: false, first_name: `User ${id}` } };
  }
  const isBare = /^[\w-]+(\.[\w-]+)+(\/|$|\?|#|:)/.test(url);
  const full = isBare ? `http://${url}` : url;
  if (!/^(https?|tg|ton|ftp):\/\/\S+/i.test(full)) return null;
  return { type: 'text_link', offset, length, url: URL.canParse(full) ? new URL(full).href : full };
}
