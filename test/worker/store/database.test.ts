import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Database, primaryCode } from '../../../worker/store/database.ts';
import { makeTemporaryDirectory } from '../../fixtures/programs.ts';
import { runSql } from '../temporary-store.ts';

function openTable(): { database: Database; path: string; rows(): unknown[] } {
  const directory = makeTemporaryDirectory();
  const path = join(directory.path, 'test.db');
  const sqlite = new DatabaseSync(path, { timeout: 100 });
  sqlite.exec('PRAGMA journal_mode=WAL; CREATE TABLE items (name TEXT PRIMARY KEY) STRICT');
  const database = new Database(sqlite);
  onTestFinished(() => {
    database.close();
    directory.remove();
  });
  const rows = (): unknown[] =>
    runSql(path, 'SELECT name FROM items ORDER BY rowid').map((row) => Object.values(row as object)[0]);
  return { database, path, rows };
}

const insert = (database: Database, name: string) =>
  database.write((tx) => tx.run('INSERT INTO items (name) VALUES (?)', name).changes);

describe('a write', () => {
  it('is visible to another connection as soon as it has resolved', async () => {
    const { database, rows } = openTable();
    await insert(database, 'one');
    expect(rows()).toEqual(['one']);
  });

  it('is on its way, not done, until the turn of the event loop ends', async () => {
    const { database, rows } = openTable();
    const written = insert(database, 'one');
    expect(rows()).toEqual([]);
    await written;
    expect(rows()).toEqual(['one']);
  });

  it('returns what its change returns, and takes everything back when it throws', async () => {
    const { database, rows } = openTable();
    const change = database.write((tx) => {
      tx.run('INSERT INTO items (name) VALUES (?)', 'half');
      throw new Error('no further');
    });
    await expect(change).rejects.toThrow('no further');
    expect(rows()).toEqual([]);
    expect(await insert(database, 'next')).toBe(1);
  });

  it('that fails among others takes only itself back', async () => {
    const { database, rows } = openTable();
    await insert(database, 'taken');
    const results = await Promise.allSettled([
      insert(database, 'a'),
      insert(database, 'taken'),
      database.write((tx) => {
        tx.run('INSERT INTO items (name) VALUES (?)', 'undone');
        throw new Error('own fault');
      }),
      insert(database, 'b'),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
    expect(rows()).toEqual(['taken', 'a', 'b']);
  });

  it('sees those before it in the same commit', async () => {
    const { database } = openTable();
    const first = insert(database, 'a');
    const seen = database.write((tx) => tx.get<{ n: number }>('SELECT count(*) AS n FROM items')?.n);
    await first;
    expect(await seen).toBe(1);
  });

  it('shares one commit with all others of the same turn', async () => {
    const { database, path } = openTable();
    const versionOf = (): unknown => runSql(path, 'PRAGMA data_version');
    const watcher = new DatabaseSync(path);
    const version = (): unknown => watcher.prepare('PRAGMA data_version').get();
    const seen = new Set<string>();
    seen.add(JSON.stringify(version()));
    await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        await insert(database, `item ${index}`);
        seen.add(JSON.stringify(version()));
      }),
    );
    watcher.close();
    expect(versionOf()).toHaveLength(1);
    expect(seen.size).toBe(2);
  });

  it('that shares its commit with many is told of it some per turn of the event loop, in order', async () => {
    const { database, rows } = openTable();
    const told: number[] = [];
    const perTurn: number[] = [];
    const all = Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        await insert(database, `item ${index}`);
        told.push(index);
        // Everything is on disk before the first one hears of it.
        if (index === 0) expect(rows()).toHaveLength(50);
      }),
    );
    while (told.length < 50) {
      const before = told.length;
      await new Promise((resolve) => setImmediate(resolve));
      perTurn.push(told.length - before);
    }
    await all;
    expect(told).toEqual(Array.from({ length: 50 }, (_, index) => index));
    expect(Math.max(...perTurn)).toBeLessThanOrEqual(8);
  });

  it('asked for while others are told of theirs shares the next commit', async () => {
    const { database, path } = openTable();
    const watcher = new DatabaseSync(path);
    const versions = new Set<string>();
    const look = (): unknown => versions.add(JSON.stringify(watcher.prepare('PRAGMA data_version').get()));
    await Promise.all(
      Array.from({ length: 30 }, async (_, index) => {
        await insert(database, `first ${index}`);
        look();
        await insert(database, `second ${index}`);
        look();
      }),
    );
    watcher.close();
    expect(versions.size).toBe(2);
  });

  it('that is not urgent does not wait for company when an urgent one came while others were told', async () => {
    // The wait for company would never end.
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const { database, rows } = openTable();
    let lazy: Promise<unknown> | undefined;
    let urgent: Promise<unknown> | undefined;
    await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        await insert(database, `item ${index}`);
        if (index !== 0) return;
        lazy = database.write((tx) => tx.run("INSERT INTO items VALUES ('lazy')"), { isUrgent: false });
        urgent = insert(database, 'urgent');
      }),
    );
    await Promise.all([lazy, urgent]);
    expect(rows().slice(-2)).toEqual(['lazy', 'urgent']);
  });

  it('asked for by the end of another one comes in a commit of its own', async () => {
    const { database, rows } = openTable();
    await insert(database, 'a').then(() => insert(database, 'b'));
    expect(rows()).toEqual(['a', 'b']);
  });

  it('that finds the database locked is told so in words for a caller, and nothing is stuck', async () => {
    const { database, path, rows } = openTable();
    const other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    const results = await Promise.allSettled([insert(database, 'a'), insert(database, 'b')]);
    other.exec('ROLLBACK');
    other.close();
    for (const result of results) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'NOT_READY', status: 503 } });
    }
    await insert(database, 'c');
    expect(rows()).toEqual(['c']);
  });

  it('that finds the disk full says so and leaves what was there', async () => {
    const { database, rows } = openTable();
    await insert(database, 'kept');
    await database.read((tx) => tx.get('PRAGMA max_page_count=3'));
    const results = await Promise.allSettled([insert(database, 'small'), insert(database, 'x'.repeat(50_000))]);
    const full = results[1];
    expect(full).toMatchObject({
      status: 'rejected',
      reason: { code: 'NOT_READY', message: expect.stringContaining('disk is full') },
    });
    expect(rows()).toContain('kept');
    await database.read((tx) => tx.get('PRAGMA max_page_count=100000'));
    await insert(database, 'after');
    expect(rows()).toContain('after');
    // The neighbour either was stored and told so, or was not and was told that.
    expect(rows().includes('small')).toBe(results[0]?.status === 'fulfilled');
  });
});

