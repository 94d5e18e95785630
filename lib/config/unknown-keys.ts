import type * as v from 'valibot';
import type { FieldProblem } from '../errors.ts';
import { isReserved } from './describe.ts';
import { isRecord } from './source.ts';

/** Keys that have no effect: those that no schema knows, each with the nearest one that it does, and those that nothing uses yet. */
export function findUnknownKeys(schema: v.GenericSchema, value: unknown, path = ''): FieldProblem[] {
  const node = unwrap(schema);
  if (isRecord(value) && 'entries' in node && isRecord(node.entries)) {
    const entries = node.entries as Record<string, v.GenericSchema>;
    return Object.entries(value).flatMap(([key, item]) => {
      const at = path === '' ? key : `${path}.${key}`;
      const known = Object.hasOwn(entries, key) ? entries[key] : undefined;
      if (known !== undefined && isReserved(known))
        return [{ path: at, message: 'is accepted, but this version does not use it yet' }];
      if (known !== undefined) return findUnknownKeys(known, item, at);
      // Such as the configuration of an extension under its id.
      if ('rest' in node) return [];
      const nearest = findNearest(key, Object.keys(entries));
      return [
        { path: at, message: `is not a known setting${nearest === undefined ? '' : `; did you mean "${nearest}"?`}` },
      ];
    });
  }
  if (isRecord(value) && Array.isArray(node.options)) {
    const options = (node.options as v.GenericSchema[]).map(unwrap);
    const objects = options.find((option) => 'entries' in option);
    return objects === undefined ? [] : findUnknownKeys(objects, value, path);
  }
  if (isRecord(value) && node.type === 'record' && 'value' in node) {
    return Object.entries(value).flatMap(([key, item]) =>
      findUnknownKeys(node.value as v.GenericSchema, item, `${path}.${key}`),
    );
  }
  if (Array.isArray(value) && 'item' in node) {
    return value.flatMap((item, index) => findUnknownKeys(node.item as v.GenericSchema, item, `${path}.${index}`));
  }
  return [];
}

function unwrap(
  schema: v.GenericSchema,
): v.GenericSchema & { entries?: unknown; value?: unknown; item?: unknown; options?: unknown } {
  if ('wrapped' in schema) return unwrap(schema.wrapped as v.GenericSchema);
  if ('pipe' in schema) {
    const [first] = schema.pipe as v.GenericSchema[];
    if (first !== undefined && first !== schema && !('entries' in schema)) return unwrap(first);
  }
  return schema;
}

function findNearest(key: string, known: readonly string[]): string | undefined {
  const ranked = known.map((name) => ({ name, distance: editDistance(key.toLowerCase(), name.toLowerCase()) }));
  const [best] = ranked.sort((left, right) => left.distance - right.distance);
  return best !== undefined && best.distance <= Math.max(2, Math.floor(key.length / 3)) ? best.name : undefined;
}

/** Levenshtein's distance, one row at a time. */
function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (const [i, a] of [...left].entries()) {
    const next = [i + 1];
    for (const [j, b] of [...right].entries()) {
      const replaced = (row[j] ?? 0) + (a === b ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}
