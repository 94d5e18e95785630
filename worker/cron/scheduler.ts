import type { GatewayEvent } from '../events.ts';
import { LeaseLost } from '../store/lease.ts';
import { loadCalculator } from './calculator.ts';
import { keepHeartbeat } from './keep-heartbeat.ts';
import { type RoundOptions, rewindJobs, runRound, type Tenure } from './round.ts';

export type SchedulerOptions = RoundOptions & { now?: () => number };

export type Scheduler = {
  /** Begins to look after the jobs under a lease. Does nothing when the configuration says so. */
  start(epoch: number): Promise<void>;
  /** Looks at once, because a job has changed. Does nothing while somebody else looks after them. */
  wake(): void;
  /** The clock jumped by so many milliseconds. */
  followClock(jumpMs: number): void;
  /** Ends it; resolves when nothing more is begun. */
  stop(): Promise<void>;
};

/** Pause after a failure of the store, in milliseconds. */
const RETRY_MS = 1_000;

/** What may mean that a run is over is looked at together, in milliseconds. */
const GATHER_MS = 50;

const ENDINGS: readonly GatewayEvent['type'][] = ['message.sent', 'message.failed', 'session.updated'];

/** Looks after all jobs with one timer, however many they are. */
export function createScheduler(options: SchedulerOptions): Scheduler {
  const { config, events, log, now = Date.now } = options;
  let tenure: Tenure | undefined;
  let ending = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let wakeAt = Number.POSITIVE_INFINITY;
  let looking: Promise<void> | undefined;
  let isOpen = false;
  let isPrepared = false;
  let unsubscribe: () => void = () => undefined;

  /** The sooner one counts. */
  function schedule(ms: number): void {
    if (ending.signal.aborted) return;
    const at = performance.now() + ms;
    if (at >= wakeAt) return;
    wakeAt = at;
    clearTimeout(timer);
    timer = setTimeout(() => {
      wakeAt = Number.POSITIVE_INFINITY;
      void lookOnce();
    }, ms);
  }

  async function lookOnce(): Promise<void> {
    if (looking !== undefined) return schedule(GATHER_MS);
    looking = look();
    await looking;
    looking = undefined;
  }

  async function look(): Promise<void> {
    if (tenure === undefined) return;
    try {
      if (!isPrepared) await prepare(tenure);
      const waitMs = await runRound(options, tenure);
      isOpen = waitMs <= RETRY_MS;
      schedule(waitMs);
    } catch (error) {
      if (ending.signal.aborted) return;
      if (error instanceof LeaseLost) {
        log.warn('Another worker looks after the jobs');
        ending.abort();
        return;
      }
      log.error({ err: error }, 'The jobs cannot be looked after; trying again');
      schedule(RETRY_MS);
    }
  }

  /** Part of the first look, so that it is tried again when the store fails. */
  async function prepare(current: Tenure): Promise<void> {
    await keepHeartbeat(options, current);
    await rewindJobs(options, current);
    isPrepared = true;
  }

  return {
    async start(epoch) {
      if (!config.cron.enabled) return;
      ending = new AbortController();
      const { signal } = ending;
      const calculator = await loadCalculator();
      if (signal.aborted) return;
      tenure = { epoch, calculator, signal, now };
      isPrepared = false;
      const follow = ({ type }: GatewayEvent): void => {
        if (isOpen && ENDINGS.includes(type)) schedule(GATHER_MS);
      };
      unsubscribe = events.subscribe(follow).stop;
      schedule(0);
    },
    wake: () => schedule(0),
    followClock(jumpMs) {
      if (tenure === undefined) return;
      schedule(0);
      if (jumpMs > 0) return;
      rewindJobs(options, tenure)
        .then(() => schedule(0))
        .catch((error: unknown) => log.error({ err: error }, 'Jobs could not be brought forward'));
    },
    async stop() {
      unsubscribe();
      ending.abort();
      clearTimeout(timer);
      await looking;
      tenure = undefined;
    },
  };
}
