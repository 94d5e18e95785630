import { isRecord } from './source.ts';

/** The dotted paths whose value differs, as deep as there are objects; sorted by name. A list counts as one value. */
export function listChangedPaths(before: unknown, after: unknown, path = ''): string[] {
  if ((isRecord(before) && isRecord(after ?? {})) || (isRecord(after) && before === undefined)) {
    const left = isRecord(before) ? before : {};
    const right = isRecord(after) ? after : {};
    const keys = [...new Set([...Object.keys(left), ...Object.keys(right)])].sort();
    if (keys.length > 0)
      return keys.flatMap((key) =>
        listChangedPaths(own(left, key), own(right, key), path === '' ? key : `${path}.${key}`),
      );
  }
  return JSON.stringify(before) === JSON.stringify(after) ? [] : [path];
}

/** Each value that is no object with its path; a list counts as one. */
export function listLeaves(
  value: unknown,
  path: readonly string[] = [],
): { path: readonly string[]; value: unknown }[] {
  if (!isRecord(value)) return [{ path, value }];
  return Object.entries(value).flatMap(([key, item]) => listLeaves(item, [...path, key]));
}

function own(value: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(value, key) ? value[key] : undefined;
}
