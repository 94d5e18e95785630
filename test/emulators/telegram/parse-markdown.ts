import { byteOffset, cannotParse, linkEntity, type MarkedText, sortEntities } from './marked-text.ts';
import type { WireEntity } from './wire.ts';

type Kind =
  | 'Bold'
  | 'Italic'
  | 'Underline'
  | 'Strikethrough'
  | 'Spoiler'
  | 'Code'
  | 'Pre'
  | 'PreCode'
  | 'TextUrl'
  | 'CustomEmoji'
  | 'BlockQuote';

interface OpenEntity {
  readonly kind: Kind;
  readonly start: number;
  readonly sourceAt: number;
  readonly language?: string;
}

// Longer marks first: `__` must not be read as two italics.
const beginMarks: readonly { readonly text: string; readonly kind: Kind }[] = [
  { text: '__', kind: 'Underline' },
  { text: '_', kind: 'Italic' },
  { text: '*', kind: 'Bold' },
  { text: '~', kind: 'Strikethrough' },
  { text: '||', kind: 'Spoiler' },
  { text: '![', kind: 'CustomEmoji' },
  { text: '[', kind: 'TextUrl' },
  { text: '`', kind: 'Code' },
  { text: '>', kind: 'BlockQuote' },
];
const reserved = '_*[]()~`>#+-=|{}.!\n';

/** Reads MarkdownV2; a reserved character or an entity without end throws the server's own words. */
export function parseMarkdownV2(source: string): MarkedText {
  return new MarkdownReader(source).read();
}

class MarkdownReader {
  readonly #source: string;
  readonly #open: OpenEntity[] = [];
  readonly #entities: WireEntity[] = [];
  #text = '';
  #at = 0;
  #isQuoting = false;

  constructor(source: string) {
    this.#source = source;
  }

