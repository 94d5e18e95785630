import { escapeHtml, renderInline } from './html-inline.ts';

/**
 * Turns the Markdown that language models write into Telegram's HTML: tags are always balanced and never empty, markers without a
 * partner stay text, and what is seen is never longer than `markdown` (in UTF-16 units), so that a part still fits.
 */
export function renderHtml(markdown: string): string {
  return renderLines(markdown.split('\n'), [readFence, readQuote, readTable]);
}

/** Lines that belong together, already rendered, and the index of the line after them. */
type Block = { html: string; next: number };

type ReadBlock = (lines: readonly string[], start: number) => Block | undefined;

function renderLines(lines: readonly string[], readers: readonly ReadBlock[]): string {
  const rendered: string[] = [];
  for (let at = 0; at < lines.length; ) {
    const block = readBlock(lines, at, readers);
    rendered.push(block?.html ?? renderLine(lines[at] ?? ''));
    at = block?.next ?? at + 1;
  }
  return rendered.join('\n');
}

function readBlock(lines: readonly string[], at: number, readers: readonly ReadBlock[]): Block | undefined {
  for (const read of readers) {
    const block = read(lines, at);
    if (block !== undefined) return block;
  }
  return undefined;
}

/** Code between fences; without a closing one it runs to the end. */
function readFence(lines: readonly string[], start: number): Block | undefined {
  const [, indent = '', fence, info = ''] = OPEN_FENCE.exec(lines[start] ?? '') ?? [];
  if (fence === undefined) return undefined;
  const closing = lines.findIndex((line, index) => index > start && isClosing(line, fence));
  const end = closing === -1 ? lines.length : closing;
  const next = closing === -1 ? end : end + 1;
  const body = lines.slice(start + 1, end).map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line));
  const code = body.join('\n');
  // Telegram has no empty block of code: show what was written.
  if (code.trim() === '') return { html: escapeHtml(lines.slice(start, next).join('\n')), next };
  const language = LANGUAGE.exec(info)?.[1];
  const escaped = escapeHtml(code);
  const inner = language === undefined ? escaped : `<code class="language-${language}">${escaped}</code>`;
  return { html: `<pre>${inner}</pre>`, next };
}

const OPEN_FENCE = /^([ \t]*)(`{3,}|~{3,})([^`~]*)$/;
const LANGUAGE = /^\s*([\w+#.-]+)(?:\s|$)/;

function isClosing(line: string, fence: string): boolean {
  const marks = line.trim();
  return marks.length >= fence.length && marks === fence.charAt(0).repeat(marks.length);
}

function readQuote(lines: readonly string[], start: number): Block | undefined {
  let next = start;
  while (QUOTE.test(lines[next] ?? '')) next += 1;
  if (next === start) return undefined;
  // Telegram has no quote inside a quote.
  const inner = lines.slice(start, next).map((line) => line.replace(QUOTE, ''));
  if (inner.join('').trim() === '') return { html: escapeHtml(lines.slice(start, next).join('\n')), next };
  return { html: `<blockquote>${renderLines(inner, [readFence, readTable])}</blockquote>`, next };
}

const QUOTE = /^(?: {0,3}> ?)+/;

/** A table keeps its columns only in letters of one width. */
function readTable(lines: readonly string[], start: number): Block | undefined {
  const divider = lines[start + 1] ?? '';
  const isTable = hasCells(lines[start]) && hasCells(divider) && divider.includes('-') && /^[\s|:-]+$/.test(divider);
  if (!isTable) return undefined;
  let next = start + 2;
  while (hasCells(lines[next])) next += 1;
  return { html: `<pre>${escapeHtml(lines.slice(start, next).join('\n'))}</pre>`, next };
}

function hasCells(line: string | undefined): boolean {
  return line?.includes('|') ?? false;
}

function renderLine(line: string): string {
  if (RULE.test(line)) return '———';
  const heading = HEADING.exec(line)?.[1];
  if (heading !== undefined) return renderHeading(heading);
  const [, indent, item] = BULLET.exec(line) ?? [];
  if (indent !== undefined && item !== undefined) return `${indent}• ${renderInline(item)}`;
  return renderInline(line);
}

const RULE = /^ {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}\r?$/;
const HEADING = /^ {0,3}#{1,6}[ \t]+(\S.*)$/s;
const BULLET = /^([ \t]*)[-*][ \t]+(\S.*)$/s;

function renderHeading(text: string): string {
  const words = text
    .trimEnd()
    .replace(/(?<=\s)#+$/, '')
    .trimEnd();
  // All of it is bold: bold words inside would be the same tag twice.
  return `<b>${renderInline(words).replace(/<\/?b>/g, '')}</b>`;
}
