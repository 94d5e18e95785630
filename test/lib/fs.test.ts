import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  createSyncedFile,
  ensurePrivateDirectory,
  narrowMode,
  readTextIfExists,
  removeFile,
  writeFileAtomic,
} from '../../lib/fs.ts';
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
