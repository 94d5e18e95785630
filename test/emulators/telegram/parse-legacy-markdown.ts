import { byteOffset, cannotParse, linkEntity, type MarkedText } from './marked-text.ts';
import type { WireEntity } from './wire.ts';

/** Reads the old `Markdown` mode: no nesting, and an entity without end is an error. */
export function parseLegacyMarkdown(source: string): MarkedText {
  const entities: WireEntity[] = [];
  let text = '';
  let at = 0;
  while (at < source.length) {
    const next = source.charAt(at);
    if (/^\\[_*`[]/.test(source.slice(at, at + 2))) {
      text += source.charAt(at + 1);
      at += 2;
      continue;
    }
    if (!'_*`['.includes(next)) {
      text += next;
      at += 1;
      continue;
    }
    const span = readSpan(source, at);
    const entity = toEntity(span, text.length);
    text += span.content;
    at = span.next;
    if (entity !== null && entity.length > 0) entities.push(entity);
  }
  return { text, entities };
}

interface Span {
  readonly mark: string;
  readonly content: string;
  readonly argument: string | null;
  readonly next: number;
}

function readSpan(source: string, begin: number): Span {
  const isPre = source.startsWith('```', begin);
  const mark = isPre ? '```' : source.charAt(begin);
  const endMark = mark === '[' ? ']' : mark;
  const head = isPre ? /^```(?:([^\s`]+)(?=\s))?(?:\r\n|\n)?/.exec(source.slice(begin)) : null;
  const from = begin + (head?.[0].length ?? mark.length);
  const end = source.indexOf(endMark, from);
  if (end < 0) {
    throw cannotParse(`Can't find end of the entity starting at byte offset ${byteOffset(source, begin)}`);
  }
  const content = source.slice(from, end);
  const next = end + endMark.length;
  if (mark !== '[' || source.charAt(next) !== '(') return { mark, content, argument: head?.[1] ?? null, next };
  const close = source.indexOf(')', next);
  const urlEnd = close < 0 ? source.length : close;
  return { mark, content, argument: source.slice(next + 1, urlEnd), next: urlEnd + 1 };
}

function toEntity({ mark, content, argument }: Span, offset: number): WireEntity | null {
  const { length } = content;
  switch (mark) {
    case '_':
      return { type: 'italic', offset, length };
    case '*':
      return { type: 'bold', offset, length };
    case '`':
      return { type: 'code', offset, length };
    case '```':
      return { type: 'pre', offset, length, ...(argument === null ? {} : { language: argument }) };
    default:
      return linkEntity(argument ?? content, offset, length);
  }
}
