import { dirname } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { ExitError, errorMessage } from '../../lib/errors.ts';
import { EXIT } from '../../lib/exit.ts';
import { ensurePrivateDirectory, narrowMode } from '../../lib/fs.ts';
import { Database } from './database.ts';
import { MIGRATIONS } from './migrations/index.ts';

export type StoreOptions = {
  path: string;
  durability: 'full' | 'normal';
  /** Told of each row that cannot be read and was set aside. */
  onCorrupt?(what: string): void;
};

/** "xopc" in ASCII, so that a foreign database is never taken for ours. */
const APPLICATION_ID = 0x786f7063;

/** Small pages: a turn changes a few short rows, and every changed page is written whole. */
const PAGE_SIZE = 1_024;

/** The log is folded into the database each 8 MB: the same few pages change with every turn and are then written once. */
const CHECKPOINT_PAGES = 8_000;

/** What a burst made of the log is cut back to. */
const MAX_LOG_BYTES = 16 * 1_024 * 1_024;

/**
 * Opens the database, creating it on the first start, checks its integrity and brings its schema up to date. A database that
 * is corrupt, foreign or newer than this program throws ExitError 78 and is left as it is: data is never overwritten (UPD-3).
 */
export function openDatabase({ path, durability }: StoreOptions): Database {
  ensurePrivateDirectory(dirname(path));
  const sqlite = connect(path);
  try {
    if (isBlank(sqlite))
      sqlite.exec(
        `PRAGMA page_size=${PAGE_SIZE}; PRAGMA auto_vacuum=INCREMENTAL; PRAGMA application_id=${APPLICATION_ID}`,
      );
    else assertUsable(sqlite, path);
    sqlite.exec(
      `PRAGMA journal_mode=WAL; PRAGMA synchronous=${durability.toUpperCase()}; PRAGMA foreign_keys=ON; PRAGMA cache_size=-4096; PRAGMA wal_autocheckpoint=${CHECKPOINT_PAGES}; PRAGMA journal_size_limit=${MAX_LOG_BYTES}`,
    );
    migrate(sqlite, path);
    narrowMode(path, 0o600);
    return new Database(sqlite);
  } catch (error) {
    sqlite.close();
    throw error instanceof ExitError ? error : corrupt(path, errorMessage(error), error);
  }
}

function connect(path: string): InstanceType<typeof DatabaseSync> {
  try {
    return new DatabaseSync(path, { timeout: 5_000 });
  } catch (error) {
    throw new ExitError(EXIT.config, `The database ${path} cannot be opened: ${errorMessage(error)}`, {
      cause: error,
      hint: 'Check that the state directory exists and belongs to this user.',
    });
  }
}

/** True for a new file, and for one whose first start ended before its first table. */
function isBlank(sqlite: InstanceType<typeof DatabaseSync>): boolean {
  return (
    pragma(sqlite, 'application_id') === 0 && sqlite.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined
  );
}

function assertUsable(sqlite: InstanceType<typeof DatabaseSync>, path: string): void {
  const applicationId = pragma(sqlite, 'application_id');
  if (applicationId !== APPLICATION_ID) {
    throw new ExitError(EXIT.config, `${path} is not a database of this gateway.`, {
      hint: 'Move the file away, or point XOPC_STATE_DIR elsewhere.',
    });
  }
  const verdict = Object.values(sqlite.prepare('PRAGMA quick_check(1)').get())[0];
  if (verdict !== 'ok') throw corrupt(path, String(verdict));
}

function corrupt(path: string, reason: string, cause?: unknown): ExitError {
  return new ExitError(EXIT.config, `The database ${path} is damaged and was left untouched: ${reason}`, {
    cause,
    hint: 'Restore a backup, or move the file (with its -wal and -shm) away to start with an empty one.',
  });
}

function migrate(sqlite: InstanceType<typeof DatabaseSync>, path: string): void {
  const version = pragma(sqlite, 'user_version');
  const newest = MIGRATIONS.length;
  if (version > newest) {
    throw new ExitError(
      EXIT.config,
      `The database ${path} was written by a newer version (schema ${version}, this one knows ${newest}).`,
      {
        hint: 'Install that version again, or restore the backup made before the update.',
      },
    );
  }
  for (const [index, sql] of MIGRATIONS.entries()) {
    if (index < version) continue;
    // Two workers may open a new database together: the second finds the work done once it holds the lock.
    sqlite.exec('BEGIN IMMEDIATE');
    if (pragma(sqlite, 'user_version') <= index) sqlite.exec(`${sql}; PRAGMA user_version=${index + 1}`);
    sqlite.exec('COMMIT');
  }
}

function pragma(sqlite: InstanceType<typeof DatabaseSync>, name: string): number {
  return Number(Object.values(sqlite.prepare(`PRAGMA ${name}`).get())[0]);
}
