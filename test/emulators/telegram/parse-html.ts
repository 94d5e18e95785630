import { byteOffset, cannotParse, linkEntity, type MarkedText, sortEntities } from './marked-text.ts';
import type { WireEntity } from './wire.ts';

interface OpenTag {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly start: number;
}

const simpleTags = new Map([
  ['b', 'bold'],
  ['strong', 'bold'],
  ['i', 'italic'],
  ['em', 'italic'],
  ['u', 'underline'],
  ['ins', 'underline'],
  ['s', 'strikethrough'],
  ['strike', 'strikethrough'],
  ['del', 'strikethrough'],
  ['tg-spoiler', 'spoiler'],
  ['span', 'spoiler'],
  ['code', 'code'],
  ['pre', 'pre'],
  ['blockquote', 'blockquote'],
]);
const otherTags = ['a', 'tg-emoji'];

/** Reads Telegram's HTML markup; broken markup throws the server's own words with byte offsets. */
export function parseHtml(source: string): MarkedText {
  const reader = new HtmlReader(source);
  return reader.read();
}

class HtmlReader {
  readonly #source: string;
  readonly #open: OpenTag[] = [];
  readonly #entities: WireEntity[] = [];
  #text = '';
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  read(): MarkedText {
    while (this.#at < this.#source.length) {
      const next = this.#source.charAt(this.#at);
      if (next === '&') this.#readReference();
      else if (next !== '<') this.#take(next);
      else if (this.#source.charAt(this.#at + 1) === '/') this.#readEndTag();
      else this.#readStartTag();
    }
    const left = this.#open.at(-1);
    if (left !== undefined) throw cannotParse(`Can't find end tag corresponding to start tag "${left.name}"`);
    return { text: this.#text, entities: sortEntities(mergePreCode(this.#entities)) };
  }

  #take(text: string): void {
    this.#text += text;
    this.#at += text.length;
  }

  #readReference(): void {
    const { value, length } = decodeReference(this.#source, this.#at);
    this.#text += value;
    this.#at += length;
  }

  #readStartTag(): void {
    const begin = this.#at;
    const offset = byteOffset(this.#source, begin);
    this.#at += 1;
    const name = this.#readWhile(/[^\s>]/).toLowerCase();
    if (this.#at >= this.#source.length) throw cannotParse(`Unclosed start tag at byte offset ${offset}`);
    if (!simpleTags.has(name) && !otherTags.includes(name)) {
      throw cannotParse(`Unsupported start tag "${name}" at byte offset ${offset}`);
    }
    const attributes = this.#readAttributes(name, offset);
    if (name === 'span' && attributes.get('class') !== 'tg-spoiler') {
      throw cannotParse(`Tag "span" must have class "tg-spoiler" at byte offset ${offset}`);
    }
    this.#open.push({ name, attributes, start: this.#text.length });
  }

  #readAttributes(tag: string, offset: number): Map<string, string> {
    const attributes = new Map<string, string>();
    for (;;) {
      this.#readWhile(/\s/);
      if (this.#source.charAt(this.#at) === '>') {
        this.#at += 1;
        return attributes;
      }
      const name = this.#readWhile(/[^\s=>/"']/).toLowerCase();
      if (name === '') throw cannotParse(`Empty attribute name in the tag "${tag}" at byte offset ${offset}`);
      this.#readWhile(/\s/);
      if (this.#source.charAt(this.#at) !== '=') {
        if (this.#at >= this.#source.length) throw unclosed(tag, offset);
        attributes.set(name, '');
        continue;
      }
      this.#at += 1;
      this.#readWhile(/\s/);
      if (this.#at >= this.#source.length) throw unclosed(tag, offset);
      attributes.set(name, this.#readValue(offset));
    }
  }

  #readValue(offset: number): string {
    const quote = this.#source.charAt(this.#at);
    if (quote !== '"' && quote !== "'") return this.#readBareValue();
    this.#at += 1;
    let value = '';
    while (this.#at < this.#source.length && this.#source.charAt(this.#at) !== quote) {
      const { value: part, length } = decodeReference(this.#source, this.#at);
      value += part;
      this.#at += length;
    }
    if (this.#at >= this.#source.length) throw cannotParse(`Unclosed start tag at byte offset ${offset}`);
    this.#at += 1;
    return value;
  }

  #readBareValue(): string {
    const begin = byteOffset(this.#source, this.#at);
    const value = this.#readWhile(/[\w.-]/);
    const next = this.#source.charAt(this.#at);
    if (!/[\s>]/.test(next)) throw cannotParse(`Unexpected end of name token at byte offset ${begin}`);
    return value.toLowerCase();
  }

  #readEndTag(): void {
    const offset = byteOffset(this.#source, this.#at);
    const tag = this.#open.pop();
    if (tag === undefined) throw cannotParse(`Unexpected end tag at byte offset ${offset}`);
    this.#at += 2;
    const name = this.#readWhile(/[^\s>]/).toLowerCase();
    this.#readWhile(/\s/);
    if (this.#source.charAt(this.#at) !== '>') throw cannotParse(`Unclosed end tag at byte offset ${offset}`);
    this.#at += 1;
    if (name !== '' && name !== tag.name) {
      throw cannotParse(`Unmatched end tag at byte offset ${offset}, expected "</${tag.name}>", found "</${name}>"`);
    }
    const entity = this.#toEntity(tag);
    if (entity !== null && entity.length > 0) this.#entities.push(entity);
  }

  #toEntity({ name, attributes, start }: OpenTag): WireEntity | null {
    const length = this.#text.length - start;
    if (name === 'a') return linkEntity(attributes.get('href') ?? this.#text.slice(start), start, length);
    const type = simpleTags.get(name);
    if (type === undefined) return null;
    if (type === 'blockquote' && attributes.has('expandable')) {
      return { type: 'expandable_blockquote', offset: start, length };
    }
    const language = name === 'code' ? /^language-(.+)$/.exec(attributes.get('class') ?? '')?.[1] : undefined;
    return { type, offset: start, length, ...(language === undefined ? {} : { language }) };
  }

  #readWhile(pattern: RegExp): string {
    const begin = this.#at;
    while (this.#at < this.#source.length && pattern.test(this.#source.charAt(this.#at))) this.#at += 1;
    return this.#source.slice(begin, this.#at);
  }
}

function unclosed(tag: string, offset: number): Error {
  return cannotParse(`Unclosed start tag "${tag}" at byte offset ${offset}`);
}

const namedReferences = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['quot', '"'],
]);

// Only four names are known; anything else stays as it is written.
function decodeReference(source: string, at: number): { value: string; length: number } {
  if (source.charAt(at) !== '&') return { value: source.charAt(at), length: 1 };
  const match = /^&(?:#x([0-9a-f]{1,8})|#(\d{1,8})|([a-z]+));?/i.exec(source.slice(at, at + 16));
  if (match === null) return { value: '&', length: 1 };
  const [whole, hex, decimal, name] = match;
  const named = name === undefined ? undefined : namedReferences.get(name);
  if (named !== undefined) return { value: named, length: whole.length };
  const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
  if (name !== undefined || code === 0 || code >= 0x10ffff) return { value: '&', length: 1 };
  return { value: String.fromCodePoint(code), length: whole.length };
}

// `<pre><code class="language-x">` is one entity with a language.
function mergePreCode(entities: readonly WireEntity[]): WireEntity[] {
  const isInside = (code: WireEntity, pre: WireEntity): boolean =>
    pre.type === 'pre' && pre.offset === code.offset && pre.length === code.length;
  const languages = entities.filter((entity) => entity.type === 'code' && entity.language !== undefined);
  return entities.flatMap((entity) => {
    if (entity.type === 'pre') {
      const code = languages.find((candidate) => isInside(candidate, entity));
      return code?.language === undefined ? [entity] : [{ ...entity, language: code.language }];
    }
    if (entity.type !== 'code' || entity.language === undefined) return [entity];
    if (entities.some((pre) => isInside(entity, pre))) return [];
    return [{ type: entity.type, offset: entity.offset, length: entity.length }];
  });
}