  read(): MarkedText {
    while (this.#at < this.#source.length) this.#step();
    this.#closeQuote();
    const left = this.#open.at(-1);
    if (left !== undefined) throw this.#endless(left);
    return { text: this.#text, entities: sortEntities(this.#entities) };
  }

  #step(): void {
    const next = this.#source.charAt(this.#at);
    const escaped = this.#source.charCodeAt(this.#at + 1);
    if (next === '\\' && escaped > 0 && escaped <= 126) {
      this.#text += this.#source.charAt(this.#at + 1);
      this.#at += 2;
      return;
    }
    const current = this.#open.at(-1);
    const isCode = current?.kind === 'Code' || current?.kind === 'Pre' || current?.kind === 'PreCode';
    if (!(isCode ? '`' : reserved).includes(next)) {
      this.#text += next;
      this.#at += 1;
      return;
    }
    if (current !== undefined && this.#isEnd(current, next)) this.#end(current, next);
    else this.#begin(next);
  }

  #isEnd({ kind }: OpenEntity, next: string): boolean {
    const source = this.#source;
    const at = this.#at;
    if (this.#isQuoting && next === '\n' && source.charAt(at + 1) !== '>') return true;
    switch (kind) {
      case 'Bold':
        return next === '*';
      case 'Italic':
        return next === '_' && source.charAt(at + 1) !== '_';
      case 'Underline':
        return source.startsWith('__', at);
      case 'Strikethrough':
        return next === '~';
      case 'Spoiler':
        return source.startsWith('||', at);
      case 'Code':
        return next === '`';
      case 'Pre':
      case 'PreCode':
        return source.startsWith('```', at);
      case 'TextUrl':
      case 'CustomEmoji':
        return next === ']';
      case 'BlockQuote':
        return false;
    }
  }

  #begin(next: string): void {
    if (next === '\n') {
      this.#breakLine();
      return;
    }
    if (this.#source.startsWith('```', this.#at)) {
      this.#beginPre();
      return;
    }
    const mark = beginMarks.find(({ text }) => this.#source.startsWith(text, this.#at));
    if (mark === undefined || (mark.kind === 'BlockQuote' && this.#at > 0)) {
      throw cannotParse(`Character '${next}' is reserved and must be escaped with the preceding '\\'`);
    }
    if (mark.kind === 'BlockQuote') this.#isQuoting = true;
    this.#push(mark.kind, mark.text.length);
  }

  #push(kind: Kind, length: number, language?: string): void {
    const entity = { kind, start: this.#text.length, sourceAt: this.#at };
    this.#open.push(language === undefined ? entity : { ...entity, language });
    this.#at += length;
  }

  #beginPre(): void {
    const head = /^```([^\s`]*)/.exec(this.#source.slice(this.#at));
    const language = head?.[1] ?? '';
    const after = this.#source.charAt(this.#at + 3 + language.length);
    const isLanguage = language !== '' && after !== '' && after !== '`';
    const skipped = isLanguage ? 3 + language.length : 3;
    const lineBreak = /^(\r\n|\n\r|\n|\r)/.exec(this.#source.slice(this.#at + skipped));
    const length = skipped + (lineBreak?.[0].length ?? 0);
    if (isLanguage) this.#push('PreCode', length, language);
    else this.#push('Pre', length);
  }

  #breakLine(): void {
    this.#text += '\n';
    this.#at += 1;
    if (this.#source.charAt(this.#at) !== '>') return;
    if (this.#isQuoting) {
      this.#at += 1;
      return;
    }
    this.#isQuoting = true;
    this.#push('BlockQuote', 1);
  }

  #end(entity: OpenEntity, next: string): void {
    if (next === '\n' && entity.kind !== 'BlockQuote') throw this.#endless(entity);
    this.#open.pop();
    this.#at += endLength(entity.kind);
    if (entity.kind === 'BlockQuote') {
      this.#isQuoting = false;
      this.#text += '\n';
    }
    const rendered = this.#render(entity);
    if (rendered !== null && rendered.length > 0) this.#entities.push(rendered);
  }

  #render({ kind, start, language }: OpenEntity): WireEntity | null {
    const length = this.#text.length - start;
    switch (kind) {
      case 'TextUrl':
        return linkEntity(this.#readUrl('a URL') ?? this.#text.slice(start), start, length);
      case 'CustomEmoji': {
        const url = this.#readUrl('a custom emoji URL');
        if (url === null) throw cannotParse('Custom emoji entity must contain a tg://emoji URL');
        return null;
      }
      case 'PreCode':
        return { type: 'pre', offset: start, length, ...(language === undefined ? {} : { language }) };
      default:
        return { type: kind.toLowerCase(), offset: start, length };
    }
  }

  // The address in parentheses after a closing bracket; null when there is none.
  #readUrl(what: string): string | null {
    if (this.#source.charAt(this.#at) !== '(') return null;
    this.#at += 1;
    const begin = byteOffset(this.#source, this.#at);
    let url = '';
    while (this.#at < this.#source.length && this.#source.charAt(this.#at) !== ')') {
      const escaped = this.#source.charCodeAt(this.#at + 1);
      if (this.#source.charAt(this.#at) === '\\' && escaped > 0 && escaped <= 126) this.#at += 1;
      url += this.#source.charAt(this.#at);
      this.#at += 1;
    }
    if (this.#at >= this.#source.length) throw cannotParse(`Can't find end of ${what} at byte offset ${begin}`);
    this.#at += 1;
    return url;
  }

  #closeQuote(): void {
    const current = this.#open.at(-1);
    if (!this.#isQuoting || current?.kind !== 'BlockQuote') return;
    this.#open.pop();
    const length = this.#text.length - current.start;
    if (length > 0) this.#entities.push({ type: 'blockquote', offset: current.start, length });
  }

  #endless({ kind, sourceAt }: OpenEntity): Error {
    const offset = byteOffset(this.#source, sourceAt);
    return cannotParse(`Can't find end of ${kind} entity at byte offset ${offset}`);
  }
}

function endLength(kind: Kind): number {
  switch (kind) {
    case 'Underline':
    case 'Spoiler':
      return 2;
    case 'Pre':
    case 'PreCode':
      return 3;
    default:
      return 1;
  }
}
