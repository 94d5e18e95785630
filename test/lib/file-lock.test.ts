import { existsSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withFileLock } from '../../lib/file-lock.ts';
import { removeFile } from '../../lib/fs.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const lockFile = (): string => join(temporaryDirectory(), '.lock');
const holder = (pid: number, host = hostname()): string => JSON.stringify({ pid, host });
const DEAD = 2 ** 22 + 1;

describe('a file lock', () => {
  it('is held while the work is done, and gone afterwards, also when it throws', async () => {
    const file = lockFile();
    expect(await withFileLock(file, () => existsSync(file))).toBe(true);
    expect(existsSync(file)).toBe(false);
    await expect(
      withFileLock(file, () => {
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(existsSync(file)).toBe(false);
  });

  it('of a living process is waited for, and given up after a while', async () => {
    const file = lockFile();
    writeFileSync(file, holder(process.pid));
    await expect(withFileLock(file, () => 1, 50)).rejects.toThrow('held by another process');
    expect(existsSync(file)).toBe(true);
    setTimeout(() => removeFile(file), 50);
    expect(await withFileLock(file, () => 1)).toBe(1);
  });

  it('of a dead process is taken over at once, of another machine only when it is old', async () => {
    const file = lockFile();
    writeFileSync(file, holder(DEAD));
    expect(await withFileLock(file, () => 1, 1_000)).toBe(1);
    writeFileSync(file, holder(DEAD, 'elsewhere'));
    await expect(withFileLock(file, () => 1, 50)).rejects.toThrow('held by another process');
    utimesSync(file, 1, 1);
    expect(await withFileLock(file, () => 1, 1_000)).toBe(1);
  });

  it('that was taken away says so before anything is changed', async () => {
    const file = lockFile();
    const work = withFileLock(file, ({ assertHeld }) => {
      assertHeld();
      removeFile(file);
      writeFileSync(file, holder(process.pid));
      assertHeld();
    });
    await expect(work).rejects.toThrow('taken over');
    expect(existsSync(file)).toBe(true);
  });
});
