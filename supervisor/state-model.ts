import type { SupervisorMessage } from '../lib/ipc.ts';

/** What the supervisor is doing (SPEC 3.1). `restarting`: one worker serves while its successor boots. */
export type Phase = 'starting' | 'running' | 'restarting' | 'backoff' | 'draining' | 'stopped';

/** How far a worker has come: process forked, `worker.hello` seen, `worker.ready` seen, told to drain. */
export type WorkerStage = 'forked' | 'booting' | 'ready' | 'draining';

export type StopSignal = 'SIGTERM' | 'SIGINT';

/** Why a worker cannot go on, in words for the operator. */
export type WorkerFailure = { exitCode: number; message: string; hint?: string };

export type WorkerSlot = { generation: number; stage: WorkerStage; failure: WorkerFailure | null };

export type SupervisorState = {
  phase: Phase;
  /** Every worker whose process has not ended. */
  workers: WorkerSlot[];
  /** Generation that serves; null when none does. */
  active: number | null;
  /** Generation that boots to become active; null when none does. */
  candidate: number | null;
  /** Who runs the singletons. An epoch is granted once only, and only when `holder` is null. */
  lease: { epoch: number; holder: number | null };
  nextGeneration: number;
  /** True when a restart was asked for that could not begin yet; several collapse into one. */
  isRestartQueued: boolean;
  hasServed: boolean;
  /** Crashes since the last time a worker was healthy. */
  crashes: number;
  /** How the supervisor ends once the last worker is gone; null while it shall go on. */
  outcome: { exitCode: number; failure: WorkerFailure | null } | null;
};

export type Timer =
  | { t: 'ready-deadline'; generation: number }
  | { t: 'healthy'; generation: number }
  | { t: 'release-deadline'; generation: number }
  | { t: 'drain-deadline'; generation: number }
  | { t: 'respawn' }
  | { t: 'stop-deadline' };

export type SupervisorEvent =
  | { t: 'start' }
  | { t: 'worker.greeted'; generation: number }
  | { t: 'worker.ready'; generation: number }
  | { t: 'worker.failed'; generation: number; failure: WorkerFailure }
  /** `cause` says how it ended: exit code, signal, or why it could not be forked. */
  | { t: 'worker.exited'; generation: number; code: number | null; cause: string }
  | { t: 'lease.released'; generation: number; epoch: number }
  | { t: 'restart.requested'; reason: string }
  | { t: 'stop.requested'; signal: StopSignal; drainTimeoutMs: number }
  | { t: 'timer.fired'; timer: Timer };

export type SupervisorEffect =
  | { t: 'fork'; generation: number }
  /** Answer the worker's hello with `sup.welcome` and the listening sockets. */
  | { t: 'welcome'; generation: number; leaseEpoch: number | null }
  | { t: 'send'; generation: number; message: SupervisorMessage }
  | { t: 'kill'; generation: number; reason: string }
  | { t: 'timer.set'; timer: Timer; ms: number }
  | { t: 'activated'; generation: number }
  | { t: 'transition'; from: Phase; to: Phase; reason: string }
  | { t: 'log'; level: 'info' | 'warn' | 'error'; message: string; fields?: Readonly<Record<string, unknown>> }
  | { t: 'finish'; exitCode: number; failure: WorkerFailure | null };

/** The limits of a worker's life, in milliseconds (SPEC 3.3 to 3.5, supervisor.md 3.5). */
export const LIMITS = {
  readyMs: 30_000,
  /** HTTP requests in flight when a worker is told to drain. */
  requestsMs: 5_000,
  /** Agent turns in flight when another worker takes over. */
  replacedTurnsMs: 300_000,
  /** Channels, cron and outbox of a replaced worker must have stopped by then, else nobody runs them. */
  leaseReleaseMs: 10_000,
  minStopMs: 6_000,
  /** How long past its deadline a draining worker may live. */
  graceMs: 1_000,
} as const;

/** The state before the first event. */
export function initialState(): SupervisorState {
  return {
    phase: 'starting',
    workers: [],
    active: null,
    candidate: null,
    lease: { epoch: 0, holder: null },
    nextGeneration: 1,
    isRestartQueued: false,
    hasServed: false,
    crashes: 0,
    outcome: null,
  };
}
