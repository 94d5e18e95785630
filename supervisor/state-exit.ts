import { EXIT } from '../lib/exit.ts';
import { respawnDelayMs } from './backoff.ts';
import { type Draft, findWorker, forkCandidate, moveTo, servingPhase, setTimer, useStandby } from './state-draft.ts';
import {
  LIMITS,
  type SupervisorEvent,
  type SupervisorState,
  type WorkerFailure,
  type WorkerSlot,
} from './state-model.ts';
import { beginDrain } from './state-stop.ts';

type Exited = Extract<SupervisorEvent, { t: 'worker.exited' }>;

/**
 * A worker is gone. A failed replacement changes nothing for the one that serves; a crash of the active worker starts
 * another one; a failure that needs a person ends the supervisor when nobody else can serve (SPEC 3.5).
 */
export function onWorkerExited(draft: Draft, event: Exited): void {
  const { state, effects } = draft;
  const { generation, cause } = event;
  const worker = findWorker(state, generation);
  if (worker === undefined) return;
  state.workers = state.workers.filter((other) => other !== worker);
  if (state.lease.holder === generation) state.lease.holder = null;
  for (const other of state.workers) {
    if (other.stage === 'forked') continue;
    effects.push({ t: 'send', generation: other.generation, message: { t: 'peer.exited', generation } });
  }
  effects.push({ t: 'log', level: 'info', message: 'Worker is gone.', fields: { generation, cause } });
  const wasActive = state.active === generation;
  const wasCandidate = state.candidate === generation;
  if (wasActive) state.active = null;
  if (wasCandidate) state.candidate = null;
  const wasStandby = state.standby === generation;
  if (wasStandby) state.standby = null;
  if (state.outcome !== null) return;
  // A standby that hangs is none of the one that serves.
  const hasHung = worker.isHung && !wasStandby;
  if (hasHung || wasActive || (wasCandidate && state.active === null)) countCrash(draft);
  if (wasActive) onActiveLost(draft, event);
  else if (wasCandidate) onCandidateLost(draft, worker, event);
  else if (wasStandby) onStandbyLost(draft);
}

/** Crashes close together mean that the next one is near: then the gateway goes on without what may cause them (LOOP-2). */
function countCrash({ state, effects, now }: Draft): void {
  state.crashes += 1;
  state.crashTimes = [...state.crashTimes.filter((time) => now - time < LIMITS.crashWindowMs), now];
  const { crashLimit } = state.settings;
  if (state.isSafe || crashLimit === 0 || state.crashTimes.length < crashLimit) return;
  state.isSafe = true;
  const message = `The worker failed ${state.crashTimes.length} times within ten minutes. Going on in safe mode: channels, cron and extensions are off. See \`xopc gateway status\` for the causes; leave safe mode with \`xopc gateway restart\`.`;
  effects.push({ t: 'log', level: 'error', message });
}

function onActiveLost(draft: Draft, event: Exited): void {
  const { state, effects } = draft;
  const { generation, cause } = event;
  effects.push({ t: 'log', level: 'error', message: 'The serving worker is gone.', fields: { generation, cause } });
  if (state.candidate === null) {
    respawn(draft, event);
    return;
  }
  // Its successor is booting already.
  moveTo(draft, 'starting', `worker ${generation} is gone: ${cause}`);
}

function onCandidateLost(draft: Draft, worker: WorkerSlot, event: Exited): void {
  const { state, effects } = draft;
  const failure = failureOf(worker, event);
  const active = state.active === null ? undefined : findWorker(state, state.active);
  if (active !== undefined) {
    const message = 'The new worker failed, the old one goes on.';
    const fields = { generation: event.generation, cause: event.cause, reason: failure?.message };
    effects.push({ t: 'log', level: 'error', message, fields });
    state.restartFailure = failure?.message ?? `The new worker ended before it was ready: ${event.cause}.`;
    state.current = null;
    // Else it would be tried again at once, and for ever.
    state.isSafe = active.role === 'safe';
    moveTo(draft, servingPhase(active), `worker ${event.generation} failed before it was ready`);
    return;
  }
  if (failure !== null && isFinal(state, failure)) {
    beginDrain(draft, { exitCode: failure.exitCode, failure }, { reason: failure.message });
    return;
  }
  respawn(draft, event);
}

function onStandbyLost({ state, effects }: Draft): void {
  state.isStandbyDue = true;
  setTimer(effects, { t: 'standby' }, LIMITS.standbyRetryMs);
}

function respawn(draft: Draft, { generation, cause }: Exited): void {
  const { state, effects, now } = draft;
  const reason = `worker ${generation} is gone: ${cause}`;
  if (useStandby(draft)) {
    moveTo(draft, 'starting', `${reason}; the standby takes over`);
    return;
  }
  const delayMs = respawnDelayMs(state.crashes, now - state.lastForkAt);
  if (delayMs > 0) {
    moveTo(draft, 'backoff', `${reason}; next try in ${Math.round(delayMs)} ms`);
    setTimer(effects, { t: 'respawn' }, delayMs);
    return;
  }
  moveTo(draft, 'starting', reason);
  forkCandidate(draft);
}

function failureOf(worker: WorkerSlot, event: Exited): WorkerFailure | null {
  if (worker.failure !== null) return worker.failure;
  if (event.code !== EXIT.config && event.code !== EXIT.protocol) return null;
  return {
    exitCode: event.code,
    message: `The worker ended with exit code ${event.code} and gave no reason.`,
    hint: 'Look at the last lines of the log with `xopc gateway logs`.',
  };
}

/** 78 and 76 do not mend by themselves; a busy port may, once we have served on it. */
function isFinal(state: SupervisorState, { exitCode }: WorkerFailure): boolean {
  if (exitCode === EXIT.config || exitCode === EXIT.protocol) return true;
  return exitCode === EXIT.portBusy && !state.hasServed;
}
