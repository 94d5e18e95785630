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
 * The exit code to use under a service manager: 69 and 75 become 78, so that a cause which needs a
 * person does not make the manager spin (LOOP-1).
 */
export function serviceExitCode(code: number, isManaged: boolean): number {
  if (!isManaged) return code;
  return code === EXIT.portBusy || code === EXIT.alreadyRunning ? EXIT.config : code;
}
