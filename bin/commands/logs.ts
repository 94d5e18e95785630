import { setTimeout as sleep } from 'node:timers/promises';
import { ExitError, errorMessage } from '../../lib/errors.ts';
import { EXIT } from '../../lib/exit.ts';
import { LOG_LEVELS, type LogLevel } from '../../lib/log-level.ts';
import { formatRecord, levelNumber, parseRecord } from '../../lib/log-record.ts';
import { resolvePaths } from '../../lib/paths.ts';
import type { CommandContext } from '../context.ts';
import { type LineWriter, openLineWriter } from '../line-writer.ts';
import { LogReader } from '../log-reader.ts';
import type { Output } from '../output.ts';

type LogsOptions = {
  count: number;
  isFollowing: boolean;
  accepts(line: string): boolean;
  format(line: string): string;
};

const POLL_MS = 200;

/**
 * `xopc gateway logs`: the last lines of the log, and with `--follow` what is added until Ctrl+C or until nobody reads.
 * With `--json` each line is one JSON document: the one command whose output is more than one.
 */
export async function showLogs(context: CommandContext, options: Record<string, unknown>): Promise<number> {
  const settings = readOptions(context, options);
  const { logFile } = resolvePaths(context.env, context.configFlag);
  const reader = openLog(logFile, settings, context.output);
  const writer = openLineWriter();
  try {
    await print(reader, writer, settings);
    if (settings.isFollowing) await follow(reader, writer, settings);
  } finally {
    reader.close();
  }
  return EXIT.ok;
}

function readOptions({ env, output }: CommandContext, options: Record<string, unknown>): LogsOptions {
  const isFollowing = options['follow'] === true;
  const minimum = options['level'] === undefined ? 0 : levelNumber(readLevel(String(options['level']), output));
  const color = output.isTerminal && env['NO_COLOR'] === undefined;
  return {
    isFollowing,
    count: readCount(String(options['lines'] ?? '50'), isFollowing, output),
    // What is no record may be the last words of a dying process: no level hides it.
    accepts: (line) => minimum === 0 || (parseRecord(line)?.level ?? minimum) >= minimum,
    format: options['json'] === true ? toJsonLine : (line) => formatRecord(line, { color, isDated: true }),
  };
}

function readLevel(value: string, output: Output): LogLevel {
  const level = LOG_LEVELS.find((name) => name === value);
  if (level !== undefined) return level;
  throw new ExitError(EXIT.usage, output.text('badLevel', { value }), {
    hint: output.text('badLevelHint', { levels: LOG_LEVELS.join(', ') }),
  });
}

function readCount(value: string, isFollowing: boolean, output: Output): number {
  const count = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
  if (count > 0 || (count === 0 && isFollowing)) return count;
  throw new ExitError(EXIT.usage, output.text('badLines', { value }), { hint: output.text('badLinesHint') });
}

/** Whoever reads JSON lines must not stumble over a line that is none. */
function toJsonLine(line: string): string {
  return parseRecord(line) === undefined ? JSON.stringify({ msg: line }) : line;
}

/** The log, at the first line to show. */
function openLog(path: string, settings: LogsOptions, output: Output): LogReader {
  const reader = openOrExplain(path, settings, output);
  if (reader.hasFiles) return reader;
  if (!settings.isFollowing)
    throw new ExitError(EXIT.failure, output.text('noLog', { path }), { hint: output.text('noLogHint') });
  output.warning(output.text('waitingForLog', { path }));
  return reader;
}

function openOrExplain(path: string, { count, isFollowing, accepts }: LogsOptions, output: Output): LogReader {
  try {
    const reader = new LogReader(path, { isFollowing });
    reader.seekLast(count, accepts);
    return reader;
  } catch (error) {
    throw new ExitError(EXIT.failure, output.text('logUnreadable', { path, reason: errorMessage(error) }), {
      hint: output.text('logUnreadableHint'),
      cause: error,
    });
  }
}

async function print(reader: LogReader, writer: LineWriter, { accepts, format }: LogsOptions): Promise<void> {
  for (const lines of reader.read()) {
    if (writer.closed.aborted) return;
    const shown = lines.filter(accepts).map((line) => `${format(line)}\n`);
    if (shown.length > 0) await writer.write(shown.join(''));
  }
}

async function follow(reader: LogReader, writer: LineWriter, settings: LogsOptions): Promise<void> {
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort());
  const ended = AbortSignal.any([interrupted.signal, writer.closed]);
  while (!ended.aborted) {
    // Aborted by what ends the loop.
    await sleep(POLL_MS, undefined, { signal: ended }).catch(() => undefined);
    reader.refresh();
    await print(reader, writer, settings);
  }
}
