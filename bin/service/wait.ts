import { setTimeout as sleep } from 'node:timers/promises';
import type { Environment } from '../../lib/env.ts';
import type { Paths } from '../../lib/paths.ts';
import { readFatal } from '../../supervisor/fatal.ts';
import type { ServiceManager } from '../../supervisor/service/contract.ts';
import { type Sight, takeSight } from '../restart/watch.ts';

/** What became of a service that was told to start. */
export type Arrival =
  | { t: 'healthy'; sight: Sight; version: string }
  /** It will not come by itself. */
  | { t: 'failed'; reason: string; hint: string | undefined }
  | { t: 'timeout'; sight: Sight | undefined; detail: string };

export type WaitOptions = {
  paths: Paths;
  env: Environment;
  manager: ServiceManager;
  /** The instance that must be gone; undefined when any will do. */
  previous: string | undefined;
  timeoutMs: number;
};

const POLL_MS = 150;
/** Times in files have whole milliseconds, and clocks of two processes may differ by one. */
const CLOCK_MS = 1_000;

/** Waits until the gateway of the service serves, as its supervisor and its port both say, or until that cannot come any more. */
export async function waitForService(options: WaitOptions): Promise<Arrival> {
  const startedAt = Date.now();
  const deadline = startedAt + options.timeoutMs;
  for (;;) {
    const arrival = await look(options, startedAt);
    if (arrival.t !== 'timeout' || Date.now() >= deadline) return arrival;
    await sleep(POLL_MS);
  }
}

async function look({ paths, env, manager, previous }: WaitOptions, startedAt: number): Promise<Arrival> {
  const sight = await takeSight(paths, env);
  if (sight !== undefined && sight.moment.instanceId !== previous) return judge(sight, manager);
  const fatal = readFatal(paths.fatalFile);
  if (fatal !== undefined && Date.parse(fatal.at) >= startedAt - CLOCK_MS) {
    return { t: 'failed', reason: fatal.message, hint: fatal.hint };
  }
  const { state, detail, lastExitCode } = await manager.look();
  if (state === 'given-up')
    return { t: 'failed', reason: `${detail}, exit code ${lastExitCode ?? '?'}`, hint: undefined };
  return { t: 'timeout', sight, detail };
}

function judge(sight: Sight, { kind }: ServiceManager): Arrival {
  const { instance, probe, moment } = sight;
  const { phase, lastExit } = moment;
  if (phase === 'safe-mode') return { t: 'failed', reason: `safe mode (${lastExit?.reason ?? '?'})`, hint: undefined };
  const isServing = phase === 'running' && probe.t === 'answered' && instance.status?.service === kind;
  if (!isServing) return { t: 'timeout', sight, detail: phase };
  return { t: 'healthy', sight, version: probe.health.version ?? instance.status?.version ?? '?' };
}
