import { EOL } from 'node:os';
import bunyan from 'bunyan';
import type { Environment } from './env.ts';
import { errorMessage } from './errors.ts';
import { isoTime } from './iso-time.ts';
import type { LogFile } from './log-file.ts';
import type { LogLevel } from './log-level.ts';
import { formatRecord } from './log-record.ts';
import type { Redactor } from './redact.ts';
import { suppressRepeats } from './repeat-filter.ts';

type LogMethod = {
  (fields: Readonly<Record<string, unknown>>, message: string): void;
  (message: string): void;
};

/** Our logger, a subset of bunyan's: structured fields first, a message last. */
export type Logger = Readonly<Record<LogLevel, LogMethod>> & {
  child(fields: Readonly<Record<string, unknown>>): Logger;
  level(value: LogLevel): void;
};

/** The logger of a process, which its children write through. */
export type RootLogger = Logger & {
  /** What is said inside goes to disk in one write. */
  together(say: () => void): void;
};

export type LoggerOptions = {
  /** Field `proc` of every line: which of the two processes wrote it. */
  process: 'supervisor' | 'worker';
  level: LogLevel;
  redactor: Redactor;
  file: LogFile;
  /** Where to repeat the lines for a person; absent when nobody looks. */
  console?: { write(text: string): void; pretty: boolean; color: boolean };
};

/**
 * Creates the logger of a process: JSON lines into the file, and readable ones on the terminal. Every line passes the
 * redactor; a line that only repeats the one before it is counted instead (OBS-2).
 */
export function createLogger(options: LoggerOptions): RootLogger {
  const { redactor, file, console } = options;
  let collected: string[] | undefined;
  const put = (text: string): void => {
    file.write(text);
    if (console?.pretty === false) console.write(text);
  };
  const write = suppressRepeats((line) => {
    const safe = redactor.redact(line);
    if (collected === undefined) put(safe);
    else collected.push(safe);
    if (console?.pretty === true) console.write(`${formatRecord(safe, { color: console.color })}\n`);
  });
  const together = (say: () => void): void => {
    const lines: string[] = [];
    collected = lines;
    try {
      say();
    } finally {
      collected = undefined;
      put(lines.join(''));
    }
  };
  const stream = { write: (record: Readonly<Record<string, unknown>>) => write(`${toJson(record)}${EOL}`) };
  const logger = bunyan.createLogger({
    name: 'xopc',
    proc: options.process,
    serializers: { err: serializeError },
    streams: [{ type: 'raw', level: options.level, stream: stream as unknown as NodeJS.WritableStream }],
  });
  return Object.assign(logger, { together }) as unknown as RootLogger;
}

/** What bunyan would write, except for who formats the time. */
function toJson(record: Readonly<Record<string, unknown>>): string {
  const { time } = record;
  const written = time instanceof Date ? { ...record, time: isoTime(time.getTime()) } : record;
  try {
    return JSON.stringify(written);
  } catch {
    return toJsonSomehow(written);
  }
}

/** A record that holds itself, or what JSON has no form for, such as a BigInt: then only what every record has is written. */
function toJsonSomehow(record: Readonly<Record<string, unknown>>): string {
  try {
    return JSON.stringify(record, bunyan.safeCycles());
  } catch (error) {
    const { name, hostname, pid, proc, level, msg, time, v } = record;
    return JSON.stringify({ name, hostname, pid, proc, level, unwritable: errorMessage(error), msg, time, v });
  }
}

/** Bunyan's own serializer drops causes, and the cause is what an operator needs at 3 a.m. */
function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { message: errorMessage(error) };
  const code = 'code' in error ? error.code : undefined;
  return {
    name: error.name,
    message: error.message,
    code,
    stack: error.stack,
    cause: error.cause === undefined ? undefined : serializeError(error.cause),
  };
}

/** Where a daemon repeats its log besides the file: pretty on a terminal, JSON lines elsewhere; nowhere when `XOPC_LOG_CONSOLE` is false. */
export function terminalOutput(env: Environment): Pick<LoggerOptions, 'console'> {
  // A closed terminal or pipe must not end the gateway, whoever writes to it; the file has every line.
  let isGone = false;
  process.stdout.on('error', () => {
    isGone = true;
  });
  if (env['XOPC_LOG_CONSOLE'] === 'false') return {};
  const isTerminal = process.stdout.isTTY === true;
  // The stream's own: what others write to it may become lines of this log.
  const write = process.stdout.write.bind(process.stdout);
  return {
    console: {
      write(text) {
        if (!isGone) write(text);
      },
      pretty: isTerminal,
      color: isTerminal && env['NO_COLOR'] === undefined,
    },
  };
}
