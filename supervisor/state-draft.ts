import type { Phase } from '../lib/control.ts';
import type { WorkerRole } from '../lib/ipc.ts';
import { LIMITS, type SupervisorEffect, type SupervisorState, type Timer, type WorkerSlot } from './state-model.ts';

/** A copy of the state that one event may change, and the effects that follow from it, in order. `now` is that event's time. */
export type Draft = { state: SupervisorState; effects: SupervisorEffect[]; now: number };

/** Opens a draft; the given state stays as it is. */
export function openDraft(state: SupervisorState, now: number): Draft {
  return { state: structuredClone(state), effects: [], now };
}

/** Changes the phase; each change is one log line (SPEC 3.1). */
export function moveTo({ state, effects }: Draft, to: Phase, reason: string): void {
  if (state.phase === to) return;
  effects.push({ t: 'transition', from: state.phase, to, reason });
  state.phase = to;
}

/** The phase in which the given worker serves. */
export function servingPhase({ role }: WorkerSlot): Phase {
  return role === 'safe' ? 'safe-mode' : 'running';
}

/** Starts the next worker, which is to become active. */
export function forkCandidate(draft: Draft): void {
  const { state, effects } = draft;
  const generation = fork(draft, state.isSafe ? 'safe' : 'serve');
  state.candidate = generation;
  setTimer(effects, { t: 'ready-deadline', generation }, LIMITS.readyMs);
}

/** Starts a worker that waits to be promoted. */
export function forkStandby(draft: Draft): void {
  draft.state.standby = fork(draft, 'standby');
}

/** Makes the standby the candidate; one that still boots is promoted when it is warm. False when there is none. */
export function useStandby(draft: Draft): boolean {
  const { state, effects } = draft;
  if (state.standby === null || state.isSafe) return false;
  const generation = state.standby;
  state.standby = null;
  state.candidate = generation;
  setTimer(effects, { t: 'ready-deadline', generation }, LIMITS.readyMs);
  if (findWorker(state, generation)?.stage === 'warm') promote(draft, generation);
  return true;
}

/** Tells a warm standby to serve. */
export function promote({ state, effects }: Draft, generation: number): void {
  const worker = findWorker(state, generation);
  if (worker === undefined) return;
  worker.stage = 'booting';
  worker.role = 'serve';
  effects.push({ t: 'promote', generation, leaseEpoch: takeLease(state, generation) });
}

/** The epoch for a worker that is about to begin; null while another one holds the lease. */
export function takeLease(state: SupervisorState, generation: number): number | null {
  if (state.lease.holder !== null) return null;
  state.lease = { epoch: state.lease.epoch + 1, holder: generation };
  return state.lease.epoch;
}

/** Ends the process that answers 503. */
export function stopResponder({ state, effects }: Draft): void {
  if (state.responder === 'on') effects.push({ t: 'responder.stop' });
  state.responder = 'off';
}

/** Asks for a timer; one that means nothing any more when it fires is ignored then. */
export function setTimer(effects: SupervisorEffect[], timer: Timer, ms: number): void {
  effects.push({ t: 'timer.set', timer, ms });
}

/** Ends a worker at once, if it is still there. */
export function kill({ state, effects }: Draft, generation: number, reason: string): void {
  if (findWorker(state, generation) !== undefined) effects.push({ t: 'kill', generation, reason });
}

/** The living worker of a generation; undefined when it is gone. */
export function findWorker(state: SupervisorState, generation: number): WorkerSlot | undefined {
  return state.workers.find((worker) => worker.generation === generation);
}

function fork({ state, effects, now }: Draft, role: WorkerRole): number {
  const generation = state.nextGeneration;
  state.nextGeneration += 1;
  state.lastForkAt = now;
  state.workers.push({ generation, stage: 'forked', role, failure: null, isHung: false });
  effects.push({ t: 'fork', generation, role });
  return generation;
}
