import { type CronJob, type CronRun, type RawRun, type RunState, readRun, type Slot } from './cron-row.ts';
import type { Tx } from './database.ts';
import { assertLease } from './lease.ts';

/** What is to become of the slots of a job that came since it was looked at last. */
export type SlotPlan = {
  /** Slots that are passed over, from the first to the last. */
  missed?: { from: number; to: number; reason: string };
  /** Slots to run, oldest first. */
  due: readonly number[];
  /** Undefined when nothing more comes. */
  next: Slot | undefined;
};

/** Runs of one job that may wait; what comes then is passed over. */
const MAX_WAITING = 100;

/**
 * Writes down what becomes of the slots of a job and moves it on to its next slot, in one transaction, so that each slot is
 * either run once or passed over with a reason (CRON-1). Returns the runs; none when the job has changed since it was read.
 * Throws LeaseLost when somebody else looks after the jobs.
 */
export function claimSlots(tx: Tx, options: { epoch: number; job: CronJob; plan: SlotPlan; now: number }): CronRun[] {
  const { epoch, job, plan, now } = options;
  assertLease(tx, epoch);
  const { changes } = tx.run(
    'UPDATE cron_jobs SET slot_at=?, due_at=?, enabled=? WHERE id=? AND revision=? AND slot_at=?',
    plan.next?.slotAt ?? null,
    plan.next?.dueAt ?? null,
    plan.next === undefined ? 0 : 1,
    job.id,
    job.revision,
    job.next?.slotAt ?? null,
  );
  if (changes === 0) return [];
  const runs: CronRun[] = [];
  if (plan.missed !== undefined && !isKnown(tx, job.id, plan.missed.from)) {
    const { from, to, reason } = plan.missed;
    const slotEnd = to > from ? to : undefined;
    runs.push(insertRun(tx, { jobId: job.id, slotAt: from, slotEnd, state: 'skipped', reason, readyAt: now, now }));
  }
  if (plan.due.length > 0) supersedeRetries(tx, job.id, now);
  const refusal = findObstacle(tx, job);
  let room = MAX_WAITING - countOf(tx, job.id, 'waiting');
  for (const slotAt of plan.due) {
    if (isKnown(tx, job.id, slotAt)) continue;
    const reason = refusal ?? (room > 0 ? undefined : `${MAX_WAITING} runs of this job are waiting already`);
    const state = reason === undefined ? 'waiting' : 'skipped';
    runs.push(insertRun(tx, { jobId: job.id, slotAt, state, reason, readyAt: now, now }));
    room -= 1;
  }
  return runs;
}

/** A slot comes twice when the clock was set back; it does not run twice. */
function isKnown(tx: Tx, jobId: string, slotAt: number): boolean {
  return tx.get('SELECT 1 FROM cron_runs WHERE job_id=? AND slot_at=?', jobId, slotAt) !== undefined;
}

type NewRun = {
  jobId: string;
  slotAt?: number | undefined;
  slotEnd?: number | undefined;
  attempt?: number;
  state: Extract<RunState, 'waiting' | 'skipped'>;
  reason?: string | undefined;
  readyAt: number;
  now: number;
};

/** Adds a run inside a larger transaction. The table refuses a slot that it has already. */
export function insertRun(tx: Tx, run: NewRun): CronRun {
  const row = tx.get<RawRun>(
    `INSERT INTO cron_runs (job_id, slot_at, slot_end, attempt, state, reason, ready_at, created_at, ended_at)
     VALUES (?,?,?,?,?,?,?,?,?) RETURNING *`,
    run.jobId,
    run.slotAt ?? null,
    run.slotEnd ?? null,
    run.attempt ?? 1,
    run.state,
    run.reason ?? null,
    run.readyAt,
    run.now,
    run.state === 'skipped' ? run.now : null,
  );
  if (row === undefined) throw new Error(`A run of ${run.jobId} was not stored`);
  return readRun(row);
}

/** How many runs of a job are in a state. */
export function countOf(tx: Tx, jobId: string, state: 'waiting' | 'running'): number {
  return tx.get<{ n: number }>('SELECT count(*) AS n FROM cron_runs WHERE job_id=? AND state=?', jobId, state)?.n ?? 0;
}

/** What a failed run wanted to try again is what the newer slot does anyway. */
function supersedeRetries(tx: Tx, jobId: string, now: number): void {
  tx.run(
    "UPDATE cron_runs SET state='skipped', reason='the next slot came before it was tried again', ended_at=? WHERE job_id=? AND state='waiting' AND attempt>1",
    now,
    jobId,
  );
}

function findObstacle(tx: Tx, { id, overlap }: CronJob): string | undefined {
  if (overlap === 'queue') return undefined;
  const isBusy = countOf(tx, id, 'running') + countOf(tx, id, 'waiting') > 0;
  return isBusy ? 'the run before was not over' : undefined;
}