describe('a close', () => {
  it('commits what is waiting, and later calls are refused as "stopping"', async () => {
    const { database, rows } = openTable();
    const written = insert(database, 'last');
    database.close();
    database.close();
    await written;
    expect(rows()).toEqual(['last']);
    await expect(insert(database, 'late')).rejects.toMatchObject({ code: 'NOT_READY' });
    await expect(database.read((tx) => tx.get('SELECT 1'))).rejects.toMatchObject({ code: 'NOT_READY' });
  });
});

describe('a close in the middle', () => {
  it('still tells everybody of what was committed', async () => {
    const { database } = openTable();
    const results = Array.from({ length: 30 }, (_, index) => insert(database, `item ${index}`));
    const [first] = results;
    await first;
    const late = Array.from({ length: 20 }, (_, index) => insert(database, `late ${index}`));
    database.close();
    expect(await Promise.all([...results, ...late])).toEqual(Array.from({ length: 50 }, () => 1));
  });
});

describe('the primary code of an error', () => {
  it.each([
    [{ errcode: 5 }, 5],
    [{ errcode: 266 }, 10],
    [{ errcode: 'x' }, undefined],
    [new Error('other'), undefined],
    [null, undefined],
    ['text', undefined],
  ])('%j is %j', (error, code) => {
    expect(primaryCode(error)).toBe(code);
  });
});
