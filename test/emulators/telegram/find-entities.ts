import { sortEntities } from './marked-text.ts';
import type { WireEntity } from './wire.ts';

const patterns: readonly { readonly type: string; readonly pattern: RegExp }[] = [
  { type: 'bot_command', pattern: /(?<![\w/<>])\/[a-z0-9_]{1,64}(?:@[a-z]\w{2,31})?(?![\w/])/gi },
  { type: 'url', pattern: /https?:\/\/[^\s<>"]+[^\s<>".,;:!?)\]]/gi },
  { type: 'email', pattern: /(?<![\w.@])[\w.+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}/gi },
  { type: 'mention', pattern: /(?<![\w@/.])@[a-z]\w{2,31}\b/gi },
  { type: 'hashtag', pattern: /(?<![\p{L}\p{N}_#&/])#(?=[\p{N}_]*\p{L})[\p{L}\p{N}_]{1,256}/gu },
];

/** The commands, mentions, links and tags Telegram marks by itself, outside the ranges already taken. */
export function findEntities(text: string, taken: readonly WireEntity[]): WireEntity[] {
  const found = [...taken];
  for (const { type, pattern } of patterns) {
    for (const match of text.matchAll(pattern)) {
      const entity = { type, offset: match.index, length: match[0].length };
      if (!found.some((other) => isOverlap(entity, other))) found.push(entity);
    }
  }
  return sortEntities(found);
}

function isOverlap(a: WireEntity, b: WireEntity): boolean {
  return a.offset < b.offset + b.length && b.offset < a.offset + a.length;
}
