import { HEALTHY_AFTER_MS } from './backoff.ts';
import { type Draft, findWorker, forkCandidate, moveTo, openDraft, setTimer } from './state-draft.ts';
import { onWorkerExited } from './state-exit.ts';
import {
  LIMITS,
  type SupervisorEffect,
  type SupervisorEvent,
  type SupervisorState,
  type Timer,
} from './state-model.ts';
import { finishIfEmpty, onStopRequested } from './state-stop.ts';

/**
 * The supervisor's every decision: what follows from an event, as a new state and effects to carry out in order. Pure;
 * events that come too late (a timer of a worker that is gone, a second `ready`) change nothing.
 */
export function reduce(
  state: SupervisorState,
  event: SupervisorEvent,
): { state: SupervisorState; effects: SupervisorEffect[] } {
  if (state.phase === 'stopped') return { state, effects: [] };
  const draft = openDraft(state);
  apply(draft, event);
  if (draft.state.outcome !== null) finishIfEmpty(draft);
  else settle(draft);
  return draft;
}

function apply(draft: Draft, event: SupervisorEvent): void {
  switch (event.t) {
    case 'start':
      onStart(draft);
      return;
    case 'worker.greeted':
      onGreeted(draft, event.generation);
      return;
    case 'worker.ready':
      onReady(draft, event.generation);
      return;
    case 'worker.failed':
      onFailed(draft, event);
      return;
    case 'worker.exited':
      onWorkerExited(draft, event);
      return;
    case 'lease.released':
      onLeaseReleased(draft, event);
      return;
    case 'restart.requested':
      onRestartRequested(draft, event.reason);
      return;
    case 'stop.requested':
      onStopRequested(draft, event);
      return;
    case 'timer.fired':
      onTimer(draft, event.timer);
      return;
    default:
      event satisfies never;
  }
}

function onStart(draft: Draft): void {
  if (draft.state.phase === 'starting' && draft.state.nextGeneration === 1) forkCandidate(draft);
}

function onGreeted({ state, effects }: Draft, generation: number): void {
  const worker = findWorker(state, generation);
  if (worker?.stage !== 'forked' || state.outcome !== null) return;
  worker.stage = 'booting';
  const isLeaseFree = state.lease.holder === null;
  if (isLeaseFree) state.lease = { epoch: state.lease.epoch + 1, holder: generation };
  effects.push({ t: 'welcome', generation, leaseEpoch: isLeaseFree ? state.lease.epoch : null });
}

function onReady(draft: Draft, generation: number): void {
  const { state, effects } = draft;
  const worker = findWorker(state, generation);
  if (worker?.stage !== 'booting' || state.candidate !== generation || state.outcome !== null) return;
  const previous = state.active;
  worker.stage = 'ready';
  state.active = generation;
  state.candidate = null;
  state.hasServed = true;
  effects.push({ t: 'activated', generation });
  setTimer(effects, { t: 'healthy', generation }, HEALTHY_AFTER_MS);
  moveTo(draft, 'running', `worker ${generation} is ready`);
  if (previous !== null) drainReplaced(draft, previous);
}

function drainReplaced({ state, effects }: Draft, generation: number): void {
  const worker = findWorker(state, generation);
  if (worker === undefined) return;
  worker.stage = 'draining';
  const turnsMs = LIMITS.replacedTurnsMs;
  const message = { t: 'worker.drain', mode: 'replace', requestsMs: LIMITS.requestsMs, turnsMs } as const;
  effects.push({ t: 'send', generation, message });
  setTimer(effects, { t: 'release-deadline', generation }, LIMITS.leaseReleaseMs);
  setTimer(effects, { t: 'drain-deadline', generation }, turnsMs + LIMITS.graceMs);
}

function onFailed({ state, effects }: Draft, event: Extract<SupervisorEvent, { t: 'worker.failed' }>): void {
  const { generation, failure } = event;
  const worker = findWorker(state, generation);
  // The first reason is the cause; what a worker says on its way out follows from it.
  if (worker === undefined || worker.failure !== null) return;
  worker.failure = failure;
  effects.push({ t: 'log', level: 'error', message: failure.message, fields: { generation, exit: failure.exitCode } });
  if (worker.stage !== 'draining') {
    // It said that it ends; what it still holds (a socket it cannot listen on) must not wait for its good will.
    setTimer(effects, { t: 'drain-deadline', generation }, LIMITS.graceMs);
  }
}

function onLeaseReleased({ state }: Draft, event: Extract<SupervisorEvent, { t: 'lease.released' }>): void {
  const { lease } = state;
  if (lease.holder !== event.generation || lease.epoch !== event.epoch) return;
  // A worker that serves on would only get the lease back: its release is a mistake of its own.
  if (findWorker(state, event.generation)?.stage === 'draining') lease.holder = null;
}

function onRestartRequested(draft: Draft, reason: string): void {
  const { state, effects } = draft;
  if (state.phase === 'draining') {
    effects.push({ t: 'log', level: 'info', message: 'Restart ignored: the gateway is stopping.', fields: { reason } });
    return;
  }
  if (state.phase === 'backoff') {
    moveTo(draft, 'starting', reason);
    forkCandidate(draft);
    return;
  }
  state.isRestartQueued = true;
}

function onTimer(draft: Draft, timer: Timer): void {
  const { state } = draft;
  switch (timer.t) {
    case 'ready-deadline':
      if (state.candidate === timer.generation) kill(draft, timer.generation, `not ready within ${LIMITS.readyMs} ms`);
      return;
    case 'healthy':
      if (state.active === timer.generation) state.crashes = 0;
      return;
    case 'release-deadline':
      if (state.lease.holder !== timer.generation || !isLeaving(state, timer.generation)) return;
      // When everything stops, nobody waits for the lease.
      if (state.outcome !== null) return;
      kill(draft, timer.generation, `lease not released within ${LIMITS.leaseReleaseMs} ms`);
      return;
    case 'drain-deadline':
      if (isLeaving(state, timer.generation)) kill(draft, timer.generation, 'still there at its deadline');
      return;
    case 'respawn':
      if (state.phase !== 'backoff') return;
      moveTo(draft, 'starting', 'backoff is over');
      forkCandidate(draft);
      return;
    case 'stop-deadline':
      if (state.outcome === null) return;
      for (const { generation } of state.workers) kill(draft, generation, 'still there at the stop deadline');
      return;
    default:
      timer satisfies never;
  }
}

function isLeaving(state: SupervisorState, generation: number): boolean {
  const worker = findWorker(state, generation);
  return worker !== undefined && (worker.stage === 'draining' || worker.failure !== null);
}

function kill({ state, effects }: Draft, generation: number, reason: string): void {
  if (findWorker(state, generation) !== undefined) effects.push({ t: 'kill', generation, reason });
}

/** What holds after any event while we go on: a free lease belongs to the active worker, and a queued restart begins when it can. */
function settle(draft: Draft): void {
  const { state, effects } = draft;
  const { active, lease } = state;
  if (active === null) return;
  if (lease.holder === null) {
    state.lease = { epoch: lease.epoch + 1, holder: active };
    effects.push({ t: 'send', generation: active, message: { t: 'lease.grant', epoch: state.lease.epoch } });
  }
  // Not before the last hand-over is complete, so that restarts in quick succession never pile up workers.
  if (!state.isRestartQueued || state.phase !== 'running' || state.lease.holder !== active) return;
  state.isRestartQueued = false;
  moveTo(draft, 'restarting', 'restart requested');
  forkCandidate(draft);
}
