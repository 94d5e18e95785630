import { claimSlots, countOf, insertRun, type SlotPlan } from './cron-ledger.ts';
import {
  type CronJob,
  type CronRun,
  type DeliveryState,
  type RawJob,
  type RawRun,
  readJob,
  readRun,
  type TurnEnd,
} from './cron-row.ts';
import type { Database, Tx } from './database.ts';
import type { NewInboxRow } from './inbox-row.ts';
import { assertLease } from './lease.ts';
import type { OutboxRow } from './outbox-row.ts';
import { receiveRows } from './reception.ts';

export type CronRuns = ReturnType<typeof createCronRuns>;

/** A run of which nothing more will come, and how its delivery ended. */
export type Ended = { run: CronRun; job: CronJob; delivery: Exclude<DeliveryState, 'pending'>; deliveryError?: string };

/** How a run is closed; `retryAt` is when it is tried again. */
export type Conclusion = {
  epoch: number;
  run: CronRun;
  state: 'ok' | 'error' | 'skipped';
  delivery: DeliveryState;
  reason?: string | undefined;
  retryAt?: number | undefined;
  now: number;
};

/** What became, and becomes, of the slots of all jobs. Times are epoch milliseconds. */
export function createCronRuns(database: Database) {
  return {
    /** See `claimSlots`. */
    claim: (options: { epoch: number; job: CronJob; plan: SlotPlan; now: number }): Promise<CronRun[]> =>
      database.write((tx) => claimSlots(tx, options)),

    /** Orders a run by hand; one that waits already is enough. Undefined when there is no such job. */
    order: (jobId: string, now: number): Promise<CronRun | undefined> =>
      database.write((tx) => {
        if (tx.get('SELECT 1 FROM cron_jobs WHERE id=?', jobId) === undefined) return undefined;
        const sql = "SELECT * FROM cron_runs WHERE job_id=? AND state='waiting' AND slot_at IS NULL AND attempt=1";
        const waiting = tx.get<RawRun>(sql, jobId);
        return waiting === undefined ? insertRun(tx, { jobId, state: 'waiting', readyAt: now, now }) : readRun(waiting);
      }),

    /** Up to `limit` runs that may begin at a time, the one that has waited longest first, with their jobs. */
    ready: (now: number, limit: number): Promise<{ run: CronRun; job: CronJob }[]> =>
      database.read((tx) =>
        tx
          .all<RawRun>(
            `SELECT * FROM cron_runs AS r WHERE state='waiting' AND ready_at<=?
               AND NOT EXISTS (SELECT 1 FROM cron_runs WHERE state='running' AND job_id=r.job_id)
             ORDER BY ready_at, id LIMIT ?`,
            now,
            limit,
          )
          .map((raw) => ({ run: readRun(raw), job: requireJob(tx, raw.job_id) })),
      ),

    /**
     * Begins a run: its message is in the inbox when the ledger says so, and never otherwise. A message that is an order is carried
     * out at once. Returns the answers on their way out; undefined when the run is no longer to begin.
     */
    begin: (options: {
      epoch: number;
      run: CronRun;
      row: NewInboxRow;
      now: number;
    }): Promise<OutboxRow[] | undefined> => database.write((tx) => beginRun(tx, options)),

    /** How many turns of jobs are under way, and how many runs are not over. */
    open: (): Promise<{ running: number; answered: number }> =>
      database.read((tx) => {
        const rows = tx.all<{ state: string; n: number }>(
          "SELECT state, count(*) AS n FROM cron_runs WHERE state IN ('running', 'answered') GROUP BY state",
        );
        const count = (state: string): number => rows.find((row) => row.state === state)?.n ?? 0;
        return { running: count('running'), answered: count('answered') };
      }),

    /** When the next run that waits may begin. */
    nextReadyAt: (): Promise<number | undefined> =>
      database.read(
        (tx) =>
          tx.get<{ at: number | null }>("SELECT min(ready_at) AS at FROM cron_runs WHERE state='waiting'")?.at ??
          undefined,
      ),

    /** Up to `limit` runs that are not closed yet although their turn and its delivery are over. */
    ended: (limit: number): Promise<Ended[]> => database.read((tx) => findEnded(tx, limit)),

    /** Closes a run. False when somebody has closed it before. */
    conclude: (conclusion: Conclusion): Promise<boolean> => database.write((tx) => concludeRun(tx, conclusion)),

    /** One page of the history of a job, newest first. */
    ofJob: (jobId: string, { limit, before }: { limit: number; before?: number | undefined }): Promise<CronRun[]> =>
      database.read((tx) =>
        tx
          .all<RawRun>(
            'SELECT * FROM cron_runs WHERE job_id=? AND id<? ORDER BY id DESC LIMIT ?',
            jobId,
            before ?? Number.MAX_SAFE_INTEGER,
            limit,
          )
          .map(readRun),
      ),

    /** The newest run of each of the jobs that has any. */
    newest: (jobIds: readonly string[]): Promise<Map<string, CronRun>> =>
      database.read((tx) => {
        const runs = jobIds.flatMap((id) => {
          const row = tx.get<RawRun>('SELECT * FROM cron_runs WHERE job_id=? ORDER BY id DESC LIMIT 1', id);
          return row === undefined ? [] : [readRun(row)];
        });
        return new Map(runs.map((run) => [run.jobId, run]));
      }),
  };
}

