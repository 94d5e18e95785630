import { LOG_LEVELS, type LogLevel } from './log-level.ts';

/** A line that our logger wrote. */
export type LogRecord = Readonly<Record<string, unknown>> & { level: number };

export type FormatOptions = {
  color: boolean;
  /** The date and the zone (UTC) too, for lines that are not read as they come. */
  isDated?: boolean;
};

/** The record in one line of a log; undefined when the line is something else, such as the words of a dying runtime. */
export function parseRecord(line: string): LogRecord | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return isLogRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The number that bunyan writes for a level: 10 for trace, 60 for fatal. */
export function levelNumber(level: LogLevel): number {
  return (LOG_LEVELS.indexOf(level) + 1) * 10;
}

/** One JSON line of ours as a person reads it: time, level, process, message, remaining fields. Other text is returned as it is. */
export function formatRecord(line: string, { color, isDated = false }: FormatOptions): string {
  const record = parseRecord(line);
  if (record === undefined) return line.trimEnd();
  const { time, level, msg, proc, err, name: _name, hostname: _hostname, pid: _pid, v: _v, ...fields } = record;
  const label = LEVEL_LABELS[level] ?? { text: String(level), color: 39 };
  const clock = typeof time === 'string' ? (isDated ? time : time.slice(11, 23)) : '';
  const rest = Object.entries(fields).map(([key, value]) => `${key}=${formatValue(value)}`);
  const head = color ? `\x1b[90m${clock}\x1b[0m \x1b[${label.color}m${label.text}\x1b[0m` : `${clock} ${label.text}`;
  const tail = rest.length === 0 ? '' : color ? ` \x1b[90m${rest.join(' ')}\x1b[0m` : ` ${rest.join(' ')}`;
  const stack =
    typeof err === 'object' && err !== null && 'stack' in err ? `\n${escapeControls(String(err.stack))}` : '';
  return `${head} ${String(proc ?? '').slice(0, 10)}: ${escapeControls(String(msg ?? ''))}${tail}${stack}`;
}

function isLogRecord(value: unknown): value is LogRecord {
  return typeof value === 'object' && value !== null && 'level' in value && typeof value.level === 'number';
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
  const text = typeof value === 'string' && !/[\s"=]/.test(value) ? value : JSON.stringify(value);
  return escapeControls(text);
}

/** What a stranger wrote to a channel must not move the cursor of the person who reads about it. Line breaks and tabs stay. */
function escapeControls(text: string): string {
  return text.replace(CONTROLS, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for.
const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;
