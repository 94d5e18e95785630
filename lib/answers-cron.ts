import * as v from 'valibot';

/** The answers of the routes under `/api/cron`. */

const iso = v.pipe(v.string(), v.isoTimestamp());
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const ok = v.literal('ok');

const schedule = v.union([
  v.strictObject({ kind: v.literal('cron'), expr: v.string() }),
  v.strictObject({ kind: v.literal('every'), everyMs: count, anchorMs: count }),
  v.strictObject({ kind: v.literal('at'), at: iso }),
]);

const payload = v.union([
  v.strictObject({
    kind: v.literal('agentTurn'),
    message: v.string(),
    model: v.exactOptional(v.string()),
    timeoutSeconds: v.exactOptional(v.number()),
  }),
  v.strictObject({ kind: v.literal('systemEvent'), text: v.string() }),
  v.strictObject({ kind: v.literal('heartbeat') }),
]);

const delivery = v.strictObject({
  channel: v.string(),
  account_id: v.string(),
  chat_id: v.string(),
  peer_kind: v.picklist(['direct', 'group']),
  thread_id: v.exactOptional(v.string()),
});

const state = v.picklist(['waiting', 'running', 'answered', 'ok', 'error', 'skipped']);

const job = v.strictObject({
  id: v.string(),
  name: v.exactOptional(v.string()),
  schedule,
  timezone: v.string(),
  enabled: v.boolean(),
  payload,
  session: v.picklist(['main', 'isolated']),
  agent_id: v.exactOptional(v.string()),
  delivery: v.exactOptional(delivery),
  overlap: v.picklist(['skip', 'queue']),
  misfire: v.picklist(['skip', 'once', 'all']),
  jitter_ms: count,
  max_retries: count,
  failures: v.pipe(count, v.description('Failures in a row.')),
  created_at: iso,
  updated_at: iso,
  next_run: v.exactOptional(iso),
  last_run: v.exactOptional(iso),
  last_state: v.exactOptional(state),
  last_reason: v.exactOptional(v.string()),
});

const run = v.strictObject({
  id: count,
  job_id: v.string(),
  trigger: v.picklist(['manual', 'schedule']),
  attempt: count,
  state,
  slot: v.exactOptional(v.pipe(iso, v.description('When it was due; left out when it was triggered.'))),
  slot_end: v.exactOptional(v.pipe(iso, v.description('The last of several slots that share this entry.'))),
  ready_at: v.exactOptional(iso),
  started_at: v.exactOptional(iso),
  ended_at: v.exactOptional(iso),
  outcome: v.exactOptional(v.string()),
  delivery: v.exactOptional(v.string()),
  reason: v.exactOptional(v.string()),
  summary: v.exactOptional(v.string()),
  run_id: v.exactOptional(v.string()),
  session: v.exactOptional(v.string()),
});

export const cronJobsAnswer = v.strictObject({ jobs: v.array(job), total: count, heartbeat: v.exactOptional(job) });
export const cronJobAnswer = v.strictObject({ status: ok, job });
export const cronRunsAnswer = v.strictObject({ runs: v.array(run), next: v.exactOptional(count) });
export const cronTriggeredAnswer = v.strictObject({ status: ok, message: v.string(), run: count });
export const cronToggledAnswer = v.strictObject({ status: ok, enabled: v.boolean() });
export const cronRemovedAnswer = v.strictObject({ status: ok, removed: v.literal(true) });
export const cronPreviewAnswer = v.strictObject({ status: ok, timezone: v.string(), runs: v.array(iso) });

export type CronJobView = v.InferOutput<typeof job>;
export type CronRunView = v.InferOutput<typeof run>;
