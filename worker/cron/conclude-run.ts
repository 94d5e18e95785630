import type { Logger } from '../../lib/log.ts';
import type { EventHub } from '../events.ts';
import type { Alerts } from '../messages/alerts.ts';
import type { CronJob, CronRun } from '../store/cron-row.ts';
import type { Ended } from '../store/cron-runs.ts';
import type { Store } from '../store/index.ts';
import { describeRun } from './describe.ts';

export type ConcludeOptions = { store: Store; events: EventHub; alerts: Alerts; log: Logger };

/** How long a job waits after its first, second … failed try, in milliseconds. */
const BACKOFF_MS = [30_000, 60_000, 300_000, 900_000, 3_600_000];

/** Closes a run: it went well when its turn did and its answer arrived (CRON-5). A failed turn is tried again. */
export async function concludeRun(
  options: ConcludeOptions,
  ended: Ended,
  at: { epoch: number; now: number },
): Promise<void> {
  const { store, events, alerts, log } = options;
  const { run, job, delivery } = ended;
  const failure = findFailure(ended);
  const retryAt = failure?.isRetried === true && run.attempt <= job.maxRetries ? at.now + backoffMs(run) : undefined;
  const state = failure === undefined ? 'ok' : 'error';
  const reason = failure?.reason;
  if (!(await store.cronRuns.conclude({ ...at, run, state, delivery, reason, retryAt }))) return;
  const fields = { job: job.id, run: run.runId, attempt: run.attempt, delivery };
  if (failure === undefined) log.info(fields, 'A job ran');
  else log.warn({ ...fields, reason, retryAt }, 'A job failed');
  events.publish(
    'cron.run',
    describeRun({ ...run, state, delivery, endedAt: at.now, ...(reason === undefined ? {} : { reason }) }),
    run.sessionKey,
  );
  if (failure === undefined || retryAt !== undefined) return;
  // What went wrong was told there already, or cannot be told there.
  if (job.target !== undefined && alerts.isOwner(job.target)) return;
  alerts.tell(`cron/${job.id}`, `The job ${nameOf(job)} failed: ${failure.reason}`);
}

function findFailure({ run, delivery, deliveryError }: Ended): { reason: string; isRetried: boolean } | undefined {
  if (run.state === 'running') return { reason: 'its message was lost', isRetried: true };
  switch (run.outcome) {
    case 'error':
      return { reason: run.summary ?? 'the turn failed', isRetried: true };
    case 'aborted':
      return {
        reason: run.summary === undefined || run.summary === '' ? 'it was stopped' : `it was stopped: ${run.summary}`,
        isRetried: false,
      };
    case 'ok':
    case 'silent':
    case undefined:
      return delivery === 'failed'
        ? { reason: `not delivered: ${deliveryError ?? 'unknown reason'}`, isRetried: false }
        : undefined;
    default:
      return run.outcome satisfies never;
  }
}

function backoffMs({ attempt }: CronRun): number {
  return BACKOFF_MS[Math.min(attempt, BACKOFF_MS.length) - 1] ?? 0;
}

function nameOf({ id, name }: CronJob): string {
  return name === undefined ? id : `"${name}" (${id})`;
}
