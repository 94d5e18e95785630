import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { removeFile } from '../lib/fs.ts';
import { isProcessAlive } from '../lib/process-alive.ts';

/** How `lib/fs.ts` names a file that is not complete yet, or that it is just taking away: with the pid of who does it. */
const UNFINISHED = /^\..+\.(\d+)\.(?:[0-9a-f]{8}|taken)$/;

/**
 * Removes files that processes left unfinished when they were killed in the middle of a write; those of a living process stay.
 * Never throws: a folder that cannot be read or written will be told of by whoever needs it.
 */
export function sweepLeftovers(directories: readonly string[]): void {
  for (const directory of directories) {
    for (const name of listNames(directory)) {
      const pid = Number(UNFINISHED.exec(name)?.[1] ?? 0);
      if (pid > 0 && !isProcessAlive(pid)) removeQuietly(join(directory, name));
    }
  }
}

function listNames(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function removeQuietly(path: string): void {
  try {
    removeFile(path);
  } catch {
    // A disk that takes nothing: the next start tries again.
  }
}
