import type { WorkerExit } from '../lib/control.ts';
import { errorMessage } from '../lib/errors.ts';
import { isoTime } from '../lib/iso-time.ts';
import type { Logger } from '../lib/log.ts';
import type { Redactor } from '../lib/redact.ts';
import { writeCrashLog } from './crash-log.ts';
import { readExits, writeExits } from './exit-file.ts';
import { findErrorLine, type LastWords, readLastWords } from './last-words.ts';
import type { WorkerOutput } from './worker-output.ts';

export type ExitJournalOptions = {
  /** `run/last-exits.json`. */
  file: string;
  logsDir: string;
  logFile: string;
  redactor: Redactor;
  log: Logger;
};

/** A worker that has ended, and its output, which the journal reads and closes. */
export type EndedWorker = {
  generation: number;
  pid: number | null;
  /** In milliseconds since 1970. */
  startedAtMs: number;
  code: number | null;
  signal: string | null;
  isCrash: boolean;
  reason: string;
  /** What the worker itself said of its end. */
  fatalMessage: string | null;
  output: WorkerOutput;
};

/** Remembers how workers ended, also for the next supervisor. */
export type ExitJournal = {
  /** Writes the end down, and for a crash the worker's last lines. Never throws: what no disk takes is kept in memory. */
  record(ended: EndedWorker): WorkerExit;
  /** The last five ends, newest first. */
  list(): WorkerExit[];
};

const MAX_KEPT = 20;
const MAX_LISTED = 5;
/** How much of an orderly worker's standard error is worth a log line each. */
const MAX_LOGGED = 20;
const MAX_ERROR_LINE = 500;

/** Opens the journal with what an earlier supervisor wrote into it. */
export function openExitJournal(options: ExitJournalOptions): ExitJournal {
  let exits = readExits(options.file).slice(0, MAX_KEPT);
  return {
    record(ended) {
      const exit = ended.isCrash ? recordCrash(ended, options) : recordOrderlyEnd(ended, options);
      exits = [exit, ...exits].slice(0, MAX_KEPT);
      save(exits, options);
      return exit;
    },
    list: () => exits.slice(0, MAX_LISTED),
  };
}

function recordCrash(ended: EndedWorker, options: ExitJournalOptions): WorkerExit {
  const words = readWords(ended, options);
  const exit = toExit(ended, ended.fatalMessage ?? findErrorLine(words), options.redactor);
  const crashLog = writeWords(exit, words, options);
  // What could not be written elsewhere stays where it is.
  ended.output.close({ keep: crashLog === null });
  return { ...exit, crashLog };
}

function recordOrderlyEnd(ended: EndedWorker, { redactor, log }: ExitJournalOptions): WorkerExit {
  const { generation, output } = ended;
  const lines = output.readLines(MAX_LOGGED + 1).filter((line) => line.trim() !== '');
  if (lines.length > MAX_LOGGED) {
    log.warn({ generation }, `The worker wrote more to its standard error than its last ${MAX_LOGGED} lines here.`);
  }
  for (const line of lines.slice(-MAX_LOGGED))
    log.warn({ generation, source: 'stderr' }, line.slice(0, MAX_ERROR_LINE));
  output.close({ keep: false });
  return toExit(ended, ended.fatalMessage, redactor);
}

function readWords({ pid, startedAtMs, output }: EndedWorker, { logFile, log }: ExitJournalOptions): LastWords {
  try {
    return readLastWords({ logFile, pid, startedAtMs, output });
  } catch (error) {
    log.warn({ reason: errorMessage(error) }, 'The last lines of a worker cannot be read.');
    return { log: [], stderr: [] };
  }
}

function toExit(ended: EndedWorker, errorLine: string | null, redactor: Redactor): WorkerExit {
  const { generation, pid, startedAtMs, code, signal, isCrash, reason } = ended;
  const now = Date.now();
  return {
    ...{ generation, pid, code, signal, isCrash },
    at: isoTime(now),
    // The clock may have been set back since.
    uptimeMs: Math.max(0, now - startedAtMs),
    reason: redactor.redact(reason),
    firstErrorLine: errorLine === null ? null : redactor.redact(errorLine).slice(0, MAX_ERROR_LINE),
    crashLog: null,
  };
}

/** The path of the crash log; null when there is nothing to write, or it cannot be written. */
function writeWords(exit: WorkerExit, words: LastWords, { logsDir, redactor, log }: ExitJournalOptions): string | null {
  if (words.log.length === 0 && words.stderr.length === 0) return null;
  try {
    return writeCrashLog({ logsDir, exit, words, redactor });
  } catch (error) {
    log.warn({ generation: exit.generation, reason: errorMessage(error) }, 'The crash log cannot be written.');
    return null;
  }
}

function save(exits: readonly WorkerExit[], { file, log }: ExitJournalOptions): void {
  try {
    writeExits(file, exits);
  } catch (error) {
    log.warn({ file, reason: errorMessage(error) }, 'The ends of workers cannot be written; they are kept in memory.');
  }
}
