import type { Logger, RootLogger } from '../../lib/log.ts';

type LogLevel = Exclude<keyof Logger, 'child' | 'level'>;

export type LogEntry = { level: LogLevel; message: string; fields: Readonly<Record<string, unknown>> };

/** A logger that writes down what it is told. */
export function createRecordingLog(): { log: RootLogger; entries: LogEntry[]; messages(): string[] } {
  const entries: LogEntry[] = [];
  const method = (level: LogLevel) => (first: Readonly<Record<string, unknown>> | string, second?: string) => {
    if (typeof first === 'string') entries.push({ level, message: first, fields: {} });
    else entries.push({ level, message: second ?? '', fields: first });
  };
  const log: RootLogger = {
    trace: method('trace'),
    debug: method('debug'),
    info: method('info'),
    warn: method('warn'),
    error: method('error'),
    fatal: method('fatal'),
    child: () => log,
    level: () => undefined,
    together: (say) => say(),
  };
  return { log, entries, messages: () => entries.map(({ message }) => message) };
}
