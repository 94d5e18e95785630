import type { Config } from '../../lib/config/schema.ts';
import type { Logger } from '../../lib/log.ts';
import type { Runs } from '../agent/runs.ts';
import type { EventHub } from '../events.ts';
import type { MessagePath } from '../messages/path.ts';
import type { Store } from '../store/index.ts';
import { createJobs, type Jobs } from './jobs.ts';
import { createScheduler, type Scheduler } from './scheduler.ts';

export type CronParts = Pick<MessagePath, 'lanes' | 'outbound' | 'alerts'> & {
  config: Config;
  store: Store;
  events: EventHub;
  runs: Runs;
  /** Holds a folder for each agent. */
  workspaceDir: string;
  /** Throws CHANNEL_NOT_FOUND when the channel is not there. */
  assertChannel(channel: string): void;
  log: Logger;
};

export type CronService = {
  jobs: Jobs;
  scheduler: Scheduler;
  /** Forgets what is older than the configuration says. */
  pruneJobs(): Promise<void>;
};

const DAY_MS = 86_400_000;

/** Puts the jobs by the clock together: slots → ledger → inbox (SPEC 6). */
export function createCronService(parts: CronParts): CronService {
  const scheduler = createScheduler(parts);
  const { store, config } = parts;
  return {
    scheduler,
    jobs: createJobs({ ...parts, scheduler }),
    pruneJobs: () => store.pruneCron(Date.now() - config.cron.historyRetentionDays * DAY_MS),
  };
}
