import { EXIT } from '../lib/exit.ts';
import { respawnDelayMs } from './backoff.ts';
import { type Draft, findWorker, forkCandidate, moveTo, setTimer } from './state-draft.ts';
import type { SupervisorEvent, SupervisorState, WorkerFailure, WorkerSlot } from './state-model.ts';
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
  if (generation === state.candidate) {
    onCandidateLost(draft, worker, event);
    return;
  }
  if (generation === state.active) {
    onActiveLost(draft, event);
    return;
  }
}

function onCandidateLost(draft: Draft, worker: WorkerSlot, event: Exited): void {
  const { state, effects } = draft;
  state.candidate = null;
  if (state.outcome !== null) return;
  const failure = failureOf(worker, event);
  if (state.active !== null) {
    const message = 'The new worker failed, the old one goes on.';
    const fields = { generation: event.generation, cause: event.cause, reason: failure?.message };
    effects.push({ t: 'log', level: 'error', message, fields });
    moveTo(draft, 'running', `worker ${event.generation} failed before it was ready`);
    return;
  }
  if (failure !== null && isFinal(state, failure)) {
    beginDrain(draft, { exitCode: failure.exitCode, failure }, { reason: failure.message });
    return;
  }
  respawn(draft, event);
}

function onActiveLost(draft: Draft, event: Exited): void {
  const { state, effects } = draft;
  state.active = null;
  if (state.outcome !== null) return;
  const { generation, cause } = event;
  effects.push({ t: 'log', level: 'error', message: 'The serving worker is gone.', fields: { generation, cause } });
  if (state.candidate === null) {
    respawn(draft, event);
    return;
  }
  // Its successor is booting already.
  state.crashes += 1;
  moveTo(draft, 'starting', `worker ${generation} is gone: ${cause}`);
}

function respawn(draft: Draft, { generation, cause }: Exited): void {
  const { state, effects } = draft;
  state.crashes += 1;
  const delayMs = respawnDelayMs(state.crashes);
  const reason = `worker ${generation} is gone: ${cause}`;
  if (delayMs > 0) {
    moveTo(draft, 'backoff', `${reason}; next try in ${delayMs} ms`);
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
