import { isRecord } from '../lib/config/source.ts';
import type { ExitError } from '../lib/errors.ts';
import { EXIT } from '../lib/exit.ts';
import { readTextIfExists, removeFile, writeFileAtomic } from '../lib/fs.ts';
import { isoTime } from '../lib/iso-time.ts';
import type { Paths } from '../lib/paths.ts';
import { stateLockFile } from './instance-locks.ts';
import { inspectLock } from './lock-inspect.ts';

/** Why the last start needs a person. `at` is an ISO time, `exitCode` what the process would have ended with outside of a service. */
export type Fatal = { at: string; exitCode: number; message: string; hint?: string };

/** Keeps the reason; under a service manager whose exit code had to be 0 there is no other trace of it (LOOP-1). */
export function writeFatal(file: string, fatal: Fatal): void {
  writeFileAtomic(file, `${JSON.stringify(fatal)}\n`);
}

/** The reason that was kept; undefined when there is none or it cannot be understood. */
export function readFatal(file: string): Fatal | undefined {
  const value = parseJson(readTextIfExists(file) ?? '');
  if (!isRecord(value)) return undefined;
  const { at, exitCode, message, hint } = value;
  if (typeof at !== 'string' || typeof exitCode !== 'number' || typeof message !== 'string') return undefined;
  return { at, exitCode, message, ...(typeof hint === 'string' ? { hint } : {}) };
}

/** Forgets the reason: a worker serves. */
export function clearFatal(file: string): void {
  removeFile(file);
}

/**
 * Keeps why a start failed if a person has to do something about it. Returns false when it is no such reason, or when another
 * gateway lives with these files: that one is fine, and its status must not say otherwise.
 */
export async function recordFatal({ exitCode, message, hint }: ExitError, paths: Paths): Promise<boolean> {
  if (!NEEDS_PERSON.has(exitCode)) return false;
  for (const file of [paths.lockFile, stateLockFile(paths)]) {
    if ((await inspectLock(file)).state === 'held') return false;
  }
  const at = isoTime(Date.now());
  writeFatal(paths.fatalFile, { at, exitCode, message, ...(hint === undefined ? {} : { hint }) });
  return true;
}

/** Not "already running": who waits for that gateway to end finds nothing to mend. */
const NEEDS_PERSON: ReadonlySet<number> = new Set([EXIT.portBusy, EXIT.protocol, EXIT.config]);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