/** Writes down inside the transaction that ends a turn that a job's turn is over, with the messages it sends. */
export function endJobTurn(
  tx: Tx,
  runId: string,
  { end, text, outbox }: { end: TurnEnd; text: string; outbox: readonly OutboxRow[] },
): void {
  tx.run(
    "UPDATE cron_runs SET state='answered', outcome=?, summary=?, delivery=?, first_seq=?, parts=? WHERE run_id=? AND state='running'",
    end,
    text.slice(0, SUMMARY_LENGTH),
    outbox.length === 0 ? 'none' : 'pending',
    outbox[0]?.seq ?? null,
    outbox.length,
    runId,
  );
}

/** Whether a turn's job still wants its answer: not when it was removed. */
export function isJobTurnWanted(tx: Tx, runId: string): boolean {
  return tx.get("SELECT 1 FROM cron_runs WHERE run_id=? AND state='running'", runId) !== undefined;
}

/** UTF-16 units. */
const SUMMARY_LENGTH = 500;

function beginRun(
  tx: Tx,
  { epoch, run, row, now }: { epoch: number; run: CronRun; row: NewInboxRow; now: number },
): OutboxRow[] | undefined {
  assertLease(tx, epoch);
  if (countOf(tx, run.jobId, 'running') > 0) return undefined;
  const { changes } = tx.run(
    "UPDATE cron_runs SET state='running', run_id=?, session_key=?, started_at=? WHERE id=? AND state='waiting'",
    row.runId,
    row.sessionKey,
    now,
    run.id,
  );
  if (changes === 0) return undefined;
  const answers = receiveRows(tx, { rows: [row] })[0]?.answers;
  if (answers === undefined) return [];
  endJobTurn(tx, row.runId, { end: 'ok', text: row.order?.messages.at(-1)?.text ?? '', outbox: answers });
  return answers;
}

type RawEnded = RawRun & { failed: string | null };

function findEnded(tx: Tx, limit: number): Ended[] {
  const lost = tx.all<RawRun>(
    `SELECT * FROM cron_runs AS r WHERE state='running'
       AND NOT EXISTS (SELECT 1 FROM inbox WHERE session_key=r.session_key AND run_id=r.run_id AND state<>'parked') LIMIT ?`,
    limit,
  );
  const answered = tx.all<RawEnded>(
    `SELECT r.*, (SELECT coalesce(last_error, state) FROM outbox WHERE seq>=r.first_seq AND seq<r.first_seq+r.parts
         AND state IN ('failed', 'unknown') LIMIT 1) AS failed
     FROM cron_runs AS r WHERE state='answered'
       AND NOT EXISTS (SELECT 1 FROM outbox WHERE seq>=r.first_seq AND seq<r.first_seq+r.parts AND state IN ('queued', 'sending'))
     LIMIT ?`,
    limit,
  );
  return [
    ...lost.map((raw) => ({ run: readRun(raw), job: requireJob(tx, raw.job_id), delivery: 'none' as const })),
    ...answered.map((raw) => describeEnded(tx, raw)),
  ];
}

function describeEnded(tx: Tx, raw: RawEnded): Ended {
  const run = readRun(raw);
  const job = requireJob(tx, raw.job_id);
  if (run.delivery === 'none') return { run, job, delivery: 'none' };
  if (raw.failed === null) return { run, job, delivery: 'sent' };
  return { run, job, delivery: 'failed', deliveryError: raw.failed };
}

function concludeRun(tx: Tx, { epoch, run, state, delivery, reason, retryAt, now }: Conclusion): boolean {
  assertLease(tx, epoch);
  const { changes } = tx.run(
    'UPDATE cron_runs SET state=?, delivery=?, reason=?, ended_at=? WHERE id=? AND state=?',
    state,
    delivery,
    reason ?? null,
    now,
    run.id,
    run.state,
  );
  if (changes === 0) return false;
  if (state !== 'skipped')
    tx.run(`UPDATE cron_jobs SET failures=${state === 'ok' ? '0' : 'failures+1'} WHERE id=?`, run.jobId);
  if (retryAt !== undefined) {
    const { jobId, slotAt, attempt } = run;
    insertRun(tx, { jobId, slotAt, attempt: attempt + 1, state: 'waiting', readyAt: retryAt, now });
  }
  return true;
}

/** A run has a job: it goes with it. */
function requireJob(tx: Tx, id: string): CronJob {
  const row = tx.get<RawJob>('SELECT * FROM cron_jobs WHERE id=?', id);
  if (row === undefined) throw new Error(`The job ${id} is missing`);
  return readJob(row);
}
