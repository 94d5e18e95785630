import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  type Stats,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { errorCode } from './errors.ts';

/** Creates a directory and its parents for the owner only (0700) and narrows one that is open to others (SEC-2). Returns true when it was narrowed. */
export function ensurePrivateDirectory(path: string): boolean {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return narrowMode(path, 0o700);
}

/**
 * As `ensurePrivateDirectory`; but where others may create names too, such as in `/tmp`, it throws when what is there is a link,
 * somebody else's, or open to others: then its content cannot be trusted.
 */
export function ensureOwnDirectory(path: string): void {
  const parent = statSync(dirname(path), { throwIfNoEntry: false });
  if (parent === undefined || (parent.mode & 0o022) === 0) {
    ensurePrivateDirectory(path);
    return;
  }
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const found = lstatSync(path);
  if (!found.isDirectory()) throw new Error(`${path} is no directory`);
  if (found.uid !== process.getuid?.()) throw new Error(`${path} belongs to another user`);
  if ((found.mode & 0o077) !== 0) throw new Error(`${path} is open to other users`);
}

/** Takes away the rights of group and others from a file of ours. Returns true when there were any; a missing file is left alone. */
export function narrowMode(path: string, mode: number): boolean {
  try {
    if (!isOpenToOthers(path)) return false;
    chmodSync(path, mode);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/** True when group or others have any right to a file or directory. Throws when it does not exist. */
export function isOpenToOthers(path: string): boolean {
  // Windows has no POSIX modes: a new file inherits the owner-only list of the profile directory.
  return process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0;
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
 * The text of a file that is removed in the same step, so that one taker has it and nobody a second time. Undefined when it
 * does not exist, or is longer than `maxBytes`: then it is removed unread.
 */
export function takeTextFile(path: string, maxBytes: number): string | undefined {
  const taken = join(dirname(path), `.${basename(path)}.${process.pid}.taken`);
  try {
    renameSync(path, taken);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return statSync(taken).size > maxBytes ? undefined : readFileSync(taken, 'utf8');
  } finally {
    rmSync(taken, { recursive: true, force: true });
  }
}

/**
 * Replaces a file so that a crash at any moment leaves the old or the new content, never half: temporary file beside it,
 * fsync, rename, fsync of the directory. The file is readable by the owner only.
 */
export function writeFileAtomic(path: string, content: string | Buffer): void {
  const temporary = createSyncedFile(path, content);
  try {
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncDirectory(dirname(path));
}

/**
 * As `writeFileAtomic`, for a file that belongs to a person: a symbolic link stays and its target is replaced, and mode and owner stay
 * as they were (CFG-1). `commit` is called right before the replacement, and may throw to keep the old file.
 */
export function replaceFileAtomic(path: string, content: string, commit: () => void = () => undefined): void {
  const target = existsSync(path) ? realpathSync(path) : path;
  const found = statSync(target, { throwIfNoEntry: false });
  const temporary = createSyncedFile(target, content);
  try {
    if (found !== undefined) copyRights(found, temporary);
    commit();
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncDirectory(dirname(target));
}

function copyRights({ uid, gid, mode }: Stats, to: string): void {
  if (process.getuid?.() === 0) chownSync(to, uid, gid);
  chmodSync(to, mode & 0o7777);
}

/** Writes a complete, synced file under a temporary name beside `path` and returns that name. */
export function createSyncedFile(path: string, content: string | Buffer): string {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.${randomBytes(4).toString('hex')}`);
  const fd = openSync(temporary, 'wx', 0o600);
  try {
    // Until all of it is written: a disk that is just full takes a part without an error.
    writeFileSync(fd, content);
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

/** Moves a file over another one of the same directory, which nobody ever sees missing. */
export function replaceFile(from: string, to: string): void {
  renameSync(from, to);
}

/** What tells this file from any other that has its path later; undefined when there is none. */
export function identifyFile(path: string): string | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false, bigint: true });
  // The number of a removed file is soon given to another one; the time of birth is not.
  return found === undefined ? undefined : `${found.dev}:${found.ino}:${found.birthtimeNs}`;
}

/** Removes a file; a missing one is no error. */
export function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

/** Removes a directory that holds nothing; one that does, or is missing, is left alone. */
export function removeEmptyDirectory(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(errorCode(error) ?? '')) throw error;
  }
}

/** When a file was last changed, in milliseconds since 1970; 0 when it does not exist or cannot be looked at. */
export function modifiedAtMs(path: string): number {
  try {
    return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  } catch {
    // A link that goes round in a circle, or a disk that fails: to whoever asks each second it is as good as gone.
    return 0;
  }
}

/** Creates an empty file for the owner only, in place of an older one, and returns its descriptor: whoever writes to it appends. */
export function createAppendFile(path: string): number {
  removeFile(path);
  return openSync(path, 'ax+', 0o600);
}

/** Sets the time of a file's last change to now. */
export function touchFile(path: string): void {
  const now = new Date();
  utimesSync(path, now, now);
}
