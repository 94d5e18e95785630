import { setTimeout as sleep } from 'node:timers/promises';
import type { SupervisorStatus } from '../../lib/control.ts';
import type { Environment } from '../../lib/env.ts';
import type { Paths } from '../../lib/paths.ts';
import {
  type Endpoint,
  endpointOf,
  findInstance,
  heldBy,
  type Instance,
  identityOf,
  isRunning,
  workerPidOf,
} from '../instance.ts';
import { type Probe, probeGateway } from '../probe.ts';
import { judgeRestart, type Moment, type Verdict } from './verdict.ts';

/** The gateway as it was found at one moment, by its supervisor and by its port. */
export type Sight = { instance: Instance; endpoint: Endpoint; probe: Probe; moment: Moment };

/** How a restart ended. `timeout`: what was seen last does not say that it will succeed or fail. */
export type Outcome =
  | { t: 'restarted'; sight: Sight; version: string }
  | Extract<Verdict, { t: 'failed' | 'other' }>
  | { t: 'gone' }
  | { t: 'timeout'; sight: Sight };

export type WatchOptions = {
  paths: Paths;
  env: Environment;
  before: Moment;
  timeoutMs: number;
  /** Called with what we wait for: a new worker that serves, or the port's word for it. */
  onStep(step: 'worker' | 'port', sight: Sight): void;
};

const POLL_MS = 100;
const SUPERVISOR_MS = 2_000;
/** A worker that hangs must not hide what its supervisor knows. */
const WORKER_MS = 1_000;

/** Waits until the gateway serves with a new worker, as its supervisor and its port both say, or until that cannot come any more. */
export async function watchRestart(options: WatchOptions): Promise<Outcome> {
  const deadline = Date.now() + options.timeoutMs;
  for (;;) {
    const outcome = await look(options);
    if (outcome.t !== 'timeout' || Date.now() >= deadline) return outcome;
    await sleep(POLL_MS);
  }
}

/** Looks at the gateway of these settings, also through its port; undefined when none runs. */
export async function takeSight(paths: Paths, env: Environment): Promise<Sight | undefined> {
  const instance = await findInstance(paths, SUPERVISOR_MS);
  return isRunning(instance) ? probeSight(instance, endpointOf(instance, paths, env)) : undefined;
}

async function probeSight(instance: Instance, endpoint: Endpoint): Promise<Sight> {
  const { instanceId } = identityOf(instance);
  const probe = await probeGateway(endpoint, { instanceId, hasDetails: false, timeoutMs: WORKER_MS });
  return { instance, endpoint, probe, moment: toMoment(instance, probe) };
}

async function look({ paths, env, before, onStep }: WatchOptions): Promise<Outcome> {
  const sight = await takeSight(paths, env);
  if (sight === undefined) return { t: 'gone' };
  const verdict = judgeRestart(sight.moment, before);
  if (verdict.t === 'failed' || verdict.t === 'other') return verdict;
  onStep(verdict.t === 'serving' ? 'port' : 'worker', sight);
  const version = verdict.t === 'serving' ? confirmedVersion(sight) : undefined;
  return version === undefined ? { t: 'timeout', sight } : { t: 'restarted', sight, version };
}

/** The version of the new worker, once it is the one that answers on the port. */
function confirmedVersion({ probe, moment }: Sight): string | undefined {
  if (probe.t !== 'answered' || probe.health.generation !== moment.active) return undefined;
  return probe.health.version;
}

function toMoment(instance: Instance, probe: Probe): Moment {
  const { pid, instanceId } = identityOf(instance);
  const known = { pid, instanceId, workerPid: workerPidOf(instance) };
  return { ...known, ...(instance.status === undefined ? fromPort(instance, probe) : fromSupervisor(instance.status)) };
}

type Progress = Omit<Moment, 'pid' | 'instanceId' | 'workerPid'>;

function fromSupervisor(status: SupervisorStatus): Progress {
  const { phase, since, active, restartFailure, workers, startedAt } = status;
  // The ends of workers are kept from one supervisor to the next.
  const ended = status.lastExits.filter(({ at }) => at >= startedAt);
  const generations = [...workers, ...ended].map(({ generation }) => generation);
  const newest = Math.max(active ?? 0, ...generations);
  return { phase, since, active, newest, restartFailure, lastExit: ended[0] ?? null };
}

/** Without a control socket the port tells which worker serves. */
function fromPort(instance: Instance, probe: Probe): Progress {
  const generation = probe.t === 'answered' ? probe.health.generation : undefined;
  return {
    phase: heldBy(instance)?.phase ?? '',
    since: null,
    active: generation ?? null,
    newest: generation ?? 0,
    restartFailure: null,
    lastExit: null,
  };
}
