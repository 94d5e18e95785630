import {
  LIMITS,
  type Phase,
  type SupervisorEffect,
  type SupervisorState,
  type Timer,
  type WorkerSlot,
} from './state-model.ts';

/** A copy of the state that one event may change, and the effects that follow from it, in order. */
export type Draft = { state: SupervisorState; effects: SupervisorEffect[] };

/** Opens a draft; the given state stays as it is. */
export function openDraft(state: SupervisorState): Draft {
  return { state: structuredClone(state), effects: [] };
}

/** Changes the phase; each change is one log line (SPEC 3.1). */
export function moveTo({ state, effects }: Draft, to: Phase, reason: string): void {
  if (state.phase === to) return;
  effects.push({ t: 'transition', from: state.phase, to, reason });
  state.phase = to;
}

/** Starts the next worker, which is to become active. */
export function forkCandidate({ state, effects }: Draft): void {
  const generation = state.nextGeneration;
  state.nextGeneration += 1;
  state.workers.push({ generation, stage: 'forked', failure: null });
  state.candidate = generation;
  effects.push({ t: 'fork', generation });
  setTimer(effects, { t: 'ready-deadline', generation }, LIMITS.readyMs);
}

/** Asks for a timer; one that means nothing any more when it fires is ignored then. */
export function setTimer(effects: SupervisorEffect[], timer: Timer, ms: number): void {
  effects.push({ t: 'timer.set', timer, ms });
}

/** The living worker of a generation; undefined when it is gone. */
export function findWorker(state: SupervisorState, generation: number): WorkerSlot | undefined {
  return state.workers.find((worker) => worker.generation === generation);
}
