import { type Draft, findWorker, forkCandidate, forkStandby, kill, moveTo } from './state-draft.ts';
import { LIMITS, type SupervisorState, type Timer } from './state-model.ts';
import { giveUp, killAll } from './state-stop.ts';

/** A deadline has passed. What it was set for may be over by now; then it means nothing. */
export function onTimer(draft: Draft, timer: Timer): void {
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
    case 'standby':
      onStandbyDue(draft);
      return;
    case 'responder':
      if (state.responder !== 'due' || state.outcome !== null) return;
      state.responder = 'on';
      draft.effects.push({ t: 'responder.start' });
      return;
    case 'stop-deadline':
      if (state.outcome !== null) killAll(draft, 'still there at the stop deadline');
      return;
    case 'give-up':
      giveUp(draft);
      return;
    default:
      timer satisfies never;
  }
}

function onStandbyDue(draft: Draft): void {
  const { state } = draft;
  if (!state.isStandbyDue) return;
  state.isStandbyDue = false;
  // While something is under way it would only compete; it is asked for again when that is over.
  if (state.phase === 'running' && state.standby === null && state.outcome === null) forkStandby(draft);
}

function isLeaving(state: SupervisorState, generation: number): boolean {
  const worker = findWorker(state, generation);
  return worker !== undefined && (worker.stage === 'draining' || worker.failure !== null);
}
