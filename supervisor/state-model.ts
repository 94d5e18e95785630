import type { Phase, WorkerStage } from '../lib/control.ts';
import type { SupervisorMessage, WorkerRole } from '../lib/ipc.ts';

export type StopSignal = 'SIGTERM' | 'SIGINT';

/** Why a worker cannot go on, in words for the operator. */
export type WorkerFailure = { exitCode: number; message: string; hint?: string };

export type WorkerSlot = {
  generation: number;
  stage: WorkerStage;
  role: WorkerRole;
  failure: WorkerFailure | null;
  /** Its main loop was silent for too long and it was killed for that. */
  isHung: boolean;
};

/** What the operator decided; read again at each restart. */
export type Settings = {
  hasStandby: boolean;
  /** Crashes within `CRASH_WINDOW_MS` that mean safe mode; 0: never. */
  crashLimit: number;
  /** `XOPC_NO_RESPAWN`: a restart rebuilds the worker in its own process. */
  isInPlace: boolean;
};

/** A restart that was asked for. `turnsMs` is how long running turns may go on in the old worker. */
export type RestartRequest = { reason: string; turnsMs: number };

export type SupervisorState = {
  phase: Phase;
  settings: Settings;
  /** Every worker whose process has not ended. */
  workers: WorkerSlot[];
  /** Generation that serves; null when none does. */
  active: number | null;
  /** Generation that boots to become active, which is the active one itself while it is rebuilt; null when none does. */
  candidate: number | null;
  /** Generation that waits to be promoted; null when there is none. */
  standby: number | null;
  /** Who runs the singletons. An epoch is granted once only, and only when `holder` is null. */
  lease: { epoch: number; holder: number | null };
  nextGeneration: number;
  /** The restart that could not begin yet; several collapse into one. */
  queued: RestartRequest | null;
  /** The restart that is under way. */
  current: RestartRequest | null;
  /** Why the last restart left the old worker serving. */
  restartFailure: string | null;
  hasServed: boolean;
  /** True when workers shall be started in safe mode. */
  isSafe: boolean;
  /** Crashes since the last time a worker was healthy. */
  crashes: number;
  /** When the crashes of the last ten minutes happened, on the reducer's clock. */
  crashTimes: number[];
  lastForkAt: number;
  lastMemoryRestartAt: number | null;
  /** The process that answers 503 while no worker can; `due` while we still hope to do without. */
  responder: 'off' | 'due' | 'on';
  isStandbyDue: boolean;
  /** How the supervisor ends once the last worker is gone; null while it shall go on. */
  outcome: { exitCode: number; failure: WorkerFailure | null } | null;
};

export type Timer =
  | { t: 'ready-deadline'; generation: number }
  | { t: 'healthy'; generation: number }
  | { t: 'release-deadline'; generation: number }
  | { t: 'drain-deadline'; generation: number }
  | { t: 'respawn' }
  | { t: 'standby' }
  | { t: 'responder' }
  | { t: 'stop-deadline' }
  | { t: 'give-up' };

export type SupervisorEvent =
  | { t: 'start'; settings: Settings }
  | { t: 'worker.greeted'; generation: number }
  | { t: 'worker.warm'; generation: number }
  | { t: 'worker.ready'; generation: number }
  | { t: 'worker.failed'; generation: number; failure: WorkerFailure }
  | { t: 'worker.rebuild-refused'; generation: number; message: string }
  /** Its main loop is silent; it may still come back. */
  | { t: 'worker.suspect'; generation: number; silentMs: number }
  | { t: 'worker.hung'; generation: number; silentMs: number }
  /** It serves, but too big, or its port does not answer. */
  | { t: 'worker.bloated'; generation: number; reason: string }
  | { t: 'worker.unreachable'; generation: number; reason: string }
  /** `cause` says how it ended: exit code, signal, or why it could not be forked. */
  | { t: 'worker.exited'; generation: number; code: number | null; cause: string }
  | { t: 'responder.exited' }
  | { t: 'lease.released'; generation: number; epoch: number }
  | { t: 'restart.requested'; reason: string; isForced: boolean; settings: Settings }
  | { t: 'stop.requested'; signal: StopSignal; drainTimeoutMs: number }
  | { t: 'timer.fired'; timer: Timer };

export type SupervisorEffect =
  | { t: 'fork'; generation: number; role: WorkerRole }
  /** Answer the worker's hello with `sup.welcome` and the listening sockets. */
  | { t: 'welcome'; generation: number; leaseEpoch: number | null }
  | { t: 'promote'; generation: number; leaseEpoch: number | null }
  /** Ask the worker to rebuild itself, with fresh sockets. */
  | { t: 'rebuild'; generation: number; turnsMs: number }
  | { t: 'send'; generation: number; message: SupervisorMessage }
  | { t: 'kill'; generation: number; reason: string }
  /** Write down all that can be known of a worker that is silent; when it is hung, before it is killed. */
  | { t: 'dump'; generation: number; silentMs: number; isHung: boolean }
  | { t: 'timer.set'; timer: Timer; ms: number }
  | { t: 'responder.start' }
  | { t: 'responder.stop' }
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
  /** Agent turns in flight when a worker is rebuilt in place, where nobody else serves meanwhile. */
  rebuiltTurnsMs: 25_000,
  /** Channels, cron and outbox of a replaced worker must have stopped by then, else nobody runs them. */
  leaseReleaseMs: 10_000,
  minStopMs: 6_000,
  /** How long past its deadline a draining worker may live. */
  graceMs: 1_000,
  /** How long after its kill a worker may still be there when everything stops. */
  giveUpMs: 2_000,
  /** How long clients wait for the next worker before they are told so. */
  responderMs: 1_000,
  /** The pause before a standby is forked: the active one shall have warmed up; and after one that died. */
  standbyMs: 1_000,
  standbyRetryMs: 30_000,
  crashWindowMs: 600_000,
  memoryRestartMs: 600_000,
} as const;

/** The state before the first event. */
export function initialState(): SupervisorState {
  return {
    phase: 'starting',
    settings: { hasStandby: false, crashLimit: 5, isInPlace: false },
    workers: [],
    active: null,
    candidate: null,
    standby: null,
    lease: { epoch: 0, holder: null },
    nextGeneration: 1,
    queued: null,
    current: null,
    restartFailure: null,
    hasServed: false,
    isSafe: false,
    crashes: 0,
    crashTimes: [],
    lastForkAt: 0,
    lastMemoryRestartAt: null,
    responder: 'off',
    isStandbyDue: false,
    outcome: null,
  };
}
