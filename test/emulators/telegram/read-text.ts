import { isJsonObject } from '../core/json.ts';
import { badRequest } from './api-error.ts';
import { findEntities } from './find-entities.ts';
import type { MarkedText } from './marked-text.ts';
import type { Params } from './params.ts';
import { parseHtml } from './parse-html.ts';
import { parseLegacyMarkdown } from './parse-legacy-markdown.ts';
import { parseMarkdownV2 } from './parse-markdown.ts';
import type { WireEntity } from './wire.ts';

const maxTextLength = 4096;
const maxCaptionLength = 1024;

/** A bot's text after its markup was read. */
export interface BotText extends MarkedText {
  readonly raw: string;
  readonly parseMode: string | null;
}

/** Reads `text` with `parse_mode` or `entities`; the markup is judged before anything else about the call. */
export function readText(params: Params): BotText {
  const raw = params.text('text');
  if (raw === '') throw badRequest('message text is empty');
  return readMarked(raw, params, 'entities');
}

/** Reads `caption` with `parse_mode` or `caption_entities`; a caption may be empty. */
export function readCaption(params: Params): BotText {
  return readMarked(params.text('caption'), params, 'caption_entities');
}

/** Checks what only the finished text shows: that something is visible and that it is not too long. */
export function checkText({ text, entities }: MarkedText): WireEntity[] {
  if (text === '') throw badRequest('text must be non-empty');
  if (Array.from(text).length > maxTextLength) throw badRequest('message is too long');
  return findEntities(text, entities);
}

/** Checks that a finished caption is not too long. */
export function checkCaption({ text, entities }: MarkedText): WireEntity[] {
  if (Array.from(text).length > maxCaptionLength) throw badRequest('message caption is too long');
  return findEntities(text, entities);
}

function readMarked(raw: string, params: Params, entitiesName: string): BotText {
  const parseMode = params.text('parse_mode');
  const marked = parse(raw, parseMode, () => readEntities(params, entitiesName));
  return { ...trim(marked), raw, parseMode: parseMode === '' ? null : parseMode };
}

function parse(raw: string, parseMode: string, listEntities: () => WireEntity[]): MarkedText {
  switch (parseMode.toLowerCase()) {
    case '':
    case 'none':
      return { text: raw, entities: listEntities() };
    case 'html':
      return parseHtml(raw);
    case 'markdownv2':
      return parseMarkdownV2(raw);
    case 'markdown':
      return parseLegacyMarkdown(raw);
    default:
      throw badRequest('unsupported parse_mode');
  }
}

function readEntities(params: Params, name: string): WireEntity[] {
  const value = params.json(name);
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw badRequest("can't parse message entities: expected an Array");
  return value.map(toEntity);
}

function toEntity(value: unknown): WireEntity {
  if (!isJsonObject(value)) throw badRequest("can't parse MessageEntity: expected an Object");
  const { type, offset, length, url, language } = value;
  if (typeof type !== 'string' || typeof offset !== 'number' || typeof length !== 'number') {
    throw badRequest("can't parse MessageEntity: type, offset and length are required");
  }
  return {
    type,
    offset,
    length,
    ...(typeof url === 'string' ? { url } : {}),
    ...(typeof language === 'string' ? { language } : {}),
  };
}

// Telegram shows no blank space around a message; the entities move and shrink with it.
function trim({ text, entities }: MarkedText): MarkedText {
  const lead = text.length - text.trimStart().length;
  const trimmed = text.trim();
  const moved = entities.map((entity) => {
    const start = Math.max(0, entity.offset - lead);
    const end = Math.min(trimmed.length, entity.offset + entity.length - lead);
    return { ...entity, offset: start, length: end - start };
  });
  return { text: trimmed, entities: moved.filter((entity) => entity.length > 0) };
}
