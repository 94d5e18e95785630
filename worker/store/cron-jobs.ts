import { type CronJob, type JobDefinition, type RawJob, readJob, type Slot } from './cron-row.ts';
import type { Database, Tx } from './database.ts';

/** A job and the slot that comes next. */
export type NewJob = { id: string; definition: JobDefinition; enabled: boolean; next: Slot | undefined };

export type CronJobs = ReturnType<typeof createCronJobs>;

/** The jobs by the clock. */
export function createCronJobs(database: Database) {
  return {
    list: (): Promise<CronJob[]> =>
      database.read((tx) => tx.all<RawJob>('SELECT * FROM cron_jobs ORDER BY created_at, id').map(readJob)),

    get: (id: string): Promise<CronJob | undefined> => database.read((tx) => findJob(tx, id)),

    count: (): Promise<number> =>
      database.read((tx) => tx.get<{ n: number }>('SELECT count(*) AS n FROM cron_jobs')?.n ?? 0),

    insert: (job: NewJob): Promise<CronJob> => database.write((tx) => insertJob(tx, job)),

    /** Changes a job if it is still the one that was read; undefined when it is not. */
    update: (id: string, revision: number, change: Omit<NewJob, 'id'>): Promise<CronJob | undefined> =>
      database.write((tx) => {
        const row = tx.get<RawJob>(
          `UPDATE cron_jobs SET definition=?, enabled=?, slot_at=?, due_at=?, revision=revision+1, updated_at=?
           WHERE id=? AND revision=? RETURNING *`,
          serialize(change.definition),
          change.enabled ? 1 : 0,
          change.next?.slotAt ?? null,
          change.next?.dueAt ?? null,
          Date.now(),
          id,
          revision,
        );
        return row === undefined ? undefined : readJob(row);
      }),

    /** Moves a job to another slot, unless it has changed since it was read. */
    reschedule: ({ id, revision, next }: CronJob, to: Slot): Promise<void> =>
      database.write((tx) => {
        const sql = 'UPDATE cron_jobs SET slot_at=?, due_at=? WHERE id=? AND revision=? AND slot_at=?';
        tx.run(sql, to.slotAt, to.dueAt, id, revision, next?.slotAt ?? null);
      }),

    /** True when something was written down at a time that has not come yet: the clock was set back. */
    isAhead: (now: number): Promise<boolean> =>
      database.read((tx) => {
        const job = tx.get<{ at: number | null }>('SELECT max(updated_at) AS at FROM cron_jobs');
        const run = tx.get<{ at: number }>('SELECT created_at AS at FROM cron_runs ORDER BY id DESC LIMIT 1');
        return Math.max(job?.at ?? 0, run?.at ?? 0) > now + AHEAD_MS;
      }),

    /**
     * Forgets a job, its history and what of it nobody has begun to answer. Returns the runs that are being answered; undefined
     * when there is no such job.
     */
    remove: (id: string): Promise<string[] | undefined> =>
      database.write((tx) => {
        if (findJob(tx, id) === undefined) return undefined;
        const sql = "SELECT run_id FROM cron_runs WHERE job_id=? AND state='running'";
        const running = tx.all<{ run_id: string }>(sql, id).map(({ run_id: runId }) => runId);
        for (const runId of running) tx.run("DELETE FROM inbox WHERE run_id=? AND state='new'", runId);
        tx.run('DELETE FROM cron_jobs WHERE id=?', id);
        return running;
      }),

    /** Up to `limit` jobs of which a slot is due at a time, the one that has waited longest first. */
    due: (now: number, limit: number): Promise<CronJob[]> =>
      database.read((tx) =>
        tx
          .all<RawJob>(
            'SELECT * FROM cron_jobs WHERE due_at IS NOT NULL AND due_at<=? ORDER BY due_at, id LIMIT ?',
            now,
            limit,
          )
          .map(readJob),
      ),

    /** When the next slot of any job is due. */
    nextDueAt: (): Promise<number | undefined> =>
      database.read(
        (tx) =>
          tx.get<{ at: number | null }>('SELECT min(due_at) AS at FROM cron_jobs WHERE due_at IS NOT NULL')?.at ??
          undefined,
      ),
  };
}

/** Nothing but the definition, also when a whole job is given. */
function serialize(job: JobDefinition): string {
  const { name, schedule, timezone, payload, session, agentId, target, overlap, misfire, jitterMs, maxRetries } = job;
  const definition: { [Key in keyof JobDefinition]-?: JobDefinition[Key] | undefined } = {
    name,
    schedule,
    timezone,
    payload,
    session,
    agentId,
    target,
    overlap,
    misfire,
    jitterMs,
    maxRetries,
  };
  return JSON.stringify(definition);
}

/** Small corrections of the clock do not count, in milliseconds. */
const AHEAD_MS = 30_000;

/** The job with an id; undefined when there is none. */
export function findJob(tx: Tx, id: string): CronJob | undefined {
  const row = tx.get<RawJob>('SELECT * FROM cron_jobs WHERE id=?', id);
  return row === undefined ? undefined : readJob(row);
}

function insertJob(tx: Tx, { id, definition, enabled, next }: NewJob): CronJob {
  const now = Date.now();
  tx.run(
    'INSERT INTO cron_jobs (id, definition, enabled, slot_at, due_at, created_at, updated_at) VALUES (?,?,?,?,?,?,?)',
    id,
    serialize(definition),
    enabled ? 1 : 0,
    next?.slotAt ?? null,
    next?.dueAt ?? null,
    now,
    now,
  );
  return {
    ...definition,
    id,
    enabled,
    revision: 1,
    failures: 0,
    createdAt: now,
    updatedAt: now,
    ...(next === undefined ? {} : { next }),
  };
}
