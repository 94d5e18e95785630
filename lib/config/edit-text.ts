import { type Node, parseTree } from 'jsonc-parser';
import { insertChild, removeChild, replaceValue } from './edit-node.ts';
import { isRecord } from './source.ts';

/**
 * The text of a JSON file changed so that it holds `target`. Every byte that need not change stays: comments, order, layout,
 * values that are equal (CFG-2). An empty text counts as `{}`. Throws when the text is no JSON with comments.
 */
export function rewriteJson(text: string, target: Readonly<Record<string, unknown>>): string {
  const mark = text.startsWith('\ufeff') ? '\ufeff' : '';
  const body = text.slice(mark.length);
  let current = body.trim() === '' ? '{}\n' : body;
  // One change at a time, each on a fresh tree: the files are small, and offsets never go stale.
  for (let left = MAX_CHANGES; left > 0; left -= 1) {
    const next = changeFirst(current, parseRoot(current), target);
    if (next === undefined) return mark + current;
    current = next;
  }
  throw new Error('the text cannot be changed to what is wanted');
}

/** More than any honest edit needs; an edit that comes to no end must not take the process with it. */
const MAX_CHANGES = 10_000;

/** The values of a JSON text as they are written, with nothing expanded. */
export function readJson(text: string): Record<string, unknown> {
  const body = text.replace(/^\ufeff/, '');
  const value = readValue(parseRoot(body.trim() === '' ? '{}' : body));
  if (!isRecord(value)) throw new SyntaxError('it must hold one JSON object');
  return value;
}

/** A merge patch (RFC 7396) applied to a value: null removes a key, an object is merged, anything else replaces. */
export function applyMergePatch(value: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const result = new Map(isRecord(value) ? Object.entries(value) : []);
  for (const [key, item] of Object.entries(patch)) {
    if (item === null) result.delete(key);
    else result.set(key, applyMergePatch(result.get(key), item));
  }
  return Object.fromEntries(result);
}

function parseRoot(text: string): Node {
  const errors: { offset: number }[] = [];
  const root = parseTree(text, errors as never, { allowTrailingComma: true, disallowComments: false });
  const [first] = errors;
  if (first !== undefined || root === undefined)
    throw new SyntaxError(`it is not valid JSON (line ${text.slice(0, first?.offset ?? 0).split('\n').length})`);
  return root;
}

/** The text after the first difference to `target` was resolved; undefined when there is none. */
function changeFirst(text: string, node: Node, target: unknown): string | undefined {
  if (node.type === 'object' && isRecord(target)) return changeObject(text, node, target);
  if (node.type === 'array' && Array.isArray(target)) return changeArray(text, node, target);
  if (isSame(readValue(node), target)) return undefined;
  return replaceValue(text, node, target);
}

function changeObject(text: string, node: Node, target: Readonly<Record<string, unknown>>): string | undefined {
  const children = node.children ?? [];
  for (const [index, child] of children.entries()) {
    const key = keyOf(child);
    const value = child.children?.[1];
    // The last one of a name counts, for every parser; "__proto__" means nothing to us and is left alone.
    const isShadowed = children.slice(index + 1).some((later) => keyOf(later) === key);
    if (value === undefined || key === '__proto__') continue;
    if (!Object.hasOwn(target, key)) return removeChild(text, node, index);
    const changed = isShadowed ? undefined : changeFirst(text, value, target[key]);
    if (changed !== undefined) return changed;
  }
  const added = Object.entries(target).find(
    ([key]) => key !== '__proto__' && !children.some((child) => keyOf(child) === key),
  );
  if (added === undefined) return undefined;
  const [key, value] = added;
  return insertChild(text, node, key, value);
}

function changeArray(text: string, node: Node, target: readonly unknown[]): string | undefined {
  const items = node.children ?? [];
  for (const [index, item] of items.entries()) {
    if (index >= target.length) return removeChild(text, node, items.length - 1);
    const changed = changeFirst(text, item, target[index]);
    if (changed !== undefined) return changed;
  }
  if (items.length >= target.length) return undefined;
  return insertChild(text, node, undefined, target[items.length]);
}

function keyOf(property: Node): string {
  return String(property.children?.[0]?.value);
}

function readValue(node: Node): unknown {
  if (node.type === 'array') return (node.children ?? []).map(readValue);
  if (node.type !== 'object') return node.value;
  const entries = (node.children ?? []).flatMap((property) => {
    const [key, value] = property.children ?? [];
    return key === undefined || value === undefined || key.value === '__proto__' ? [] : [[key.value, readValue(value)]];
  });
  return Object.fromEntries(entries);
}

function isSame(left: unknown, right: unknown): boolean {
  if (Array.isArray(left) && Array.isArray(right))
    return left.length === right.length && left.every((item, index) => isSame(item, right[index]));
  if (!isRecord(left) || !isRecord(right)) return Object.is(left, right);
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && isSame(left[key], right[key]))
  );
}
