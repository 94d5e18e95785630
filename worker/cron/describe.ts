import type { CronJobView, CronRunView } from '../../lib/answers-cron.ts';
import type { CronJob, CronRun, JobPayload, JobTarget, Schedule } from '../store/cron-row.ts';

/** A job in the terms of the API; `last` is its newest run. */
export function describeJob(job: CronJob, last: CronRun | undefined): CronJobView {
  const { id, name, enabled, timezone, session, agentId, target, overlap, misfire, jitterMs, maxRetries, next } = job;
  return {
    id,
    ...(name === undefined ? {} : { name }),
    schedule: describeSchedule(job.schedule),
    timezone,
    enabled,
    payload: describePayload(job.payload),
    session,
    ...(agentId === undefined ? {} : { agent_id: agentId }),
    ...(target === undefined ? {} : { delivery: describeTarget(target) }),
    overlap,
    misfire,
    jitter_ms: jitterMs,
    max_retries: maxRetries,
    failures: job.failures,
    created_at: toIso(job.createdAt),
    updated_at: toIso(job.updatedAt),
    ...(next === undefined ? {} : { next_run: toIso(next.dueAt) }),
    ...(last === undefined
      ? {}
      : {
          last_run: toIso(last.startedAt ?? last.slotAt ?? last.createdAt),
          last_state: last.state,
          ...(last.reason === undefined ? {} : { last_reason: last.reason }),
        }),
  };
}

/** A run in the terms of the API and of the `cron.run` event. */
export function describeRun(run: CronRun): CronRunView {
  const { slotAt, slotEnd, runId, sessionKey, outcome, summary, reason, delivery, startedAt, endedAt } = run;
  return {
    id: run.id,
    job_id: run.jobId,
    trigger: slotAt === undefined ? 'manual' : 'schedule',
    attempt: run.attempt,
    state: run.state,
    ...(slotAt === undefined ? {} : { slot: toIso(slotAt) }),
    ...(slotEnd === undefined ? {} : { slot_end: toIso(slotEnd) }),
    ...(run.state === 'waiting' ? { ready_at: toIso(run.readyAt) } : {}),
    ...(startedAt === undefined ? {} : { started_at: toIso(startedAt) }),
    ...(endedAt === undefined ? {} : { ended_at: toIso(endedAt) }),
    ...(outcome === undefined ? {} : { outcome }),
    ...(delivery === undefined ? {} : { delivery }),
    ...(reason === undefined ? {} : { reason }),
    ...(summary === undefined ? {} : { summary }),
    ...(runId === undefined ? {} : { run_id: runId }),
    ...(sessionKey === undefined ? {} : { session: sessionKey }),
  };
}

function describeSchedule(schedule: Schedule): CronJobView['schedule'] {
  switch (schedule.kind) {
    case 'cron':
      return { kind: 'cron', expr: schedule.expr };
    case 'every':
      return { kind: 'every', everyMs: schedule.everyMs, anchorMs: schedule.anchorMs };
    case 'at':
      return { kind: 'at', at: toIso(schedule.atMs) };
    default:
      return schedule satisfies never;
  }
}

function describePayload(payload: JobPayload): CronJobView['payload'] {
  switch (payload.kind) {
    case 'agentTurn': {
      const { kind, message, model, timeoutMs } = payload;
      return {
        kind,
        message,
        ...(model === undefined ? {} : { model }),
        ...(timeoutMs === undefined ? {} : { timeoutSeconds: timeoutMs / 1_000 }),
      };
    }
    case 'systemEvent':
      return { kind: payload.kind, text: payload.text };
    case 'heartbeat':
      return { kind: payload.kind };
    default:
      return payload satisfies never;
  }
}

function describeTarget({
  channel,
  accountId,
  chatId,
  threadId,
  peerKind,
}: JobTarget): CronJobView['delivery'] & object {
  return {
    channel,
    account_id: accountId,
    chat_id: chatId,
    peer_kind: peerKind,
    ...(threadId === undefined ? {} : { thread_id: threadId }),
  };
}

function toIso(ms: number): string {
  return new Date(ms).toISOString();
}
