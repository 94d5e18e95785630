import type { CronCreate, CronPatch, ScheduleInput } from '../../lib/api-cron.ts';
import type { Config } from '../../lib/config/schema.ts';
import { GatewayError } from '../../lib/errors.ts';
import { isTimeZone } from '../../lib/time-zone.ts';
import { isAgentEnabled } from '../sessions/route.ts';
import type { JobDefinition, JobPayload, JobTarget, Schedule } from '../store/cron-row.ts';
import type { Calculator } from './calculator.ts';

export type ReadOptions = {
  config: Config;
  calculator: Calculator;
  /** Throws CHANNEL_NOT_FOUND when the channel is not there. */
  assertChannel(channel: string): void;
  now: number;
};

/** The definition that a request describes. Throws INVALID_REQUEST with the field. */
export function readDefinition(options: ReadOptions, request: CronCreate): JobDefinition {
  const { config } = options;
  const timezone = chooseZone(request, config.cron.defaultTimezone);
  const { name, delivery, agent_id: agentId } = request;
  assertAgent(config, agentId);
  return {
    ...(name === undefined ? {} : { name }),
    schedule: readSchedule(options, request.schedule, timezone),
    timezone,
    payload: readPayload(request),
    session: request.session,
    ...(agentId === undefined ? {} : { agentId }),
    ...(delivery === undefined ? {} : { target: readTarget(options, delivery) }),
    overlap: request.overlap,
    misfire: request.misfire,
    jitterMs: request.jitter_ms,
    maxRetries: request.max_retries,
  };
}

/** The definition as a request changes it; what it does not name stays. Throws INVALID_REQUEST with the field. */
export function changeDefinition(options: ReadOptions, current: JobDefinition, patch: CronPatch): JobDefinition {
  const { name: oldName, target: oldTarget, agentId: oldAgent, ...rest } = current;
  const timezone = chooseZone(patch, current.timezone);
  const schedule =
    patch.schedule === undefined ? inZone(current.schedule, timezone) : readSchedule(options, patch.schedule, timezone);
  const name = changed(patch.name, oldName);
  const agentId = changed(patch.agent_id, oldAgent);
  assertAgent(options.config, agentId);
  const target = patch.delivery ? readTarget(options, patch.delivery) : changed(patch.delivery, oldTarget);
  const isNewPayload = patch.payload !== undefined || patch.message !== undefined;
  return {
    ...rest,
    ...(name === undefined ? {} : { name }),
    ...(agentId === undefined ? {} : { agentId }),
    ...(target === undefined ? {} : { target }),
    schedule,
    timezone,
    payload: isNewPayload ? readPayload(patch) : current.payload,
    session: patch.session ?? current.session,
    overlap: patch.overlap ?? current.overlap,
    misfire: patch.misfire ?? current.misfire,
    jitterMs: patch.jitter_ms ?? current.jitterMs,
    maxRetries: patch.max_retries ?? current.maxRetries,
  };
}

/** The zone that a request names, in one of two places. Throws INVALID_REQUEST when there is no such zone. */
export function chooseZone(
  request: { schedule?: ScheduleInput | undefined; timezone?: string | undefined },
  fallback: string,
): string {
  const { schedule, timezone } = request;
  const tz = typeof schedule === 'object' && schedule.kind === 'cron' ? schedule.tz : undefined;
  if (tz !== undefined && timezone !== undefined && tz !== timezone)
    throw invalid('timezone', `is "${timezone}", but schedule.tz is "${tz}"; keep one of them`);
  const zone = tz ?? timezone ?? fallback;
  if (!isTimeZone(zone)) throw invalid('timezone', `"${zone}" is no IANA time zone such as "Europe/Berlin"`);
  return zone;
}

/** The schedule that a request describes, which has a slot to come. Throws INVALID_REQUEST when it is none. */
export function readSchedule(
  { calculator, now }: Pick<ReadOptions, 'calculator' | 'now'>,
  input: ScheduleInput,
  timezone: string,
): Schedule {
  const read = (): Schedule => {
    if (typeof input === 'string') return { kind: 'cron', expr: input.trim(), timezone };
    switch (input.kind) {
      case 'cron':
        return { kind: 'cron', expr: input.expr.trim(), timezone };
      case 'every':
        // Counted from now when nothing else is said.
        return { kind: 'every', everyMs: input.everyMs, anchorMs: input.anchorMs ?? now };
      case 'at':
        return { kind: 'at', atMs: calculator.instant(input.at, timezone) };
      default:
        return input satisfies never;
    }
  };
  try {
    const schedule = read();
    if (calculator.next(schedule, now) !== undefined) return schedule;
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'BadSchedule') throw error;
    throw invalid('schedule', error.message);
  }
  throw invalid('schedule', 'will never come: its time is over, or there is no such date');
}

function inZone(schedule: Schedule, timezone: string): Schedule {
  return schedule.kind === 'cron' ? { ...schedule, timezone } : schedule;
}

function readPayload({ message, payload }: Pick<CronCreate, 'message' | 'payload'>): JobPayload {
  if (payload === undefined) return { kind: 'agentTurn', message: message ?? '' };
  if (payload.kind === 'systemEvent') return payload;
  const { kind, message: text, model, timeoutSeconds } = payload;
  return {
    kind,
    message: text,
    ...(model === undefined ? {} : { model }),
    ...(timeoutSeconds === undefined ? {} : { timeoutMs: timeoutSeconds * 1_000 }),
  };
}

function readTarget({ assertChannel }: ReadOptions, delivery: NonNullable<CronCreate['delivery']>): JobTarget {
  assertChannel(delivery.channel);
  return {
    channel: delivery.channel,
    accountId: delivery.account_id,
    chatId: delivery.chat_id,
    peerKind: delivery.peer_kind,
    ...(delivery.thread_id === undefined ? {} : { threadId: delivery.thread_id }),
  };
}

/** Null takes away, nothing leaves as it was. */
function changed<T>(given: T | null | undefined, current: T | undefined): T | undefined {
  return given === undefined ? current : (given ?? undefined);
}

function assertAgent(config: Config, agentId: string | undefined): void {
  if (agentId === undefined || isAgentEnabled(config, agentId)) return;
  throw invalid('agent_id', `"${agentId}" is no enabled agent`);
}

function invalid(path: string, message: string): GatewayError {
  return new GatewayError('INVALID_REQUEST', `${path}: ${message}`, { details: [{ path, message }] });
}
