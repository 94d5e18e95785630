import { isRecord } from './source.ts';

/** The keys of a written path such as `channels.telegram.groups["-100.5"].enabled` or `agents.list[0]`; undefined when it is none. */
export function parseConfigPath(text: string): string[] | undefined {
  const keys: string[] = [];
  const pattern = /(?:^|\.)([^.[\]"]+)|\[(\d+)\]|\["([^"]+)"\]/y;
  while (pattern.lastIndex < text.length) {
    const [, plain, index, quoted] = pattern.exec(text) ?? [];
    const key = plain ?? index ?? quoted;
    if (key === undefined || key === '__proto__') return undefined;
    keys.push(key);
  }
  return keys.length === 0 ? undefined : keys;
}

/** What stands at a path; undefined when nothing does. */
export function readAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((at, key) => (hasKey(at, key) ? Reflect.get(at, key) : undefined), value);
}

/** A copy with a value at a path; objects on the way are made. Throws when something else than an object or list is in the way. */
export function setAt(value: unknown, path: readonly string[], item: unknown): Record<string, unknown> {
  return change(value ?? {}, path, (holder, key) => void Reflect.set(holder, key, item));
}

/** A copy without what stands at a path. */
export function unsetAt(value: unknown, path: readonly string[]): Record<string, unknown> {
  if (readAt(value, path) === undefined) return structuredClone(value) as Record<string, unknown>;
  return change(value, path, (holder, key) => {
    if (Array.isArray(holder)) holder.splice(Number(key), 1);
    else Reflect.deleteProperty(holder, key);
  });
}

function change(
  value: unknown,
  path: readonly string[],
  act: (holder: object, key: string) => void,
): Record<string, unknown> {
  const copy = structuredClone(value) as Record<string, unknown>;
  let at: object = copy;
  for (const [index, key] of path.slice(0, -1).entries()) {
    if (!hasKey(at, key)) assign(at, key, {}, path.slice(0, index + 1));
    const next: unknown = Reflect.get(at, key);
    if (!isRecord(next) && !Array.isArray(next))
      throw new TypeError(`${path.slice(0, index + 1).join('.')} is no object; set it as a whole`);
    at = next;
  }
  const last = path.at(-1) ?? '';
  if (Array.isArray(at)) assertIndex(at, last, path);
  act(at, last);
  return copy;
}

function assign(holder: object, key: string, item: unknown, path: readonly string[]): void {
  if (Array.isArray(holder)) assertIndex(holder, key, path);
  Reflect.set(holder, key, item);
}

function assertIndex(list: readonly unknown[], key: string, path: readonly string[]): void {
  if (!/^\d+$/.test(key) || Number(key) > list.length)
    throw new TypeError(`${path.join('.')} has no such item; the list has ${list.length}`);
}

function hasKey(value: unknown, key: string): value is object {
  return (isRecord(value) || Array.isArray(value)) && Object.hasOwn(value, key);
}
