import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { errorCode } from './errors.ts';

/** Creates a directory and its parents for the owner only (0700) and narrows one that is open to others (SEC-2). Returns true when it was narrowed. */
export function ensurePrivateDirectory(path: string): boolean {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return narrowMode(path, 0o700);
}

/** Takes away the rights of group and others from a file of ours. Returns true when there were any; a missing file is left alone. */
export function narrowMode(path: string, mode: number): boolean {
  // Windows has no POSIX modes: a new file inherits the owner-only list of the profile directory.
  if (process.platform === 'win32') return false;
  try {
    if ((statSync(path).mode & 0o077) === 0) return false;
    chmodSync(path, mode);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/** The text of a file, or undefined when it does not exist. */
export function readTextIfExists(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Replaces a file so that a crash at any moment leaves the old or the new content, never half: temporary file beside it,
 * fsync, rename, fsync of the directory. The file is readable by the owner only.
 */
export function writeFileAtomic(path: string, content: string): void {
  const temporary = createSyncedFile(path, content);
  try {
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncDirectory(dirname(path));
}

/** Writes a complete, synced file under a temporary name beside `path` and returns that name. */
export function createSyncedFile(path: string, content: string): string {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.${randomBytes(4).toString('hex')}`);
  const fd = openSync(temporary, 'wx', 0o600);
  try {
    writeSync(fd, content);
    fsyncSync(fd);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
  return temporary;
}

/** Makes a rename or link in a directory durable. Directories cannot be opened on Windows, where this does nothing. */
export function syncDirectory(path: string): void {
  if (process.platform === 'win32') return;
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Removes a file; a missing one is no error. */
export function removeFile(path: string): void {
  rmSync(path, { force: true });
}
