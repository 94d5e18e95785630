import { HEALTHY_AFTER_MS } from './backoff.ts';
import {
  type Draft,
  findWorker,
  kill,
  moveTo,
  openDraft,
  promote,
  servingPhase,
  setTimer,
  stopResponder,
  takeLease,
} from './state-draft.ts';
import { onWorkerExited } from './state-exit.ts';
import { LIMITS, type SupervisorEffect, type SupervisorEvent, type SupervisorState } from './state-model.ts';
import {
  onBloated,
  onHung,
  onRebuildRefused,
  onRestartRequested,
  onStart,
  onSuspect,
  onUnreachable,
  settle,
} from './state-restart.ts';
import { finishIfEmpty, onStopRequested } from './state-stop.ts';
import { onTimer } from './state-timer.ts';

/**
 * The supervisor's every decision: what follows from an event at the time `now` (milliseconds on any steady clock), as a new
 * state and effects to carry out in order. Pure; events that come too late (a timer of a worker that is gone, a second
 * `ready`) change nothing.
 */
export function reduce(
  state: SupervisorState,
  event: SupervisorEvent,
  now: number,
): { state: SupervisorState; effects: SupervisorEffect[] } {
  if (state.phase === 'stopped') return { state, effects: [] };
  const draft = openDraft(state, now);
  apply(draft, event);
  if (draft.state.outcome !== null) finishIfEmpty(draft);
  else settle(draft);
  return { state: draft.state, effects: draft.effects };
}

function apply(draft: Draft, event: SupervisorEvent): void {
  switch (event.t) {
    case 'start':
      onStart(draft, event);
      return;
    case 'worker.greeted':
      onGreeted(draft, event.generation);
      return;
    case 'worker.warm':
      onWarm(draft, event.generation);
      return;
    case 'worker.ready':
      onReady(draft, event.generation);
      return;
    case 'worker.failed':
      onFailed(draft, event);
      return;
    case 'worker.rebuild-refused':
      onRebuildRefused(draft, event);
      return;
    case 'worker.suspect':
      onSuspect(draft, event);
      return;
    case 'worker.hung':
      onHung(draft, event);
      return;
    case 'worker.bloated':
      onBloated(draft, event);
      return;
    case 'worker.unreachable':
      onUnreachable(draft, event);
      return;
    case 'worker.exited':
      onWorkerExited(draft, event);
      return;
    case 'responder.exited':
      onResponderExited(draft);
      return;
    case 'lease.released':
      onLeaseReleased(draft, event);
      return;
    case 'restart.requested':
      onRestartRequested(draft, event);
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

function onGreeted({ state, effects }: Draft, generation: number): void {
  const worker = findWorker(state, generation);
  if (worker?.stage !== 'forked' || state.outcome !== null) return;
  worker.stage = 'booting';
  const leaseEpoch = worker.role === 'standby' ? null : takeLease(state, generation);
  effects.push({ t: 'welcome', generation, leaseEpoch });
}

function onWarm(draft: Draft, generation: number): void {
  const { state } = draft;
  const worker = findWorker(state, generation);
  if (worker?.stage !== 'booting' || worker.role !== 'standby' || state.outcome !== null) return;
  worker.stage = 'warm';
  if (state.candidate === generation) promote(draft, generation);
}

function onReady(draft: Draft, generation: number): void {
  const { state, effects } = draft;
  const worker = findWorker(state, generation);
  if (worker?.stage !== 'booting' || state.candidate !== generation || state.outcome !== null) return;
  const previous = state.active;
  const wasRestart = state.current !== null;
  const turnsMs = state.current?.turnsMs ?? LIMITS.replacedTurnsMs;
  worker.stage = 'ready';
  state.active = generation;
  state.candidate = null;
  state.current = null;
  state.restartFailure = null;
  state.hasServed = true;
  effects.push({ t: 'activated', generation });
  stopResponder(draft);
  setTimer(effects, { t: 'healthy', generation }, HEALTHY_AFTER_MS);
  moveTo(draft, servingPhase(worker), `worker ${generation} is ready`);
  if (previous !== null && previous !== generation) drainReplaced(draft, previous, turnsMs);
  // Also when the old worker died meanwhile, or is the new one.
  if (previous !== null || wasRestart) retireStandby(draft);
}

/** It booted with the settings and the program from before. */
function retireStandby(draft: Draft): void {
  const { standby } = draft.state;
  const worker = standby === null ? undefined : findWorker(draft.state, standby);
  if (worker === undefined) return;
  worker.stage = 'draining';
  draft.state.standby = null;
  kill(draft, worker.generation, 'outdated by a restart');
}

function drainReplaced({ state, effects }: Draft, generation: number, turnsMs: number): void {
  const worker = findWorker(state, generation);
  if (worker === undefined) return;
  worker.stage = 'draining';
  const message = { t: 'worker.drain', mode: 'replace', requestsMs: LIMITS.requestsMs, turnsMs } as const;
  effects.push({ t: 'send', generation, message });
  setTimer(effects, { t: 'release-deadline', generation }, LIMITS.leaseReleaseMs);
  setTimer(effects, { t: 'drain-deadline', generation }, Math.max(LIMITS.minStopMs, turnsMs + LIMITS.graceMs));
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

function onResponderExited({ state }: Draft): void {
  state.responder = 'off';
}
