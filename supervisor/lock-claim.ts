import { createHash } from 'node:crypto';
import { linkSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { errorCode } from '../lib/errors.ts';
import { createSyncedFile, readTextIfExists, removeFile, syncDirectory, writeFileAtomic } from '../lib/fs.ts';
import { judgeLock, type LockInspection } from './lock-inspect.ts';
import type { LockRecord } from './lock-record.ts';

/**
 * The outcome of one try: the file holds our content now, in place of what a dead owner left in it; or somebody's; or it
 * changed under us and may be tried again.
 */
export type Claim = { t: 'won'; replaced: LockRecord | null } | { t: 'held'; holder: Holder } | { t: 'changed' };

/** Who stands in the way, with the reason why it counts as there. */
export type Holder = Extract<LockInspection, { state: 'held' }>;

export type ClaimOptions = {
  file: string;
  content: string;
  /** Takes the lock of an owner in another pid namespace too, whom nobody here can judge. */
  isForced: boolean;
};

/**
 * Puts our content into `file` if it is free or its owner is provably gone; at most one of any number of contenders wins (LOCK-1).
 * A free file is taken by hard link, which is atomic and shows complete content at once. A stale one is replaced only by
 * the winner of a token that belongs to exactly those stale bytes, and only while the file still holds them.
 */
export async function claimFile(options: ClaimOptions): Promise<Claim> {
  const text = readTextIfExists(options.file);
  if (text === undefined) return linkContent(options) ? { t: 'won', replaced: null } : { t: 'changed' };
  const found = await judgeLock(options.file, text);
  if (found.state === 'free') return { t: 'changed' };
  if (found.state === 'held' && !(options.isForced && found.reason === 'foreign-namespace')) {
    return { t: 'held', holder: found };
  }
  return replaceStale(options, text, found.owner);
}

/** Removes what dead takers left beside a lock that is ours now: their tokens speak of bytes that are gone. */
export function sweepTokens(lockFile: string): void {
  const prefix = `${basename(lockFile)}.takeover.`;
  for (const name of readdirSync(dirname(lockFile))) {
    if (name.startsWith(prefix)) removeFile(join(dirname(lockFile), name));
  }
}

function linkContent({ file, content }: ClaimOptions): boolean {
  const temporary = createSyncedFile(file, content);
  try {
    linkSync(temporary, file);
    syncDirectory(dirname(file));
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  } finally {
    removeFile(temporary);
  }
}

async function replaceStale(options: ClaimOptions, staleText: string, replaced: LockRecord | null): Promise<Claim> {
  // The token is a lock itself: one whose taker died is taken over in the same way.
  const token = `${options.file}.takeover.${createHash('sha256').update(staleText).digest('hex').slice(0, 16)}`;
  const claim = await claimFile({ ...options, file: token });
  if (claim.t !== 'won') return claim;
  try {
    // Another taker may have come and gone since the bytes were read.
    if (readTextIfExists(options.file) !== staleText) return { t: 'changed' };
    writeFileAtomic(options.file, options.content);
    return { t: 'won', replaced };
  } finally {
    removeFile(token);
  }
}
