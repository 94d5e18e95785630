import { isRecord } from '../lib/config/source.ts';

/** Who holds a lock, as written into its file on one line (SPEC 3.2). It holds no secret (LOCK-6). */
export type LockRecord = {
  pid: number;
  /** ISO time at which the lock was taken. */
  createdAt: string;
  configPath: string;
  /** Of the process, in the unit of `readStartTime`. */
  startTime: number | null;
  bootId: string | null;
  pidNamespace: string | null;
  /** Random per start; a lock is released only by the instance that wrote it (LOCK-5). */
  instanceId: string;
  version: string;
  stateDir: string;
  port: number | null;
  workerPid: number | null;
  phase: string;
};

/** The content of a lock file. */
export function formatLockRecord(record: LockRecord): string {
  return `${JSON.stringify(record)}\n`;
}

/** Reads a lock file's content; undefined when it is not a whole record. Fields that an older version did not write are null or empty. */
export function parseLockRecord(text: string): LockRecord | undefined {
  const value = parseJson(text);
  if (!isRecord(value)) return undefined;
  const pid = wholeNumber(value['pid']);
  if (pid === null || pid <= 0) return undefined;
  return {
    pid,
    createdAt: string(value['createdAt']) ?? '',
    configPath: string(value['configPath']) ?? '',
    startTime: wholeNumber(value['startTime']),
    bootId: string(value['bootId']),
    pidNamespace: string(value['pidNamespace']),
    instanceId: string(value['instanceId']) ?? '',
    version: string(value['version']) ?? '',
    stateDir: string(value['stateDir']) ?? '',
    port: wholeNumber(value['port']),
    workerPid: wholeNumber(value['workerPid']),
    phase: string(value['phase']) ?? '',
  };
}

/** Names the holder of a lock for a person: pid, since when, phase, port. `now` is in milliseconds since 1970. */
export function describeOwner(owner: LockRecord, now: number): string {
  const parts = [`PID ${owner.pid}`];
  const since = Date.parse(owner.createdAt);
  if (!Number.isNaN(since)) parts.push(`since ${owner.createdAt} (${formatAge(now - since)})`);
  if (owner.phase !== '') parts.push(`phase ${owner.phase}`);
  if (owner.port !== null) parts.push(`port ${owner.port}`);
  return parts.join(', ');
}

function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  const hours = Math.floor(seconds / 3600);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} days`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function wholeNumber(value: unknown): number | null {
  return typeof value === 'number' && Number.isInteger(value) ? value : null;
}

function string(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
