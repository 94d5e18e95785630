import type { Heartbeat } from './ipc.ts';

/**
 * What the control socket speaks: one JSON document on one line from the client, one line back, then the supervisor hangs
 * up. Only the owner of the gateway can open the socket, so it asks for no credential, and it answers while a worker hangs.
 */

export const CONTROL_VERSION = 1;

export type ControlRequest =
  | { do: 'status' }
  /** Same as SIGTERM. Answered as soon as the stop has begun. */
  | { do: 'stop' }
  /** Same as SIGUSR1; `force` gives running turns no time on the old worker (the new one takes them up). */
  | { do: 'restart'; force: boolean; reason: string }
  /** The credential that callers of the HTTP API must present, whatever source it comes from. */
  | { do: 'token' }
  /** Same as SIGUSR2: writes a diagnostic report to the log, and answers with the supervisor's part of it. */
  | { do: 'report' };

/** What each request is answered with when it is not refused. */
export type ControlResults = {
  status: SupervisorStatus;
  stop: { phase: Phase };
  restart: { generation: number | null };
  token: { authMode: string; token: string | null };
  report: Record<string, unknown>;
};

export type ControlReply<T> = { ok: true; result: T } | { ok: false; error: ControlError };

export type ControlError = { code: 'INVALID_REQUEST' | 'REFUSED' | 'INTERNAL_ERROR'; message: string; hint?: string };

/** What the supervisor is doing (SPEC 3.1). `restarting`: one worker serves while its successor boots. */
export type Phase =
  | 'starting'
  | 'running'
  | 'restarting'
  | 'backoff'
  /** The workers crashed too often: HTTP and diagnosis are up, channels, cron and extensions are off. */
  | 'safe-mode'
  | 'draining'
  | 'stopped';

/** How far a worker has come: forked, said hello, standing by, serving, told to drain. */
export type WorkerStage = 'forked' | 'booting' | 'warm' | 'ready' | 'draining';

/** Times are ISO 8601, durations milliseconds. */
export type SupervisorStatus = {
  phase: Phase;
  /** Why and since when it is in that phase. */
  reason: string;
  since: string;
  pid: number;
  version: string;
  instanceId: string;
  startedAt: string;
  uptimeMs: number;
  configPath: string;
  stateDir: string;
  hosts: string[];
  port: number;
  /** `systemd`, `launchd` or `schtasks` when started by our own unit; null otherwise. */
  service: string | null;
  /** Generation that serves; null when none does. */
  active: number | null;
  workers: WorkerView[];
  /** Crashes within the last ten minutes, and how many of them mean safe mode (0: never). */
  crashes: { recent: number; limit: number };
  /** Newest first, at most five. */
  lastExits: WorkerExit[];
  /** Why the last restart left the old worker serving; null when it did not. */
  restartFailure: string | null;
  /** True when this start was announced by `gateway restart`. */
  wasPlanned: boolean;
};

export type WorkerView = {
  generation: number;
  pid: number | null;
  stage: WorkerStage;
  startedAt: string;
  /** What its main loop said last, and when. */
  heartbeat: (Heartbeat & { at: string }) | null;
};

/** The end of one worker, as kept in `run/last-exits.json`. */
export type WorkerExit = {
  generation: number;
  pid: number | null;
  at: string;
  uptimeMs: number;
  code: number | null;
  signal: string | null;
  /** False when it was told to end: such an exit is no crash. */
  isCrash: boolean;
  /** What the supervisor knows of the cause, such as "hung for 15 s" or "exit code 1". */
  reason: string;
  firstErrorLine: string | null;
  /** Path of the log of its last 1,000 lines; null when it said nothing or ended in order. */
  crashLog: string | null;
};
