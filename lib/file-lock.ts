import { randomBytes } from 'node:crypto';
import { linkSync, renameSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode } from './errors.ts';
import { createSyncedFile, identifyFile, modifiedAtMs, readTextIfExists, removeFile, touchFile } from './fs.ts';
import { monotonicMs } from './monotonic.ts';
import { isProcessAlive } from './process-alive.ts';

/** What a holder does under the lock; it is not async, so that nobody holds it for longer than some file writes. */
export type Locked<T> = (proof: {
  /** Throws when the lock was taken away, because we stood still for so long that we counted as dead. */
  assertHeld(): void;
}) => T;

/** A holder that is silent for longer has died, or was stopped and finds out by `assertHeld`. */
const STALE_MS = 10_000;
const RETRY_MS = 5;

/**
 * Runs `act` while no other process that asks for the same file does, and returns what it returns. Rejects after `waitMs`. The
 * lock of a process that was killed is taken over at once on the same machine, elsewhere after ten seconds.
 */
export async function withFileLock<T>(file: string, act: Locked<T>, waitMs = 15_000): Promise<T> {
  const identity = await takeLock(file, waitMs);
  const isHeld = (): boolean => identifyFile(file) === identity;
  try {
    return act({
      assertHeld() {
        if (!isHeld()) throw new Error(`${file} was taken over by another process; nothing was changed`);
      },
    });
  } finally {
    if (isHeld()) removeFile(file);
  }
}

/** A link appears at once and with its content. Returns what identifies the file while it is ours. */
async function takeLock(file: string, waitMs: number): Promise<string | undefined> {
  const deadline = monotonicMs() + waitMs;
  const own = createSyncedFile(file, JSON.stringify({ pid: process.pid, host: hostname() }));
  try {
    for (;;) {
      // Its age counts from now on, however long we waited.
      touchFile(own);
      if (tryLink(own, file)) return identifyFile(file);
      if (monotonicMs() > deadline) throw new Error(`${file} has been held by another process for ${waitMs} ms`);
      dropStale(file);
      await sleep(RETRY_MS * (1 + Math.random()));
    }
  } finally {
    removeFile(own);
  }
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Moves a dead holder's file aside. What turns out to be a fresh one, made since we looked, is put back. */
function dropStale(file: string): void {
  const seen = identifyFile(file);
  if (seen === undefined || !isStale(file)) return;
  const aside = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  try {
    renameSync(file, aside);
    if (identifyFile(aside) !== seen) tryLink(aside, file);
  } catch (error) {
    // Another one who waits was quicker.
    if (errorCode(error) !== 'ENOENT') throw error;
  }
  removeFile(aside);
}

function isStale(file: string): boolean {
  const since = modifiedAtMs(file);
  if (since !== 0 && Math.abs(Date.now() - since) > STALE_MS) return true;
  const [, pid, host] = /"pid":(\d+),"host":"(.*)"/.exec(readTextIfExists(file) ?? '') ?? [];
  return host === hostname() && !isProcessAlive(Number(pid));
}
