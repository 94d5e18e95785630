/**
 * Exit codes of every `xopc` process, as documented in the README.
 * 69, 75 and 78 follow sysexits(3): EX_UNAVAILABLE, EX_TEMPFAIL, EX_CONFIG.
 */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  notRunning: 3,
  portBusy: 69,
  /** The worker lost its supervisor, or the supervisor cannot keep a worker alive. */
  software: 70,
  alreadyRunning: 75,
  /** Supervisor and worker speak different IPC versions. */
  protocol: 76,
  /** Needs a person: bad configuration, weak token, foreign port owner, corrupt database. */
  config: 78,
  /** A second SIGINT or SIGTERM ended a graceful stop at once (128 + signal number). */
  interrupted: 130,
  terminated: 143,
} as const;

/**
 * The exit code under the service manager that `XOPC_SERVICE_MARKER` names, so that a cause which needs a person does not make
 * it start us again and again (LOOP-1). systemd spares 78 (`RestartPreventExitStatus`); launchd and the task scheduler start
 * again after whatever is not 0.
 */
export function serviceExitCode(code: number, marker: string | undefined): number {
  switch (marker) {
    case 'systemd':
      return code === EXIT.portBusy || code === EXIT.alreadyRunning ? EXIT.config : code;
    case 'launchd':
    case 'schtasks':
      return NEEDS_PERSON.has(code) ? EXIT.ok : code;
    default:
      return code;
  }
}

/** Not 76: after an upgrade the next start mends it. */
const NEEDS_PERSON: ReadonlySet<number> = new Set([EXIT.portBusy, EXIT.alreadyRunning, EXIT.config]);
