import {
  appendFileSync,
  chmodSync,
  closeSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  createAppendFile,
  createSyncedFile,
  ensureOwnDirectory,
  ensurePrivateDirectory,
  identifyFile,
  modifiedAtMs,
  narrowMode,
  readTextIfExists,
  removeFile,
  replaceFile,
  takeTextFile,
  touchFile,
  writeFileAtomic,
} from '../../lib/fs.ts';
import { canMountDisk, mountSmallDisk } from '../supervisor/small-disk.ts';
import { runInThreads } from './parallel-threads.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const modeOf = (path: string): number => statSync(path).mode & 0o777;

describe('a private directory', () => {
  it('is made with its parents for the owner only', () => {
    const path = join(temporaryDirectory(), 'a', 'b');
    expect(ensurePrivateDirectory(path)).toBe(false);
    expect(modeOf(path)).toBe(0o700);
  });

  it('that is open to others is narrowed, and that is told', () => {
    const path = join(temporaryDirectory(), 'open');
    mkdirSync(path);
    chmodSync(path, 0o755);
    expect(ensurePrivateDirectory(path)).toBe(true);
    expect(ensurePrivateDirectory(path)).toBe(false);
    expect(modeOf(path)).toBe(0o700);
  });
});

describe.runIf(process.platform !== 'win32')('a directory of our own', () => {
  it('is narrowed where only we can create names', () => {
    const path = join(temporaryDirectory(), 'run');
    mkdirSync(path, { mode: 0o755 });
    ensureOwnDirectory(path);
    expect(modeOf(path)).toBe(0o700);
  });

  it('is made where others can too, and not trusted there when it is open to them', () => {
    const shared = join(temporaryDirectory(), 'tmp');
    mkdirSync(shared);
    chmodSync(shared, 0o1777);
    const path = join(shared, 'own');
    ensureOwnDirectory(path);
    ensureOwnDirectory(path);
    expect(modeOf(path)).toBe(0o700);
    chmodSync(path, 0o770);
    expect(() => ensureOwnDirectory(path)).toThrow(`${path} is open to other users`);
    writeFileSync(join(shared, 'file'), '');
    expect(() => ensureOwnDirectory(join(shared, 'file'))).toThrow('EEXIST');
  });
});

describe('the identity of a file', () => {
  it('stays when it moves, and is no other file that takes its path', () => {
    const [from, to] = ['a', 'b'].map((name) => join(temporaryDirectory(), name)) as [string, string];
    writeFileSync(from, 'same');
    const identity = identifyFile(from);
    replaceFile(from, to);
    expect(identifyFile(from)).toBeUndefined();
    expect(identifyFile(to)).toBe(identity);
    removeFile(to);
    writeFileSync(to, 'same');
    expect(identifyFile(to)).not.toBe(identity);
  });
});

describe('the time of the last change', () => {
  it('is that of the file, and 0 for one that is missing or cannot be looked at', () => {
    const path = join(temporaryDirectory(), 'file');
    expect(modifiedAtMs(path)).toBe(0);
    writeFileSync(path, '');
    expect(Math.abs(Date.now() - modifiedAtMs(path))).toBeLessThan(60_000);
    removeFile(path);
    symlinkSync('file', path);
    expect(modifiedAtMs(path)).toBe(0);
  });
});

describe('narrowing', () => {
  it('takes rights from others only, and leaves a missing file alone', () => {
    const path = join(temporaryDirectory(), 'file');
    expect(narrowMode(path, 0o600)).toBe(false);
    writeFileSync(path, '', { mode: 0o644 });
    expect(narrowMode(path, 0o600)).toBe(true);
    expect(modeOf(path)).toBe(0o600);
    chmodSync(path, 0o400);
    expect(narrowMode(path, 0o600)).toBe(false);
    expect(modeOf(path)).toBe(0o400);
  });
});

describe('reading', () => {
  it('gives nothing for a file that is not there, and an error for one that cannot be read', () => {
    const directory = temporaryDirectory();
    expect(readTextIfExists(join(directory, 'none'))).toBeUndefined();
    expect(() => readTextIfExists(directory)).toThrow('EISDIR');
  });
});

