import { closeSync, fstatSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorCode } from './errors.ts';
import { ensurePrivateDirectory } from './fs.ts';

export type LogFileOptions = { maxBytes?: number; maxFiles?: number };

/** Appends whole lines to a log file. */
export type LogFile = { write(line: string): void; close(): void };

const DEFAULT_MAX_FILES = 5;
const CHECK_EVERY_MS = 1_000;
const STALE_CLAIM_MS = 10_000;

/**
 * Opens a size-capped log file that several processes may append to: each line is one O_APPEND write, so lines never mix,
 * and it is on disk before `write` returns, so none is lost on exit. At `maxBytes` (default 10 MB) whoever notices first
 * moves the files up by one (`.1` is the newest, `maxFiles` are kept, default 5); the others follow within a second.
 * A full disk drops lines and never throws (OBS-2).
 */
export function openLogFile(path: string, options: LogFileOptions = {}): LogFile {
  const maxBytes = options.maxBytes ?? 10 * 1024 * 1024;
  const maxFiles = options.maxFiles ?? DEFAULT_MAX_FILES;
  ensurePrivateDirectory(dirname(path));
  let fd = openSync(path, 'a', 0o600);
  let size = fstatSync(fd).size;
  let checkedAt = Date.now();

  function reopen(): void {
    // The old one stays until there is a new one: its number could become somebody else's file.
    const next = openSync(path, 'a', 0o600);
    closeSync(fd);
    fd = next;
    size = fstatSync(fd).size;
  }

  function followRotation(now: number): void {
    checkedAt = now;
    const current = fstatSync(fd);
    size = current.size;
    if (statSync(path, { throwIfNoEntry: false })?.ino !== current.ino) reopen();
  }

  return {
    write(line) {
      const now = Date.now();
      try {
        if (now - checkedAt >= CHECK_EVERY_MS) followRotation(now);
        size += writeSync(fd, line);
        if (size < maxBytes) return;
        rotate(path, maxBytes, maxFiles);
        reopen();
      } catch {
        // A log that cannot be written must not stop the gateway.
      }
    },
    close() {
      closeSync(fd);
    },
  };
}

/** The paths of a log and of what it was moved up to, newest first, whether they exist or not. */
export function listLogFiles(path: string): string[] {
  return Array.from({ length: DEFAULT_MAX_FILES }, (_, index) => (index === 0 ? path : `${path}.${index}`));
}

/** Shifts the files once, even when two processes reach the limit together: the claim file decides, and the size is looked at again under it. */
function rotate(path: string, maxBytes: number, maxFiles: number): void {
  const claim = `${path}.rotating`;
  if (!takeClaim(claim)) return;
  try {
    if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) < maxBytes) return;
    rmSync(`${path}.${maxFiles - 1}`, { force: true });
    for (let index = maxFiles - 2; index >= 1; index -= 1) moveIfExists(`${path}.${index}`, `${path}.${index + 1}`);
    moveIfExists(path, `${path}.1`);
  } finally {
    rmSync(claim, { force: true });
  }
}

function takeClaim(claim: string): boolean {
  const held = statSync(claim, { throwIfNoEntry: false });
  if (held !== undefined && Date.now() - held.mtimeMs > STALE_CLAIM_MS) rmSync(claim, { force: true });
  try {
    closeSync(openSync(claim, 'wx', 0o600));
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

function moveIfExists(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}
