import { statSync } from 'node:fs';
import { readTextIfExists } from '../lib/fs.ts';
import { type LockRecord, parseLockRecord } from './lock-record.ts';
import { isSameProcess, readPidScope } from './process-identity.ts';

/**
 * Why a lock counts as held: its owner lives; the file is being written; or the owner runs in another pid namespace,
 * where its pid says nothing, and has touched the file of late.
 */
export type HeldReason = 'alive' | 'unreadable' | 'foreign-namespace';

/** The state of a lock file. `owner` is null when the content is no record. */
export type LockInspection =
  | { state: 'free' }
  | { state: 'held'; owner: LockRecord | null; reason: HeldReason }
  | { state: 'stale'; owner: LockRecord | null };

/** How long content that cannot be parsed is respected: its writer may be between two writes. */
const UNREADABLE_GRACE_MS = 2_000;
/** After how long without a touch the owner in another container counts as gone. A live one touches its lock every 10 s. */
const FOREIGN_SILENCE_MS = 60_000;

/** Says whether a lock is held, and by whom. Never touches the file, so `status` and `doctor` may call it at any time (LOCK-6). */
export async function inspectLock(lockFile: string): Promise<LockInspection> {
  const text = readTextIfExists(lockFile);
  return text === undefined ? { state: 'free' } : judgeLock(lockFile, text);
}

/** The same judgement on content that was read before, so that a taker knows which bytes it judged. */
export async function judgeLock(lockFile: string, text: string): Promise<LockInspection> {
  const owner = parseLockRecord(text);
  if (owner === undefined) {
    const isFresh = fileAgeMs(lockFile) < UNREADABLE_GRACE_MS;
    return isFresh ? { state: 'held', owner: null, reason: 'unreadable' } : { state: 'stale', owner: null };
  }
  const own = readPidScope();
  // Nothing survives a reboot, and a namespace number means nothing in another kernel run.
  if (differs(owner.bootId, own.bootId)) return { state: 'stale', owner };
  if (differs(owner.pidNamespace, own.pidNamespace)) {
    const isSilent = fileAgeMs(lockFile) >= FOREIGN_SILENCE_MS;
    return isSilent ? { state: 'stale', owner } : { state: 'held', owner, reason: 'foreign-namespace' };
  }
  const isAlive = await isSameProcess(owner.pid, owner.startTime);
  return isAlive ? { state: 'held', owner, reason: 'alive' } : { state: 'stale', owner };
}

/** A clock that was set back gives a negative age; its size still tells old from new. */
function fileAgeMs(path: string): number {
  const modified = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  return modified === undefined ? 0 : Math.abs(Date.now() - modified);
}

function differs(recorded: string | null, own: string | null): boolean {
  return recorded !== null && own !== null && recorded !== own;
}
