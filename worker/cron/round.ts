import { setImmediate as nextTurn } from 'node:timers/promises';
import { errorMessage } from '../../lib/errors.ts';
import type { Lanes } from '../agent/lanes.ts';
import type { Outbound } from '../messages/outbound.ts';
import type { CronJob, CronRun } from '../store/cron-row.ts';
import type { InboxRow } from '../store/inbox-row.ts';
import { BadSchedule, type Calculator } from './calculator.ts';
import { type ComposeOptions, composeRun } from './compose-run.ts';
import { type ConcludeOptions, concludeRun } from './conclude-run.ts';
import { describeRun } from './describe.ts';
import { findNextSlot, planSlots } from './plan-slots.ts';

export type RoundOptions = ComposeOptions &
  ConcludeOptions & {
    outbound: Pick<Outbound, 'compose' | 'accept'>;
    lanes: Pick<Lanes<InboxRow>, 'wake'>;
  };

/** When a round takes place and under which lease; `signal` ends it early. */
export type Tenure = { epoch: number; calculator: Calculator; signal: AbortSignal; now(): number };

/** What is looked at in one transaction: many jobs must not keep the loop from everything else. */
const PAGE = 50;

/** Anything under way is looked at so often, in milliseconds. */
const OPEN_LOOK_MS = 1_000;

/** Longest time to the next look, in milliseconds: a longer timer drifts when the machine sleeps (CRON-4). */
const MAX_LOOK_MS = 30_000;

/**
 * Looks after all jobs once: closes runs that are over, claims slots that are due, begins runs while there is room for them.
 * Returns the milliseconds until there is something to do again. Throws LeaseLost when somebody else looks after the jobs.
 */
export async function runRound(options: RoundOptions, tenure: Tenure): Promise<number> {
  await concludeEnded(options, tenure);
  await claimDue(options, tenure);
  await beginReady(options, tenure);
  const { cronRuns, cronJobs } = options.store;
  const { running, answered } = await cronRuns.open();
  const [dueAt, readyAt] = [await cronJobs.nextDueAt(), await cronRuns.nextReadyAt()];
  const waitMs = Math.min(dueAt ?? Number.POSITIVE_INFINITY, readyAt ?? Number.POSITIVE_INFINITY) - tenure.now();
  // What could begin waits for what runs.
  if (running + answered > 0) return waitMs <= 0 ? OPEN_LOOK_MS : Math.min(OPEN_LOOK_MS, waitMs);
  return Math.min(MAX_LOOK_MS, Math.max(0, waitMs));
}

/** Brings jobs forward that wait for a slot further away than their next one, if the clock was set back since they were claimed. */
export async function rewindJobs(
  { store, log }: RoundOptions,
  { calculator, now }: Pick<Tenure, 'calculator' | 'now'>,
): Promise<void> {
  if (!(await store.cronJobs.isAhead(now()))) return;
  let count = 0;
  for (const job of await store.cronJobs.list()) {
    const next = job.next === undefined ? undefined : findNextSlot(job, now(), calculator);
    if (next === undefined || job.next === undefined || next.slotAt >= job.next.slotAt) continue;
    await store.cronJobs.reschedule(job, next);
    count += 1;
    await nextTurn();
  }
  log.warn({ jobs: count }, 'The clock was set back; jobs were brought forward');
}

async function concludeEnded(options: RoundOptions, tenure: Tenure): Promise<void> {
  for (let count = PAGE; count === PAGE && !tenure.signal.aborted; await nextTurn()) {
    const ended = await options.store.cronRuns.ended(PAGE);
    for (const item of ended) await concludeRun(options, item, { epoch: tenure.epoch, now: tenure.now() });
    count = ended.length;
  }
}

async function claimDue(options: RoundOptions, tenure: Tenure): Promise<void> {
  const { store } = options;
  for (let count = PAGE; count === PAGE && !tenure.signal.aborted; await nextTurn()) {
    const now = tenure.now();
    const jobs = await store.cronJobs.due(now, PAGE);
    const claims = jobs.map((job) => claimJob(options, tenure, job, now));
    for (const runs of await Promise.all(claims)) for (const run of runs) publish(options, run);
    count = jobs.length;
  }
}

function claimJob(
  { store, log }: RoundOptions,
  { epoch, calculator }: Tenure,
  job: CronJob,
  now: number,
): Promise<CronRun[]> {
  try {
    return store.cronRuns.claim({ epoch, job, plan: planSlots(job, now, calculator), now });
  } catch (error) {
    if (!(error instanceof BadSchedule)) throw error;
    // A zone may be gone with an update of the platform: the job stops, the others go on.
    log.error({ err: error, job: job.id }, 'The schedule of a job cannot be read any more; the job was switched off');
    const slotAt = job.next?.slotAt ?? now;
    const missed = { from: slotAt, to: slotAt, reason: `the schedule cannot be read: ${error.message}` };
    return store.cronRuns.claim({ epoch, job, plan: { due: [], next: undefined, missed }, now });
  }
}

async function beginReady(options: RoundOptions, tenure: Tenure): Promise<void> {
  const { store, config } = options;
  while (!tenure.signal.aborted) {
    const { running } = await store.cronRuns.open();
    const room = config.cron.maxConcurrentJobs - running;
    const ready = room > 0 ? await store.cronRuns.ready(tenure.now(), Math.min(room, PAGE)) : [];
    let begun = 0;
    for (const { run, job } of ready) if (await beginRun(options, tenure, { run, job })) begun += 1;
    if (begun === 0) return;
    await nextTurn();
  }
}

/** False when it is no longer to begin. */
async function beginRun(
  options: RoundOptions,
  { epoch, now: clock }: Tenure,
  { run, job }: { run: CronRun; job: CronJob },
): Promise<boolean> {
  const { store, outbound, lanes, events, log } = options;
  const now = clock();
  const composed = await composeSafely(options, { job, run, now });
  if ('skip' in composed) {
    const { skip: reason } = composed;
    const isSkipped = await store.cronRuns.conclude({ epoch, run, state: 'skipped', delivery: 'none', reason, now });
    log.info({ job: job.id, reason }, 'A job is passed over');
    publish(options, { ...run, state: 'skipped', reason, endedAt: now });
    return isSkipped;
  }
  const { row } = composed;
  const answers = await store.cronRuns.begin({ epoch, run, row, now });
  if (answers === undefined) return false;
  const { runId, sessionKey } = row;
  log.info({ job: job.id, run: runId, session: sessionKey, attempt: run.attempt }, 'A job begins');
  publish(options, { ...run, state: 'running', startedAt: now, runId, sessionKey });
  if (row.order === undefined) lanes.wake(sessionKey);
  else events.publish('session.updated', { key: sessionKey }, sessionKey);
  if (answers.length > 0) outbound.accept(answers);
  return true;
}

/** A file that cannot be read is no reason to stop looking after the other jobs. */
async function composeSafely(
  options: RoundOptions,
  at: { job: CronJob; run: CronRun; now: number },
): ReturnType<typeof composeRun> {
  try {
    return await composeRun(options, at);
  } catch (error) {
    options.log.error({ err: error, job: at.job.id }, 'A job cannot be prepared');
    return { skip: errorMessage(error) };
  }
}

function publish({ events }: RoundOptions, run: CronRun): void {
  events.publish('cron.run', describeRun(run), run.sessionKey);
}
