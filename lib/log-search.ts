import { createHash } from 'node:crypto';
import { closeSync, fstatSync, readSync } from 'node:fs';
import { setImmediate as nextRound } from 'node:timers/promises';
import { readLinesBackwards } from './log-blocks.ts';
import type { LogLevel } from './log-level.ts';
import { type LogRecord, levelNumber, parseRecord } from './log-record.ts';
import { openLogFiles } from './log-sources.ts';

export type LogQuery = {
  /** This level and worse. */
  level?: LogLevel | undefined;
  /** Times as `Date.parse` reads them. */
  from?: string | undefined;
  to?: string | undefined;
  /** Text that occurs in the line, in any case. */
  q?: string | undefined;
  /** Channel or process that wrote it. */
  module?: string | undefined;
  requestId?: string | undefined;
  session?: string | undefined;
  limit: number;
  /** `next` of an earlier page. */
  before?: string | undefined;
};

export type LogPage = {
  /** Newest first; of a line that is no record, its text as `msg`. */
  logs: ({ msg: string } & Record<string, unknown>)[];
  /** Where to go on; absent when everything was read. */
  next?: string;
  /** Set when the page ended before it was full or the log was read. */
  stopped?: 'time' | 'size';
};

export type LogSearchOptions = {
  /** Takes secrets out of a line; what it hides cannot be searched for. */
  redact(line: string): string;
  /** How long a search may read, in milliseconds; default 2 s. */
  maxMs?: number;
  /** How much a page may hold, in characters; default 4 Mi. */
  maxSize?: number;
};

const MAX_MS = 2_000;
const MAX_SIZE = 4 * 1024 * 1024;
const MAX_LINE_BYTES = 1024 * 1024;

/** How long the search keeps the process before it lets others in, in milliseconds. */
const SLICE_MS = 8;

/**
 * Reads a rotating log from its end and returns one page of what matches. Memory is bounded by the page and by one line,
 * whatever the size of the log; a place in it (`before`) outlives the moving up of the files.
 */
export async function searchLog(path: string, query: LogQuery, options: LogSearchOptions): Promise<LogPage> {
  const { maxMs = MAX_MS, maxSize = MAX_SIZE } = options;
  const matches = createMatcher(query, options.redact);
  const sources = openLogFiles(path);
  const logs: LogPage['logs'] = [];
  const endsAt = performance.now() + maxMs;
  let size = 0;
  let sliceEndsAt = performance.now() + SLICE_MS;
  try {
    for (const { line, cursor } of walk(sources, query.before)) {
      const found = matches(line);
      if (found !== undefined) {
        logs.push(found);
        size += line.length;
      }
      if (logs.length === query.limit) return withNext({ logs }, cursor);
      if (size > maxSize) return withNext({ logs, stopped: 'size' }, cursor);
      if (performance.now() < sliceEndsAt) continue;
      if (performance.now() >= endsAt) return withNext({ logs, stopped: 'time' }, cursor);
      await nextRound();
      sliceEndsAt = performance.now() + SLICE_MS;
    }
    return { logs };
  } finally {
    for (const { fd } of sources) closeSync(fd);
  }
}

type Place = { line: string /** Undefined for the very first line of the log. */; cursor: string | undefined };

/** The lines from the place on, or from the end, the newest first, each with the place of those before it. */
function* walk(sources: readonly { fd: number }[], before: string | undefined): Generator<Place> {
  const files = sources.map(({ fd }) => ({ fd, name: nameContent(fd) })).filter(({ name }) => name !== undefined);
  const [wanted, offset] = before?.split('.') ?? [];
  const first = wanted === undefined ? 0 : files.findIndex(({ name }) => name === wanted);
  // A file that is not there any more was the oldest one: nothing is left before it.
  if (first < 0) return;
  for (const [index, { fd, name }] of files.slice(first).entries()) {
    const end = index === 0 && offset !== undefined ? Math.min(Number(offset), fstatSync(fd).size) : fstatSync(fd).size;
    const isOldest = first + index === files.length - 1;
    for (const { start, text } of readLinesBackwards(fd, end, MAX_LINE_BYTES)) {
      if (text === '') continue;
      yield { line: text, cursor: start === 0 && isOldest ? undefined : `${name}.${start}` };
    }
  }
}

/** A name by the first line, which no move changes: 16 hexadecimal digits. Undefined for an empty file. */
function nameContent(fd: number): string | undefined {
  const head = Buffer.alloc(512);
  const length = readSync(fd, head, 0, head.length, 0);
  if (length === 0) return undefined;
  const lineEnd = head.indexOf('\n');
  const line = head.subarray(0, lineEnd < 0 ? length : lineEnd);
  return createHash('sha256').update(line).digest('hex').slice(0, 16);
}

function withNext(page: LogPage, cursor: string | undefined): LogPage {
  return cursor === undefined ? page : { ...page, next: cursor };
}

type Found = LogPage['logs'][number];

function createMatcher(query: LogQuery, redact: (line: string) => string): (line: string) => Found | undefined {
  // Most lines are told apart by a glance at their text; only the others are redacted and parsed.
  const needles = [query.module, query.requestId, query.session].flatMap((value) =>
    value === undefined ? [] : [JSON.stringify(value)],
  );
  const text = query.q === undefined ? undefined : JSON.stringify(query.q).slice(1, -1).toLowerCase();
  const mayMatch = (line: string): boolean =>
    needles.every((needle) => line.includes(needle)) && (text === undefined || line.toLowerCase().includes(text));
  const matches = createRecordMatcher(query);
  return (raw) => {
    if (!mayMatch(raw)) return undefined;
    const line = redact(raw);
    if (!mayMatch(line)) return undefined;
    const record = parseRecord(line);
    if (record !== undefined) return matches(record) ? { msg: '', ...record } : undefined;
    // The words of a dying runtime: no level hides them, but they have neither a time nor fields.
    const hasNeed = needles.length > 0 || query.from !== undefined || query.to !== undefined;
    return hasNeed ? undefined : { msg: line };
  };
}

function createRecordMatcher(query: LogQuery): (record: LogRecord) => boolean {
  const minimum = query.level === undefined ? 0 : levelNumber(query.level);
  const from = query.from === undefined ? Number.NEGATIVE_INFINITY : Date.parse(query.from);
  const to = query.to === undefined ? Number.POSITIVE_INFINITY : Date.parse(query.to);
  const isWithin = ({ time }: LogRecord): boolean => {
    if (query.from === undefined && query.to === undefined) return true;
    const at = typeof time === 'string' ? Date.parse(time) : Number.NaN;
    return at >= from && at <= to;
  };
  const isOf = (wanted: string | undefined, ...fields: unknown[]): boolean =>
    wanted === undefined || fields.includes(wanted);
  return (record) =>
    record.level >= minimum &&
    isWithin(record) &&
    isOf(query.module, record['module'], record['channel'], record['proc']) &&
    isOf(query.requestId, record['request_id']) &&
    isOf(query.session, record['session']);
}
