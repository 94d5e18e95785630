import { isRecord } from '../lib/config/source.ts';
import { linesFromEnd } from '../lib/file-tail.ts';
import { isoTime } from '../lib/iso-time.ts';
import { type LogRecord, levelNumber, parseRecord } from '../lib/log-record.ts';
import type { WorkerOutput } from './worker-output.ts';

/** What a worker said before it ended, oldest first, as it stands in the files. */
export type LastWords = {
  /** Its own lines of the gateway's log. */
  log: string[];
  /** What it printed past its log. */
  stderr: string[];
};

export type LastWordsOptions = {
  logFile: string;
  pid: number | null;
  /** When it was started, in milliseconds since 1970: a reused pid must not speak for it. */
  startedAtMs: number;
  output: WorkerOutput;
};

/** How many lines of one worker are kept (OBS-2). */
export const MAX_LINES = 1_000;

/** A log is moved up at 10 MB; the last line may be longer. */
const MAX_LOG_BYTES = 12 * 1_048_576;
/** The clock of the start and that of the log are the same, but rounded. */
const START_SLACK_MS = 1_000;

/**
 * Reads the last 1,000 lines that a worker wrote: up to half of them from its standard error, more when its log has fewer.
 * Reads the log backwards, and no further than to the worker's start.
 */
export function readLastWords(options: LastWordsOptions): LastWords {
  const stderr = options.output.readLines(MAX_LINES);
  const wanted = Math.max(MAX_LINES / 2, MAX_LINES - stderr.length);
  const log = readOwnLines(options, wanted);
  return { log, stderr: stderr.slice(-(MAX_LINES - log.length)) };
}

/**
 * The line that most likely tells why a worker ended: the first one on its standard error that looks like an error, else the
 * last error in its log; null when there is neither.
 */
export function findErrorLine({ log, stderr }: LastWords): string | null {
  const printed = stderr.find((line) => ERROR_LINE.test(line));
  if (printed !== undefined) return printed.trim();
  const logged = log.map(parseRecord).findLast((record) => record !== undefined && record.level >= ERROR_LEVEL);
  return logged === undefined ? null : describeRecord(logged);
}

/** Of V8, of Node, of native code and of the C library; no stack frames, no warnings. */
const ERROR_LINE =
  /FATAL ERROR|\b[A-Za-z]*Error\b( \[\w+\])?:|\bpanic|# Fatal|Segmentation fault|\bSIG(SEGV|ABRT|BUS|ILL|FPE)\b|Assertion .*failed|terminate called|out of memory|\bUncaught\b|UnhandledPromiseRejection|^(fatal|error)\b/i;

const ERROR_LEVEL = levelNumber('error');

function readOwnLines({ logFile, pid, startedAtMs }: LastWordsOptions, max: number): string[] {
  const lines: string[] = [];
  if (pid === null) return lines;
  // After the clock was set back, its start seems to lie in the future.
  const since = isoTime(Math.min(startedAtMs, Date.now()) - START_SLACK_MS);
  const mark = `"pid":${pid},`;
  for (const path of [logFile, `${logFile}.1`]) {
    for (const line of linesFromEnd(path, MAX_LOG_BYTES)) {
      const time = LINE_TIME.exec(line)?.[1];
      if ((time !== undefined && time < since) || lines.length === max) return lines.reverse();
      if (line.includes(mark) && isOfWorker(parseRecord(line), pid)) lines.push(line);
    }
  }
  return lines.reverse();
}

/** How every line of our logger ends. */
const LINE_TIME = /"time":"([^"]+)","v":0\}$/;

function isOfWorker(record: LogRecord | undefined, pid: number): boolean {
  return record?.['pid'] === pid && record['proc'] === 'worker';
}

function describeRecord({ msg, err }: LogRecord): string {
  const reason = isRecord(err) && typeof err['message'] === 'string' ? err['message'] : undefined;
  return reason === undefined ? String(msg) : `${msg}: ${reason}`;
}
