import * as v from 'valibot';
import { queryInteger } from './api.ts';
import { id, text } from './api-fields.ts';

/** Request schemas of the routes under `/api/cron`. */

const integer = (name: string, minimum: number, maximum: number) => {
  const message = `${name} must be a whole number from ${minimum} to ${maximum}`;
  return v.pipe(v.number(message), v.integer(message), v.minValue(minimum, message), v.maxValue(maximum, message));
};

const DAY_MS = 86_400_000;

/** Of a pattern nobody needs more. */
const expression = (name: string) => text(name, 256);

const schedule = v.union(
  [
    expression('schedule'),
    v.strictObject({
      kind: v.literal('cron'),
      expr: expression('schedule.expr'),
      tz: v.optional(id('schedule.tz')),
    }),
    v.strictObject({
      kind: v.literal('every'),
      everyMs: integer('schedule.everyMs', 1_000, 366 * DAY_MS),
      anchorMs: v.optional(integer('schedule.anchorMs', 0, 8_640_000_000_000_000)),
    }),
    v.strictObject({ kind: v.literal('at'), at: text('schedule.at', 64) }),
  ],
  'schedule must be a cron expression such as "0 9 * * 1-5", or {"kind": "cron", "expr", "tz"?}, {"kind": "every", "everyMs", "anchorMs"?}, {"kind": "at", "at"}',
);

/** Longest text of a job. */
const MAX_TEXT = 50_000;

const payload = v.union(
  [
    v.strictObject({
      kind: v.literal('agentTurn'),
      message: text('payload.message', MAX_TEXT),
      model: v.optional(id('payload.model')),
      timeoutSeconds: v.optional(integer('payload.timeoutSeconds', 10, 3_600)),
    }),
    v.strictObject({ kind: v.literal('systemEvent'), text: text('payload.text', MAX_TEXT) }),
  ],
  'payload must be {"kind": "agentTurn", "message", "model"?, "timeoutSeconds"?} or {"kind": "systemEvent", "text"}',
);

const delivery = v.strictObject({
  channel: id('delivery.channel'),
  chat_id: id('delivery.chat_id'),
  account_id: v.optional(id('delivery.account_id'), 'default'),
  thread_id: v.optional(id('delivery.thread_id')),
  peer_kind: v.optional(v.picklist(['direct', 'group'], 'delivery.peer_kind must be direct or group'), 'direct'),
});

const fields = {
  name: text('name', 100),
  message: text('message', MAX_TEXT),
  timezone: id('timezone'),
  session: v.picklist(['main', 'isolated'], 'session must be main or isolated'),
  agent_id: id('agent_id'),
  overlap: v.picklist(['skip', 'queue'], 'overlap must be skip or queue'),
  misfire: v.picklist(['skip', 'once', 'all'], 'misfire must be skip, once or all'),
  jitter_ms: integer('jitter_ms', 0, DAY_MS),
  max_retries: integer('max_retries', 0, 10),
  enabled: v.boolean('enabled must be true or false'),
};

export const cronCreateRequest = v.pipe(
  v.object({
    schedule,
    payload: v.optional(payload),
    delivery: v.optional(delivery),
    name: v.optional(fields.name),
    message: v.optional(fields.message),
    timezone: v.optional(fields.timezone),
    session: v.optional(fields.session, 'main'),
    agent_id: v.optional(fields.agent_id),
    overlap: v.optional(fields.overlap, 'skip'),
    misfire: v.optional(fields.misfire, 'once'),
    jitter_ms: v.optional(fields.jitter_ms, 0),
    max_retries: v.optional(fields.max_retries, 3),
    enabled: v.optional(fields.enabled, true),
  }),
  v.check(
    ({ message, payload: given }) => (message === undefined) !== (given === undefined),
    'give either message or payload: what the job is to do',
  ),
);

/** Null takes a setting away. */
export const cronPatchRequest = v.pipe(
  v.object({
    schedule: v.optional(schedule),
    payload: v.optional(payload),
    delivery: v.optional(v.nullable(delivery)),
    name: v.optional(v.nullable(fields.name)),
    message: v.optional(fields.message),
    timezone: v.optional(fields.timezone),
    session: v.optional(fields.session),
    agent_id: v.optional(v.nullable(fields.agent_id)),
    overlap: v.optional(fields.overlap),
    misfire: v.optional(fields.misfire),
    jitter_ms: v.optional(fields.jitter_ms),
    max_retries: v.optional(fields.max_retries),
    enabled: v.optional(fields.enabled),
  }),
  v.check((patch) => Object.keys(patch).length > 0, 'nothing to change was given'),
  v.check(
    ({ message, payload: given }) => message === undefined || given === undefined,
    'give either message or payload: what the job is to do',
  ),
);

export const cronTriggerRequest = v.object({ job_id: id('job_id') });

export const cronToggleRequest = v.object({ enabled: v.optional(fields.enabled) });

export const cronPreviewRequest = v.object({
  schedule,
  timezone: v.optional(fields.timezone),
  count: v.optional(integer('count', 1, 50), 5),
});

export const cronListQuery = v.object({
  limit: v.optional(queryInteger('limit', 1, 1_000), '1000'),
  offset: v.optional(queryInteger('offset', 0, 1_000_000), '0'),
});

export const cronRunsQuery = v.object({
  limit: v.optional(queryInteger('limit', 1, 500), '50'),
  before: v.optional(queryInteger('before', 1, Number.MAX_SAFE_INTEGER)),
});

export type ScheduleInput = v.InferOutput<typeof schedule>;
export type CronCreate = v.InferOutput<typeof cronCreateRequest>;
export type CronPatch = v.InferOutput<typeof cronPatchRequest>;
