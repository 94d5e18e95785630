import type { Phase, SupervisorStatus, WorkerExit, WorkerView } from '../lib/control.ts';
import { isoTime } from '../lib/iso-time.ts';
import { VERSION } from '../lib/version.ts';
import type { LiveWorker } from './live-workers.ts';
import { LIMITS, type SupervisorState } from './state-model.ts';

/** What the status is made of besides the state. */
export type StatusSource = {
  state: SupervisorState;
  /** The reducer's clock, for the crashes. */
  now: number;
  lastChange: { reason: string; at: Date };
  startedAt: Date;
  workers: readonly LiveWorker[];
  lastExits: WorkerExit[];
  identity: Pick<
    SupervisorStatus,
    'instanceId' | 'configPath' | 'stateDir' | 'hosts' | 'port' | 'service' | 'wasPlanned'
  >;
};

/** Everything that the supervisor knows of its gateway (LOOP-3). */
export function describeStatus(source: StatusSource): SupervisorStatus {
  const { state, now, lastChange, startedAt } = source;
  return {
    ...source.identity,
    phase: state.phase,
    reason: lastChange.reason,
    since: isoTime(lastChange.at.getTime()),
    pid: process.pid,
    version: VERSION,
    startedAt: isoTime(startedAt.getTime()),
    uptimeMs: Date.now() - startedAt.getTime(),
    active: state.active,
    workers: state.workers.map(({ generation, stage }) => describeWorker(generation, stage, source.workers)),
    crashes: {
      recent: state.crashTimes.filter((time) => now - time < LIMITS.crashWindowMs).length,
      limit: state.settings.crashLimit,
    },
    lastExits: source.lastExits,
    restartFailure: state.restartFailure,
  };
}

/** One line for a service manager. */
export function describePhase(phase: Phase, port: number): string {
  switch (phase) {
    case 'running':
      return `Serving on port ${port}`;
    case 'safe-mode':
      return `Safe mode on port ${port}: channels, cron and extensions are off`;
    case 'starting':
    case 'restarting':
    case 'backoff':
    case 'draining':
    case 'stopped':
      return phase;
    default:
      return phase satisfies never;
  }
}

function describeWorker(generation: number, stage: WorkerView['stage'], workers: readonly LiveWorker[]): WorkerView {
  const live = workers.find((worker) => worker.generation === generation);
  return {
    generation,
    stage,
    pid: live?.pid ?? null,
    startedAt: isoTime(live?.startedAt ?? 0),
    heartbeat: live?.heartbeat ?? null,
  };
}
