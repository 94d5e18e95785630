import { randomBytes } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { type Calculator, loadCalculator } from '../../../worker/cron/calculator.ts';
import { keepHeartbeat } from '../../../worker/cron/keep-heartbeat.ts';
import { findNextSlot } from '../../../worker/cron/plan-slots.ts';
import { rewindJobs, runRound, type Tenure } from '../../../worker/cron/round.ts';
import type { CronJob, CronRun, JobDefinition } from '../../../worker/store/cron-row.ts';
import type { Store } from '../../../worker/store/index.ts';
import { type AssembledGateway, type AssembledOptions, assembleGateway } from '../assembled-gateway.ts';
import { openTemporaryStore } from '../temporary-store.ts';

export const HOUR = 3_600_000;

/** Jobs around a real gateway, a real store and a clock that the test sets. */
export type CronBench = {
  gateway: AssembledGateway;
  store: Store;
  calculator: Calculator;
  clock: { now: number };
  tenure: Tenure;
  /** Opens the database once more, as another worker would. */
  open(): Store;
  add(definition?: Partial<JobDefinition>): Promise<CronJob>;
  /** Sets the clock and looks after the jobs until nothing is under way. Returns the milliseconds to the next look. */
  settle(now?: number): Promise<number>;
  /** Looks after the jobs once. */
  round(now?: number): Promise<number>;
  rewind(): Promise<void>;
  /** The history of a job, oldest first. */
  history(jobId: string): Promise<CronRun[]>;
  states(jobId: string): Promise<string[]>;
};

export const NOON = Date.UTC(2026, 5, 1, 12);

/** A job of each hour, which asks the agent. */
export const HOURLY: JobDefinition = {
  schedule: { kind: 'cron', expr: '0 * * * *', timezone: 'UTC' },
  timezone: 'UTC',
  payload: { kind: 'agentTurn', message: 'report' },
  session: 'isolated',
  target: { channel: 'test', accountId: 'default', chatId: '7', peerKind: 'direct' },
  overlap: 'skip',
  misfire: 'once',
  jitterMs: 0,
  maxRetries: 0,
};

/** Just before noon. The heartbeat is there when it has a workspace to look into. */
export async function createCronBench(options: Partial<AssembledOptions> = {}): Promise<CronBench> {
  const files = openTemporaryStore();
  const store = options.store ?? files.store;
  const gateway = assembleGateway({ ...options, store });
  const epoch = await gateway.start();
  onTestFinished(() => gateway.outbound.stop(0));
  const clock = { now: NOON - 1_000 };
  const calculator = await loadCalculator();
  const tenure: Tenure = { epoch, calculator, signal: new AbortController().signal, now: () => clock.now };
  const parts = { ...gateway, log: gateway.log, workspaceDir: options.workspaceDir ?? '/nonexistent' };
  if (options.workspaceDir !== undefined) await keepHeartbeat(parts, tenure);
  const round = async (now = clock.now): Promise<number> => {
    clock.now = now;
    return runRound(parts, tenure);
  };
  return {
    gateway,
    store,
    calculator,
    clock,
    tenure,
    open: files.open,
    add(definition = {}) {
      const whole = { ...HOURLY, ...definition };
      const next = findNextSlot(whole, clock.now, calculator);
      return store.cronJobs.insert({ id: randomBytes(4).toString('hex'), definition: whole, enabled: true, next });
    },
    round,
    async settle(now) {
      for (let waitMs = await round(now); ; waitMs = await round()) {
        const { running, answered } = await store.cronRuns.open();
        if (running + answered === 0) return waitMs;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    rewind: () => rewindJobs(parts, tenure),
    history: async (jobId) => (await store.cronRuns.ofJob(jobId, { limit: 1_000 })).reverse(),
    states: async (jobId) => (await store.cronRuns.ofJob(jobId, { limit: 1_000 })).reverse().map(({ state }) => state),
  };
}
