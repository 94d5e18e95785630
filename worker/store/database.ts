import type { DatabaseSync, StatementSyncInstance } from '@photostructure/sqlite';
import { GatewayError } from '../../lib/errors.ts';

type Value = string | number | null;

/** Statements inside one transaction, or reads outside of any. Rows are trusted to have the shape that the SQL asks for. */
export type Tx = {
  run(sql: string, ...values: Value[]): { changes: number; lastId: number };
  get<Row>(sql: string, ...values: Value[]): Row | undefined;
  all<Row>(sql: string, ...values: Value[]): Row[];
};

type Write = {
  apply(): unknown;
  resolve(value: unknown): void;
  reject(error: unknown): void;
  result?: unknown;
  failed?: boolean;
};

/** The worker has ended in order: what it still wanted to read or write is for the next one. */
export class StoreClosed extends GatewayError {
  constructor() {
    super('NOT_READY', 'The gateway is stopping; try again in a moment.');
  }
}

/** How long a change that is not urgent may wait for company. */
const MAX_WAIT_MS = 250;

/** Promises that settle in one turn of the event loop: what follows takes time, and libuv accepts one connection per turn and socket. */
const SETTLED_AT_ONCE = 8;

/**
 * One SQLite connection. Writes that are asked for within one turn of the event loop share one commit (group commit):
 * each is applied in its own savepoint, so that a failing one takes only itself back, and each promise settles after the
 * commit is on disk, some per turn, in the order of the writes.
 */
export class Database {
  readonly #sqlite: InstanceType<typeof DatabaseSync>;
  readonly #statements = new Map<string, StatementSyncInstance>();
  readonly #tx: Tx;
  #queue: Write[] = [];
  /** Committed or failed, and not yet told. */
  #decided: Write[] = [];
  #isUrgent = false;
  #isClosed = false;
  #immediate: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(sqlite: InstanceType<typeof DatabaseSync>) {
    this.#sqlite = sqlite;
    this.#tx = {
      run: (sql, ...values) => {
        const { changes, lastInsertRowid } = this.#prepare(sql).run(...values);
        return { changes, lastId: Number(lastInsertRowid) };
      },
      get: <Row>(sql: string, ...values: Value[]) => this.#prepare(sql).get(...values) as Row | undefined,
      all: <Row>(sql: string, ...values: Value[]) => this.#prepare(sql).all(...values) as Row[],
    };
  }

  /** Runs queries that see every committed write. */
  async read<T>(query: (tx: Tx) => T): Promise<T> {
    this.#assertOpen();
    return query(this.#tx);
  }

  /**
   * Applies a change atomically. Resolves when it is durable; rejects, with nothing changed, when it throws. One that is not
   * urgent waits for the next that is, for at most a moment.
   */
  write<T>(change: (tx: Tx) => T, { isUrgent = true }: { isUrgent?: boolean } = {}): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#assertOpen();
      this.#schedule(isUrgent);
      this.#queue.push({ apply: () => change(this.#tx), resolve: resolve as (value: unknown) => void, reject });
    });
  }

  /** Commits what is waiting and closes the connection. Later calls reject. */
  close(): void {
    if (this.#isClosed) return;
    this.#tellSome(this.#decided.length);
    this.#flush();
    this.#tellSome(this.#decided.length);
    this.#isClosed = true;
    this.#checkpoint();
    this.#statements.clear();
    this.#sqlite.close();
  }

  /** The library leaves prepared statements, and by them the connection, open until they are collected: SQLite's own checkpoint at the close would never come. */
  #checkpoint(): void {
    try {
      this.#sqlite.exec('PRAGMA wal_checkpoint(PASSIVE)');
    } catch {
      // A full or failing disk: everything is in the log, from which the next start reads it.
    }
  }

  #schedule(isUrgent: boolean): void {
    this.#isUrgent ||= isUrgent;
    // What is told now may lead to more writes, which then share one commit.
    if (this.#decided.length > 0) return;
    if (this.#isUrgent) this.#immediate ??= setImmediate(() => this.#flush());
    else this.#timer ??= setTimeout(() => this.#flush(), MAX_WAIT_MS);
  }

  #flush(): void {
    clearImmediate(this.#immediate);
    clearTimeout(this.#timer);
    this.#immediate = undefined;
    this.#timer = undefined;
    this.#isUrgent = false;
    const batch = this.#queue;
    this.#queue = [];
    if (batch.length === 0) return;
    this.#commit(batch);
    this.#decided = batch;
    this.#tellSome();
  }

  #commit(batch: readonly Write[]): void {
    try {
      this.#sqlite.exec('BEGIN IMMEDIATE');
      for (const write of batch) this.#apply(write, batch.length > 1);
      this.#sqlite.exec('COMMIT');
    } catch (error) {
      this.#rollBack();
      for (const write of batch) {
        if (write.failed !== true) write.result = describeFailure(error);
        write.failed = true;
      }
    }
  }

  /** In the order of the writes. */
  #tellSome(count = SETTLED_AT_ONCE): void {
    for (const write of this.#decided.splice(0, count)) tell(write);
    if (this.#decided.length > 0) setImmediate(() => this.#tellSome());
    else if (this.#queue.length > 0) this.#schedule(false);
  }

  #apply(write: Write, isShared: boolean): void {
    if (isShared) this.#sqlite.exec('SAVEPOINT step');
    try {
      write.result = write.apply();
      if (isShared) this.#sqlite.exec('RELEASE step');
    } catch (error) {
      write.failed = true;
      write.result = describeFailure(error);
      // A full disk rolls the whole transaction back by itself; then there is nothing to go on with.
      if (!isShared || !this.#sqlite.isTransaction) throw error;
      this.#sqlite.exec('ROLLBACK TO step; RELEASE step');
    }
  }

  #rollBack(): void {
    if (this.#sqlite.isTransaction) this.#sqlite.exec('ROLLBACK');
  }

  #prepare(sql: string): StatementSyncInstance {
    const cached = this.#statements.get(sql);
    if (cached !== undefined) return cached;
    const statement = this.#sqlite.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new StoreClosed();
  }
}

function tell(write: Write): void {
  if (write.failed === true) write.reject(write.result);
  else write.resolve(write.result);
}

const SQLITE_BUSY = 5;
const SQLITE_IOERR = 10;
const SQLITE_FULL = 13;

/** What a caller may be told about a failed write: the disk's trouble is not the caller's fault and passes. */
function describeFailure(error: unknown): unknown {
  const code = primaryCode(error);
  if (code === SQLITE_FULL)
    return new GatewayError('NOT_READY', 'The disk is full: nothing was stored. Free some space and try again.', {
      cause: error,
    });
  if (code === SQLITE_IOERR)
    return new GatewayError(
      'NOT_READY',
      'The disk failed: nothing was stored. Check the state directory and try again.',
      { cause: error },
    );
  if (code === SQLITE_BUSY)
    return new GatewayError('NOT_READY', 'The database is busy; try again in a moment.', { cause: error });
  return error;
}

/** SQLite's primary result code of an error (its extended codes carry it in the low byte); undefined for other errors. */
export function primaryCode(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;
}
