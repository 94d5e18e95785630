import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Database } from './database.ts';

/** Runs that are kept of one job, however young: one that runs each second would fill the disk. */
const KEEP_RUNS = 1_000;

/** Rows removed in one transaction. */
const STEP = 200;

/** Forgets the runs of jobs that ended before an epoch time in milliseconds, with the conversations they had to themselves. */
export async function pruneCron(database: Database, before: number): Promise<void> {
  const ids = await database.read((tx) => tx.all<{ id: string }>('SELECT id FROM cron_jobs ORDER BY id'));
  for (const { id } of ids) {
    await database.write((tx) =>
      tx.run(
        `DELETE FROM cron_runs WHERE job_id=? AND state IN ('ok', 'error', 'skipped') AND (ended_at<? OR id<=
           (SELECT id FROM cron_runs WHERE job_id=? ORDER BY id DESC LIMIT 1 OFFSET ${KEEP_RUNS}))`,
        id,
        before,
        id,
      ),
    );
    await nextTurn();
  }
  for (let removed = STEP; removed === STEP; await nextTurn()) {
    removed = await database.write(
      (tx) =>
        tx.run(
          `DELETE FROM sessions WHERE id IN (SELECT id FROM sessions AS s WHERE updated_at<? AND channel='cron'
             AND NOT EXISTS (SELECT 1 FROM inbox WHERE session_key=s.key) ORDER BY updated_at LIMIT ${STEP})`,
          before,
        ).changes,
    );
  }
}
