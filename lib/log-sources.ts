import { closeSync, fstatSync, openSync } from 'node:fs';
import { errorCode } from './errors.ts';
import { listLogFiles } from './log-file.ts';

/** An open file of a log; `id` is the same under every name that the file gets. */
export type LogSource = { fd: number; id: string };

/** Opens the files of a log, newest first; the caller closes them. Files only move up, so this walk may meet one twice but misses none. */
export function openLogFiles(path: string): LogSource[] {
  const sources: LogSource[] = [];
  for (const file of listLogFiles(path)) {
    const source = openIfExists(file);
    if (source === undefined) continue;
    if (sources.some(({ id }) => id === source.id)) closeSync(source.fd);
    else sources.push(source);
  }
  return sources;
}

/** The id of a file by what `stat` with `bigint` says. */
export function identifyFile({ dev, ino }: { dev: bigint; ino: bigint }): string {
  return `${dev}:${ino}`;
}

function openIfExists(path: string): LogSource | undefined {
  try {
    const fd = openSync(path, 'r');
    return { fd, id: identifyFile(fstatSync(fd, { bigint: true })) };
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