describe('an atomic write', () => {
  it('replaces the content, for the owner only, and leaves nothing else behind', () => {
    const directory = temporaryDirectory();
    const path = join(directory, 'file');
    writeFileSync(path, 'old', { mode: 0o644 });
    writeFileAtomic(path, 'new ü');
    expect(readFileSync(path, 'utf8')).toBe('new ü');
    expect(modeOf(path)).toBe(0o600);
    expect(readdirSync(directory)).toEqual(['file']);
  });

  it('writes large texts whole', () => {
    const path = join(temporaryDirectory(), 'file');
    writeFileAtomic(path, 'ü'.repeat(3_000_000));
    expect(statSync(path).size).toBe(6_000_000);
  });

  it('that fails leaves the old content and no temporary file', () => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, 'taken'));
    writeFileSync(join(directory, 'taken', 'x'), '');
    expect(() => writeFileAtomic(join(directory, 'taken'), 'new')).toThrow();
    expect(readdirSync(directory)).toEqual(['taken']);
    expect(() => writeFileAtomic(join(directory, 'none', 'file'), 'new')).toThrow('ENOENT');
  });
});

describe('a synced file', () => {
  it('stands beside the one it is for, under another name each time', () => {
    const path = join(temporaryDirectory(), 'file');
    const names = [createSyncedFile(path, 'a'), createSyncedFile(path, 'b')];
    expect(names.map((name) => readFileSync(name, 'utf8'))).toEqual(['a', 'b']);
    expect(readTextIfExists(path)).toBeUndefined();
    for (const name of names) removeFile(name);
    for (const name of names) removeFile(name);
    expect(readTextIfExists(names[0] ?? '')).toBeUndefined();
  });
});

describe('taking a file', () => {
  it('gives its text and removes it', () => {
    const directory = temporaryDirectory();
    const path = join(directory, 'file');
    writeFileSync(path, 'hello');
    expect(takeTextFile(path, 5)).toBe('hello');
    expect(takeTextFile(path, 5)).toBeUndefined();
    expect(readdirSync(directory)).toEqual([]);
  });

  it('removes one that is too long unread', () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, 'file'), 'hello!');
    expect(takeTextFile(join(directory, 'file'), 5)).toBeUndefined();
    expect(readdirSync(directory)).toEqual([]);
  });

  it('is done by one only of many that try at the same moment', async () => {
    const path = join(temporaryDirectory(), 'file');
    writeFileSync(path, 'hello');
    const code = 'return lib.takeTextFile(data, 100) ?? null;';
    const taken = await runInThreads({ module: 'fs.ts', count: 8, code, data: path });
    expect(taken.filter((text) => text !== null)).toEqual(['hello']);
  });
});

describe('a file to append to', () => {
  it('takes the place of an older one, for the owner only, and whoever writes to it writes at its end', () => {
    const path = join(temporaryDirectory(), 'file');
    writeFileSync(path, 'old', { mode: 0o644 });
    const fd = createAppendFile(path);
    writeSync(fd, 'one ');
    appendFileSync(path, 'two ');
    writeSync(fd, 'three', 0);
    closeSync(fd);
    expect(readFileSync(path, 'utf8')).toBe('one two three');
    expect(modeOf(path)).toBe(0o600);
  });
});

describe('touching', () => {
  it('makes a file young, and creates none', () => {
    const path = join(temporaryDirectory(), 'file');
    expect(() => touchFile(path)).toThrow('ENOENT');
    writeFileSync(path, 'x');
    utimesSync(path, 1, 1);
    touchFile(path);
    expect(Math.abs(Date.now() - statSync(path).mtimeMs)).toBeLessThan(10_000);
    expect(readFileSync(path, 'utf8')).toBe('x');
  });
});

describe.runIf(canMountDisk())('an atomic write on a full disk', () => {
  it('fails, and leaves the old content whole and no part of the new one', () => {
    const disk = mountSmallDisk();
    try {
      const path = join(disk.path, 'file');
      writeFileAtomic(path, 'old');
      // It begins to fit, but does not fit.
      expect(() => writeFileAtomic(path, 'x'.repeat(400_000))).toThrow('ENOSPC');
      disk.fill();
      expect(() => writeFileAtomic(path, 'x'.repeat(10_000))).toThrow('ENOSPC');
      expect(readFileSync(path, 'utf8')).toBe('old');
      expect(readdirSync(disk.path).sort()).toEqual(['ballast', 'file']);
    } finally {
      disk.remove();
    }
  });
});
