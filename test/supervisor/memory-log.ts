import { createLogger, type Logger } from '../../lib/log.ts';
import { createRedactor } from '../../lib/redact.ts';
import type { LogRecord } from './running-supervisor.ts';

/** The product's logger with its lines kept in memory. */
export function openMemoryLog(): { log: Logger; records: LogRecord[] } {
  const records: LogRecord[] = [];
  const file = { write: (line: string) => void records.push(JSON.parse(line)), close: () => undefined };
  return { log: createLogger({ process: 'supervisor', level: 'debug', redactor: createRedactor(), file }), records };
}
