import type { FieldProblem } from '../errors.ts';
import { isRecord } from './source.ts';

type Spelling = { old: readonly string[]; now: readonly string[]; convert?: (value: unknown) => unknown };

const inProfile = (old: string, now: string): Spelling[] =>
  [
    ['agents', 'defaults'],
    ['agents', 'list', '*'],
  ].map((place) => ({ old: [...place, old], now: [...place, now] }));

/** Settings that have a second name or place (manual, reference). "*" is any key or item. `host` is read by `resolveBind`. */
const SPELLINGS: readonly Spelling[] = [
  ...inProfile('max_tokens', 'maxTokens'),
  ...inProfile('max_tool_iterations', 'maxToolIterations'),
  ...inProfile('systemPromptOverride', 'systemPrompt'),
  { old: ['providers', '*', 'request', 'headers'], now: ['providers', '*', 'headers'] },
  {
    old: ['providers', '*', 'request', 'timeoutMs'],
    now: ['providers', '*', 'requestTimeout'],
    convert: (value) => (typeof value === 'number' ? `${value}ms` : value),
  },
  { old: ['heartbeat'], now: ['gateway', 'heartbeat'] },
];

/** A copy of the configuration with every older spelling under its name of today. Two that contradict each other are a problem. */
export function resolveOldSpellings(value: Record<string, unknown>): {
  value: Record<string, unknown>;
  problems: FieldProblem[];
} {
  const copy = structuredClone(value);
  const problems = SPELLINGS.flatMap(({ old, now, convert }) =>
    findPlaces(copy, old).flatMap((place) => {
      const target = now.map((key, index) => (key === '*' ? (place[index] ?? key) : key));
      return move(copy, { from: place, to: target, convert: convert ?? ((item) => item) });
    }),
  );
  return { value: copy, problems };
}

function findPlaces(value: unknown, pattern: readonly string[], path: readonly string[] = []): string[][] {
  const [key, ...rest] = pattern;
  if (key === undefined) return [[...path]];
  const entries = isRecord(value) || Array.isArray(value) ? Object.entries(value) : [];
  return entries
    .filter(([name]) => key === '*' || name === key)
    .flatMap(([name, item]) => findPlaces(item, rest, [...path, name]));
}

type Move = { from: readonly string[]; to: readonly string[]; convert(value: unknown): unknown };

function move(root: Record<string, unknown>, { from, to, convert }: Move): FieldProblem[] {
  const source = holderOf(root, from);
  const target = holderOf(root, to);
  const oldName = from.at(-1) ?? '';
  const newName = to.at(-1) ?? '';
  if (source === undefined || target === undefined) return [];
  const item = convert(source[oldName]);
  if (Object.hasOwn(target, newName) && JSON.stringify(target[newName]) !== JSON.stringify(item)) {
    return [{ path: from.join('.'), message: `contradicts ${to.join('.')}, its name of today; keep that one` }];
  }
  delete source[oldName];
  target[newName] = item;
  if (from.at(-2) === 'request' && Object.keys(source).length === 0)
    delete holderOf(root, from.slice(0, -1))?.['request'];
  return [];
}

/** The object that holds the last key of a path; a section that is missing is made. */
function holderOf(root: Record<string, unknown>, path: readonly string[]): Record<string, unknown> | undefined {
  const [section = ''] = path;
  if (path.length > 1 && root[section] === undefined) root[section] = {};
  let at: unknown = root;
  for (const key of path.slice(0, -1)) at = isRecord(at) || Array.isArray(at) ? Reflect.get(at, key) : undefined;
  return isRecord(at) ? at : undefined;
}
