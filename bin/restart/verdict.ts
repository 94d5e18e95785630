/** What is compared before and after a restart. What only the control socket knows is null without one. */
export type Moment = {
  instanceId: string;
  pid: number | null;
  workerPid: number | null;
  phase: string;
  /** When it came into that phase. */
  since: string | null;
  /** Generation that serves. */
  active: number | null;
  /** The newest generation there has been, 0 when unknown. */
  newest: number;
  restartFailure: string | null;
  /** How a worker of this supervisor ended last. */
  lastExit: { generation: number; reason: string } | null;
};

/** How a restart stands. `serving`: what was asked for is there, says the supervisor; the port has yet to confirm it. */
export type Verdict =
  | { t: 'waiting' }
  | { t: 'serving' }
  /** The old worker serves on, or none does. */
  | { t: 'failed'; reason: string; isServing: boolean }
  /** The gateway that was asked to restart has been replaced by another one. */
  | { t: 'other'; instanceId: string };

/** Compares what is now with what was before the restart was asked for (HEALTH-3). */
export function judgeRestart(now: Moment, before: Moment): Verdict {
  if (now.instanceId !== before.instanceId) return { t: 'other', instanceId: now.instanceId };
  if (isNewer(now, before)) return judgeNewWorker(now);
  const { lastExit } = now;
  if (now.phase === 'backoff' && lastExit !== null && lastExit.generation > before.newest)
    return { t: 'failed', reason: lastExit.reason, isServing: false };
  if (!hasComeBack(now, before)) return { t: 'waiting' };
  if (now.restartFailure !== null) return { t: 'failed', reason: now.restartFailure, isServing: true };
  // With XOPC_NO_RESPAWN the same worker comes back with new parts.
  return now.phase === 'running' ? { t: 'serving' } : { t: 'waiting' };
}

function isNewer(now: Moment, before: Moment): boolean {
  if (now.active === null || now.active <= before.newest) return false;
  return now.workerPid === null || now.workerPid !== before.workerPid;
}

function judgeNewWorker({ phase, lastExit }: Moment): Verdict {
  if (phase === 'running') return { t: 'serving' };
  if (phase !== 'safe-mode') return { t: 'waiting' };
  return { t: 'failed', reason: `safe mode (${lastExit?.reason ?? 'too many failures'})`, isServing: true };
}

/** The supervisor was busy in between, and now the same worker serves as before. */
function hasComeBack(now: Moment, before: Moment): boolean {
  const isServing = now.phase === 'running' || now.phase === 'safe-mode';
  return isServing && now.since !== before.since && now.active !== null && now.active === before.active;
}
