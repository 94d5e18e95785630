import type { Node } from 'jsonc-parser';
import { isRecord } from './source.ts';

/** How the text around a new value looks. */
type Layout = { eol: string; unit: string; indent: string; isFlat: boolean };

/** The text with a part replaced by a value in the layout of its surroundings. */
export function replaceValue(text: string, { offset, length }: Node, value: unknown): string {
  const layout = { ...layoutOf(text), indent: indentAt(text, offset), isFlat: !text.includes('\n') };
  return splice(text, offset, length, print(value, layout));
}

/** The text with a property (or with an item, when `key` is undefined) added at the end of an object or array. */
export function insertChild(text: string, container: Node, key: string | undefined, value: unknown): string {
  const children = container.children ?? [];
  const [first] = children;
  const last = children.at(-1);
  const base = { ...layoutOf(text), indent: indentAt(text, container.offset) };
  const show = (layout: Layout): string =>
    `${key === undefined ? '' : `${JSON.stringify(key)}: `}${print(value, layout)}`;
  if (first === undefined || last === undefined) return fillEmpty(text, container, base, show);

  const end = endOf(last);
  const gap = readGap(text, end, endOf(container) - 1);
  if (!text.slice(container.offset, first.offset).includes('\n')) {
    const child = show({ ...base, isFlat: true });
    // Not behind a comment: what follows one in its line is part of it.
    return gap.comma === undefined ? splice(text, end, 0, `, ${child}`) : splice(text, gap.comma + 1, 0, ` ${child},`);
  }
  const indent = indentAt(text, first.offset);
  const child = `${base.eol}${indent}${show({ ...base, indent, isFlat: false })}`;
  if (gap.comma !== undefined) return splice(text, gap.lineEnd, 0, `${child},`);
  return splice(splice(text, gap.lineEnd, 0, child), end, 0, ',');
}

/** The text without one child of an object or array, and without the comma that would be left over. Comments stay. */
export function removeChild(text: string, container: Node, index: number): string {
  const children = container.children ?? [];
  const child = children[index];
  if (child === undefined) return text;
  const next = children[index + 1];
  const previous = children[index - 1];
  const { comma } = readGap(text, endOf(child), next?.offset ?? endOf(container) - 1);
  if (comma !== undefined && text.slice(endOf(child), comma).trim() === '') return cut(text, child.offset, comma + 1);
  if (comma !== undefined) return cut(splice(text, comma, 1, ''), child.offset, endOf(child));
  const shorter = cut(text, child.offset, endOf(child));
  if (previous === undefined) return shorter;
  const before = readGap(text, endOf(previous), child.offset).comma ?? endOf(previous);
  // In one line, the blank behind that comma goes with it.
  const blanks = /^[ \t]*$/.test(text.slice(before + 1, child.offset)) ? child.offset - before - 1 : 0;
  return splice(shorter, before, 1 + blanks, '');
}

/** The text with `length` characters at an offset replaced. */
function splice(text: string, offset: number, length: number, replacement: string): string {
  return text.slice(0, offset) + replacement + text.slice(offset + length);
}

function fillEmpty(
  text: string,
  container: Node,
  base: Omit<Layout, 'isFlat'>,
  show: (layout: Layout) => string,
): string {
  const open = container.offset + 1;
  const close = endOf(container) - 1;
  const inner = text.slice(open, close).trimEnd();
  if (!text.includes('\n'))
    return splice(text, open + inner.length, close - open - inner.length, show({ ...base, isFlat: true }));
  const indent = base.indent + base.unit;
  const child = show({ ...base, indent, isFlat: false });
  const rest = text.slice(open + inner.length, close);
  const closing = rest.includes('\n') ? rest : `${base.eol}${base.indent}`;
  return splice(text, open + inner.length, rest.length, `${base.eol}${indent}${child}${closing}`);
}

/** Cuts a part out, with its line when nothing else is on it, else with the blanks that follow. */
function cut(text: string, from: number, to: number): string {
  const lineStart = text.lastIndexOf('\n', from - 1) + 1;
  const isFirst = lineStart > 0 && text.slice(lineStart, from).trim() === '';
  const [blanks = ''] = /^[ \t]*/.exec(text.slice(to)) ?? [];
  const [eol] = /^\r?\n/.exec(text.slice(to + blanks.length)) ?? [];
  if (isFirst && eol !== undefined) return splice(text, lineStart, to + blanks.length + eol.length - lineStart, '');
  return splice(text, from, to + (eol === undefined ? blanks.length : 0) - from, '');
}

/**
 * What lies between two values: the comma, and where the line ends behind it (behind the value when there is none), comments of that
 * line included.
 */
function readGap(text: string, from: number, to: number): { comma: number | undefined; lineEnd: number } {
  let comma: number | undefined;
  let lineEnd = from;
  let isOnLine = true;
  for (let at = from; at < to; ) {
    const [token = ''] = /^(?:\/\/[^\r\n]*|\/\*[\s\S]*?\*\/|,|[ \t]+|\s)/.exec(text.slice(at, to)) ?? [];
    if (token === '') break;
    at += token.length;
    if (token === ',') {
      comma = at - 1;
      isOnLine = true;
      lineEnd = at;
    } else if (token === '\n' || token === '\r') isOnLine = false;
    else if (token.startsWith('/') && isOnLine) lineEnd = at;
  }
  return { comma, lineEnd };
}

function endOf({ offset, length }: Node): number {
  return offset + length;
}

function layoutOf(text: string): { eol: string; unit: string } {
  return { eol: text.includes('\r\n') ? '\r\n' : '\n', unit: /\n([ \t]+)["}]/.exec(text)?.[1] ?? '  ' };
}

function indentAt(text: string, offset: number): string {
  const line = text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset);
  return /^[ \t]*/.exec(line)?.[0] ?? '';
}

function print(value: unknown, { eol, unit, indent, isFlat }: Layout): string {
  if (isFlat) return printFlat(value);
  return JSON.stringify(value, null, unit).replaceAll('\n', `${eol}${indent}`);
}

function printFlat(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(printFlat).join(', ')}]`;
  if (!isRecord(value)) return JSON.stringify(value);
  const entries = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${printFlat(item)}`);
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
}
