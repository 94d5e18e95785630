import { randomBytes } from 'node:crypto';
import type { CronCreate, CronPatch, ScheduleInput } from '../../lib/api-cron.ts';
import type { Config } from '../../lib/config/schema.ts';
import { GatewayError } from '../../lib/errors.ts';
import type { Runs } from '../agent/runs.ts';
import type { CronJob, CronRun, JobDefinition, Slot } from '../store/cron-row.ts';
import type { Store } from '../store/index.ts';
import { type Calculator, loadCalculator } from './calculator.ts';
import { HEARTBEAT_ID } from './heartbeat.ts';
import { findNextSlot } from './plan-slots.ts';
import { changeDefinition, chooseZone, type ReadOptions, readDefinition, readSchedule } from './read-definition.ts';
import type { Scheduler } from './scheduler.ts';

export type JobsOptions = {
  config: Config;
  store: Store;
  runs: Pick<Runs, 'abort'>;
  scheduler: Pick<Scheduler, 'wake'>;
  /** Throws CHANNEL_NOT_FOUND when the channel is not there. */
  assertChannel(channel: string): void;
};

export type Jobs = {
  /** The job with an id. Throws NOT_FOUND. */
  require(id: string): Promise<CronJob>;
  /** Throws INVALID_REQUEST with the field that is wrong, and CONFLICT when there are too many. */
  create(request: CronCreate): Promise<CronJob>;
  /** Throws as `create` and NOT_FOUND. */
  change(id: string, patch: CronPatch): Promise<CronJob>;
  /** Switches a job on or off; without a wish to what it is not. */
  toggle(id: string, enabled?: boolean): Promise<CronJob>;
  /** Orders a run, also of a job that is off. Throws NOT_FOUND, and CONFLICT when no job runs at all. */
  trigger(id: string): Promise<CronRun>;
  /** Forgets a job with its history and stops what it is doing. */
  remove(id: string): Promise<void>;
  /** The next slots of a schedule, epoch milliseconds, and the zone that it was read in. */
  preview(request: { schedule: ScheduleInput; timezone?: string | undefined; count: number }): Promise<{
    timezone: string;
    slots: number[];
  }>;
};

const MAX_JOBS = 10_000;

/** What callers may do with jobs. */
export function createJobs(options: JobsOptions): Jobs {
  const { config, store, runs, scheduler } = options;

  async function reading(): Promise<ReadOptions> {
    return { ...options, calculator: await loadCalculator(), now: Date.now() };
  }

  async function require(id: string): Promise<CronJob> {
    const job = await store.cronJobs.get(id);
    if (job === undefined) throw new GatewayError('NOT_FOUND', `There is no job ${id}.`);
    return job;
  }

  async function update(job: CronJob, definition: JobDefinition, next: Slot | undefined): Promise<CronJob> {
    const changed = await store.cronJobs.update(job.id, job.revision, {
      definition,
      enabled: next !== undefined,
      next,
    });
    if (changed === undefined)
      throw new GatewayError('CONFLICT', `The job ${job.id} was changed meanwhile; look at it and try again.`);
    scheduler.wake();
    return changed;
  }

  return {
    require,
    async create(request) {
      if ((await store.cronJobs.count()) >= MAX_JOBS)
        throw new GatewayError('CONFLICT', `There are ${MAX_JOBS} jobs already; delete some.`);
      const at = await reading();
      const definition = readDefinition(at, request);
      const next = request.enabled ? findNextSlot(definition, at.now, at.calculator) : undefined;
      const id = randomBytes(4).toString('hex');
      const job = await store.cronJobs.insert({ id, definition, enabled: request.enabled, next });
      scheduler.wake();
      return job;
    },
    async change(id, patch) {
      assertOwn(id);
      const job = await require(id);
      const at = await reading();
      const definition = changeDefinition(at, job, patch);
      const isEnabled = patch.enabled ?? job.enabled;
      return update(job, definition, isEnabled ? requireNext(definition, at.now, at.calculator) : undefined);
    },
    async toggle(id, wish) {
      assertOwn(id);
      const job = await require(id);
      const isEnabled = wish ?? !job.enabled;
      if (isEnabled === job.enabled) return job;
      const calculator = await loadCalculator();
      return update(job, job, isEnabled ? requireNext(job, Date.now(), calculator) : undefined);
    },
    async trigger(id) {
      await require(id);
      if (!config.cron.enabled)
        throw new GatewayError('CONFLICT', 'No job runs now: cron.enabled is false, or the gateway is in safe mode.');
      const run = await store.cronRuns.order(id, Date.now());
      if (run === undefined) throw new GatewayError('NOT_FOUND', `There is no job ${id}.`);
      scheduler.wake();
      return run;
    },
    async remove(id) {
      assertOwn(id);
      const running = await store.cronJobs.remove(id);
      if (running === undefined) throw new GatewayError('NOT_FOUND', `There is no job ${id}.`);
      for (const runId of running) runs.abort({ runId });
    },
    async preview({ count, ...request }) {
      const { calculator, now } = await reading();
      const timezone = chooseZone(request, config.cron.defaultTimezone);
      const schedule = readSchedule({ calculator, now }, request.schedule, timezone);
      const slots: number[] = [];
      for (
        let slot = calculator.next(schedule, now);
        slot !== undefined && slots.length < count;
        slot = calculator.next(schedule, slot)
      )
        slots.push(slot);
      return { timezone, slots };
    },
  };
}

function assertOwn(id: string): void {
  if (id === HEARTBEAT_ID)
    throw new GatewayError(
      'CONFLICT',
      'The heartbeat is set in the configuration: heartbeat.enabled, heartbeat.intervalMs and others.',
    );
}

function requireNext(definition: JobDefinition, now: number, calculator: Calculator): Slot {
  const next = findNextSlot(definition, now, calculator);
  if (next === undefined)
    throw new GatewayError('CONFLICT', 'Nothing more comes of this job: its time is over. Give it another schedule.');
  return next;
}
