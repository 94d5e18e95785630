import { dirname } from 'node:path';
import { isRecord } from '../lib/config/source.ts';
import type { WorkerExit } from '../lib/control.ts';
import { ensurePrivateDirectory, readTextIfExists, writeFileAtomic } from '../lib/fs.ts';

/** The ends of workers as `run/last-exits.json` tells them, newest first. Whatever is no such record is left out; never throws. */
export function readExits(file: string): WorkerExit[] {
  try {
    const value: unknown = JSON.parse(readTextIfExists(file) ?? '[]');
    return Array.isArray(value) ? value.flatMap((item) => parseExit(item) ?? []) : [];
  } catch {
    // Torn, or written by somebody else: it only informs.
    return [];
  }
}

/** Replaces the file, whole at every moment. Throws when it cannot be written. */
export function writeExits(file: string, exits: readonly WorkerExit[]): void {
  ensurePrivateDirectory(dirname(file));
  writeFileAtomic(file, `${JSON.stringify(exits, null, 1)}\n`);
}

function parseExit(value: unknown): WorkerExit | undefined {
  if (!isRecord(value)) return undefined;
  const { generation, at, uptimeMs, isCrash, reason } = value;
  if (typeof generation !== 'number' || typeof at !== 'string' || typeof uptimeMs !== 'number') return undefined;
  if (typeof isCrash !== 'boolean' || typeof reason !== 'string') return undefined;
  return {
    ...{ generation, at, uptimeMs, isCrash, reason },
    pid: numberOrNull(value['pid']),
    code: numberOrNull(value['code']),
    signal: textOrNull(value['signal']),
    firstErrorLine: textOrNull(value['firstErrorLine']),
    crashLog: textOrNull(value['crashLog']),
  };
}

function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
