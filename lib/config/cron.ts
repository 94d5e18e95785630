import * as v from 'valibot';
import { isTimeZone } from '../time-zone.ts';
import { describe, reserve } from './describe.ts';

const timeZone = v.pipe(v.string(), v.check(isTimeZone, 'must be an IANA time zone such as "Europe/Berlin"'));

/** `cron`: the jobs by the clock. */
export const cron = v.object({
  enabled: describe(v.optional(v.boolean(), true), 'False: no job runs, the heartbeat neither.'),
  maxConcurrentJobs: describe(
    v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100)), 5),
    'Runs of jobs at the same time; the others wait.',
  ),
  defaultTimezone: describe(v.optional(timeZone, 'UTC'), 'Time zone of jobs that are made without one.'),
  historyRetentionDays: describe(
    v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(3_650)), 7),
    'Days for which it is known what became of a run; the newest 1000 of each job at most.',
  ),
  enableMetrics: reserve(v.boolean(), 'Whether runs are counted.'),
  jobs: reserve(v.array(v.record(v.string(), v.unknown())), 'Jobs that the file itself holds.'),
});

const CLOCK = v.pipe(v.string(), v.regex(/^([01]\d|2[0-4]):[0-5]\d$/, 'must be a time such as "08:30"'));

const heartbeatFields = v.object({
  enabled: describe(
    v.optional(v.boolean(), true),
    'Whether the agent looks at HEARTBEAT.md in its workspace every now and then. Without that file nothing happens.',
  ),
  intervalMs: describe(
    v.optional(v.pipe(v.number(), v.integer(), v.minValue(60_000), v.maxValue(86_400_000)), 1_800_000),
    'Milliseconds from one heartbeat to the next, a minute to a day.',
  ),
  includeSystemPromptSection: reserve(v.boolean(), 'Whether the instructions of an agent name it.'),
  target: describe(
    v.optional(v.pipe(v.string(), v.nonEmpty())),
    'Channel on which the agent tells what it found. Left out: the web chat.',
  ),
  targetChatId: describe(
    v.optional(v.pipe(v.union([v.string(), v.number()]), v.transform(String), v.nonEmpty())),
    'Chat on that channel.',
  ),
  prompt: describe(
    v.optional(v.pipe(v.string(), v.nonEmpty())),
    'What the agent is told before the text of HEARTBEAT.md.',
  ),
  ackMaxChars: describe(
    v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(10_000)), 300),
    'An answer with HEARTBEAT_OK and at most so many other characters is not delivered.',
  ),
  isolatedSession: describe(
    v.optional(v.boolean(), false),
    'True: each heartbeat has a conversation of its own. False: it takes place in that of the chat.',
  ),
  activeHours: describe(
    v.optional(
      v.object({
        start: describe(CLOCK, 'When they begin, "08:00".'),
        end: describe(CLOCK, 'When they end, "22:00"; "24:00" is midnight.'),
        timezone: describe(v.optional(timeZone), 'Time zone of these hours. Left out: cron.defaultTimezone.'),
      }),
    ),
    'Hours of the day in which there are heartbeats; over midnight when the end is before the start.',
  ),
});

/** `gateway.heartbeat`: a turn of the agent every now and then. */
export const heartbeat = v.pipe(
  heartbeatFields,
  v.check(
    ({ target, targetChatId }) => (target === undefined) === (targetChatId === undefined),
    'target and targetChatId go together: the channel and the chat on it',
  ),
);
