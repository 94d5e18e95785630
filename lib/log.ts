import bunyan from 'bunyan';
import type { Environment } from './env.ts';
import { errorMessage } from './errors.ts';
import type { LogFile } from './log-file.ts';
import type { LogLevel } from './log-level.ts';
import type { Redactor } from './redact.ts';

type LogMethod = {
  (fields: Readonly<Record<string, unknown>>, message: string): void;
  (message: string): void;
};

/** Our logger, a subset of bunyan's: structured fields first, a message last. */
export type Logger = Readonly<Record<LogLevel, LogMethod>> & {
  child(fields: Readonly<Record<string, unknown>>): Logger;
  level(value: LogLevel): void;
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

/** Creates the logger of a process: JSON lines into the file, and readable ones on the terminal. Every line passes the redactor. */
export function createLogger(options: LoggerOptions): Logger {
  const { redactor, file, console } = options;
  const stream = {
    write(line: string) {
      const safe = redactor.redact(line);
      file.write(safe);
      if (console === undefined) return;
      console.write(console.pretty ? `${formatRecord(safe, console.color)}\n` : safe);
    },
  };
  const logger = bunyan.createLogger({
    name: 'xopc',
    proc: options.process,
    serializers: { err: serializeError },
    streams: [{ level: options.level, stream: stream as NodeJS.WritableStream }],
  });
  return logger as unknown as Logger;
}

/** One JSON line of ours as a person reads it: time, level, process, message, remaining fields. Other text is returned as it is. */
export function formatRecord(line: string, color: boolean): string {
  let record: Record<string, unknown>;
  try {
    record = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return line.trimEnd();
  }
  const { time, level, msg, proc, err, name: _name, hostname: _hostname, pid: _pid, v: _v, ...fields } = record;
  const label = LEVEL_LABELS[Number(level)] ?? { text: String(level), color: 39 };
  const clock = typeof time === 'string' ? time.slice(11, 23) : '';
  const rest = Object.entries(fields).map(([key, value]) => `${key}=${formatValue(value)}`);
  const head = color ? `\x1b[90m${clock}\x1b[0m \x1b[${label.color}m${label.text}\x1b[0m` : `${clock} ${label.text}`;
  const tail = rest.length === 0 ? '' : color ? ` \x1b[90m${rest.join(' ')}\x1b[0m` : ` ${rest.join(' ')}`;
  const stack = typeof err === 'object' && err !== null && 'stack' in err ? `\n${String(err.stack)}` : '';
  return `${head} ${String(proc ?? '').slice(0, 10)}: ${String(msg)}${tail}${stack}`;
}

const LEVEL_LABELS: Readonly<Record<number, { text: string; color: number }>> = {
  10: { text: 'TRACE', color: 90 },
  20: { text: 'DEBUG', color: 36 },
  30: { text: 'INFO ', color: 32 },
  40: { text: 'WARN ', color: 33 },
  50: { text: 'ERROR', color: 31 },
  60: { text: 'FATAL', color: 35 },
};

function formatValue(value: unknown): string {
  return typeof value === 'string' && !/[\s"=]/.test(value) ? value : JSON.stringify(value);
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
  if (env['XOPC_LOG_CONSOLE'] === 'false') return {};
  const isTerminal = process.stdout.isTTY === true;
  // A closed terminal or pipe must not end the gateway; the file has every line.
  let isGone = false;
  process.stdout.on('error', () => {
    isGone = true;
  });
  return {
    console: {
      write(text) {
        if (!isGone) process.stdout.write(text);
      },
      pretty: isTerminal,
      color: isTerminal && env['NO_COLOR'] === undefined,
    },
  };
}
