import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ExitError } from '../../../lib/errors.ts';
import { openStore } from '../../../worker/store/index.ts';
import { MIGRATIONS } from '../../../worker/store/migrations/index.ts';
import { makeTemporaryDirectory } from '../../fixtures/programs.ts';
import { inboxRow, openTemporaryStore, runSql } from '../temporary-store.ts';

function temporaryPath(): string {
  const directory = makeTemporaryDirectory();
  onTestFinished(directory.remove);
  mkdirSync(join(directory.path, 'state'));
  return join(directory.path, 'state', 'gateway.db');
}

/** A database with some content, closed. */
async function writeDatabase(): Promise<string> {
  const path = temporaryPath();
  const store = openStore({ path, durability: 'full' });
  for (let index = 0; index < 40; index += 1) {
    await store.inbox.receive({
      rows: [inboxRow(`run-${index}`, 'chat', { text: 'x'.repeat(500), key: `k${index}` })],
    });
  }
  store.close();
  return path;
}

function refusalOf(path: string): ExitError {
  try {
    openStore({ path, durability: 'full' }).close();
  } catch (error) {
    expect(error).toBeInstanceOf(ExitError);
    return error as ExitError;
  }
  throw new Error('It was opened');
}

describe('opening the store', () => {
  it('creates a database and its folder for the owner only, with every migration applied', () => {
    const { path } = openTemporaryStore();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
    expect(runSql(path, 'PRAGMA user_version')).toEqual([{ user_version: MIGRATIONS.length }]);
    expect(runSql(path, 'PRAGMA journal_mode')).toEqual([{ journal_mode: 'wal' }]);
  });

  it('takes an empty file as a new database', async () => {
    const path = temporaryPath();
    writeFileSync(path, '');
    const store = openStore({ path, durability: 'full' });
    expect(await store.inbox.count()).toBe(0);
    store.close();
  });

  it('finds what was committed before it was closed', async () => {
    const path = await writeDatabase();
    const store = openStore({ path, durability: 'normal' });
    expect(await store.inbox.count()).toBe(40);
    store.close();
  });

  it('finds what was committed by a connection that was never closed', async () => {
    const { store, open } = openTemporaryStore();
    await store.inbox.receive({ rows: [inboxRow('run-1', '42')] });
    expect(await open().inbox.count()).toBe(1);
  });

  it('works twice at once, each seeing the other', async () => {
    const { store, open } = openTemporaryStore();
    const other = open();
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        (index % 2 === 0 ? store : other).inbox.receive({ rows: [inboxRow(`run-${index}`, `chat-${index}`)] }),
      ),
    );
    expect(await store.inbox.count()).toBe(20);
    expect(await other.inbox.count()).toBe(20);
  });

  it.each([
    ['its first bytes', 0],
    ['its root page', 100],
    ['its second page', 2_048],
    ['its fourth page', 3 * 2_048],
    ['a page in its middle', 8 * 2_048],
  ])('of a file damaged in %s ends with 78 and leaves every byte of it', async (_where, offset) => {
    const path = await writeDatabase();
    const bytes = readFileSync(path);
    bytes.fill(0xa5, offset, offset + 64);
    writeFileSync(path, bytes);
    const { exitCode, message, hint } = refusalOf(path);
    expect(exitCode).toBe(78);
    expect(message).toContain(path);
    expect(hint).toMatch(/backup|away/);
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });

  it('of a file that was cut off ends with 78 and leaves it', async () => {
    const path = await writeDatabase();
    const half = readFileSync(path).subarray(0, 5_000);
    writeFileSync(path, half);
    expect(refusalOf(path)).toMatchObject({ exitCode: 78, message: expect.stringContaining('damaged') });
    expect(readFileSync(path).equals(half)).toBe(true);
  });

  it('of a text file ends with 78 and leaves it', () => {
    const path = temporaryPath();
    writeFileSync(path, 'my notes\n'.repeat(100));
    expect(refusalOf(path).exitCode).toBe(78);
    expect(readFileSync(path, 'utf8')).toBe('my notes\n'.repeat(100));
  });

  it("of another program's database ends with 78 and leaves it", () => {
    const path = temporaryPath();
    const foreign = new DatabaseSync(path);
    foreign.exec('CREATE TABLE theirs (id INTEGER)');
    foreign.close();
    const bytes = readFileSync(path);
    expect(refusalOf(path)).toMatchObject({
      exitCode: 78,
      message: expect.stringContaining('not a database of this gateway'),
    });
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });

  it('of a newer version ends with 78, names both versions and leaves it', async () => {
    const path = await writeDatabase();
    runSql(path, 'PRAGMA user_version=99');
    const bytes = readFileSync(path);
    expect(refusalOf(path)).toMatchObject({
      exitCode: 78,
      message: expect.stringMatching(new RegExp(`schema 99.*knows ${MIGRATIONS.length}`)),
      hint: expect.any(String),
    });
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });

  it('of something that is no file ends with 78', () => {
    const path = temporaryPath();
    mkdirSync(path);
    expect(refusalOf(path)).toMatchObject({ exitCode: 78, message: expect.stringContaining(path) });
  });
});
