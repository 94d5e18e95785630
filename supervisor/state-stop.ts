import { EXIT } from '../lib/exit.ts';
import { type Draft, moveTo, setTimer, stopResponder } from './state-draft.ts';
import { LIMITS, type StopSignal, type SupervisorEvent, type SupervisorState } from './state-model.ts';

/** The first stop drains every worker and ends with 0; the second one kills them and ends with 128 + its signal number. */
export function onStopRequested(draft: Draft, event: Extract<SupervisorEvent, { t: 'stop.requested' }>): void {
  const { state } = draft;
  if (state.outcome === null) {
    const how = { reason: event.signal, turnsMs: event.drainTimeoutMs };
    beginDrain(draft, { exitCode: EXIT.ok, failure: null }, how);
    return;
  }
  if (state.outcome.exitCode === EXIT.ok) state.outcome.exitCode = FORCED_EXIT[event.signal];
  killAll(draft, `second ${event.signal}`);
}

/** Ends every worker at once. One that the system cannot end either is not waited for much longer (ORPH-3). */
export function killAll({ state, effects }: Draft, reason: string): void {
  for (const { generation } of state.workers) effects.push({ t: 'kill', generation, reason });
  setTimer(effects, { t: 'give-up' }, LIMITS.giveUpMs);
}

/** Goes without the workers that cannot be killed: they wait for a disk or another device, and nobody can tell for how long. */
export function giveUp({ state, effects }: Draft): void {
  if (state.outcome === null || state.workers.length === 0) return;
  const message = 'A worker cannot be killed: it waits for a disk or another device. The gateway ends without it.';
  const generations = state.workers.map(({ generation }) => generation);
  effects.push({ t: 'log', level: 'error', message, fields: { generations } });
  const failure = { exitCode: EXIT.failure, message, hint: 'Its port may stay taken until the device answers.' };
  // What made it end in the first place needs a person more.
  if (state.outcome.failure === null) state.outcome = { exitCode: EXIT.failure, failure };
  Object.assign(state, { workers: [], active: null, candidate: null, standby: null });
  state.lease.holder = null;
}

/** Ends in `outcome` once every worker is gone. `turnsMs` is how long running agent turns may go on, by default 25 s. */
export function beginDrain(
  draft: Draft,
  outcome: NonNullable<SupervisorState['outcome']>,
  { reason, turnsMs = 25_000 }: { reason: string; turnsMs?: number },
): void {
  const { state, effects } = draft;
  state.outcome = outcome;
  stopResponder(draft);
  moveTo(draft, 'draining', reason);
  for (const worker of state.workers) {
    const { generation, stage, role } = worker;
    worker.stage = 'draining';
    if (stage === 'forked' || stage === 'warm' || role === 'standby') {
      effects.push({ t: 'kill', generation, reason: 'stopped before it had begun' });
      continue;
    }
    const message = { t: 'worker.drain', mode: 'stop', requestsMs: LIMITS.requestsMs, turnsMs } as const;
    effects.push({ t: 'send', generation, message });
    // A worker that has not served yet has nothing to finish.
    if (stage === 'booting') setTimer(effects, { t: 'drain-deadline', generation }, LIMITS.minStopMs);
  }
  setTimer(effects, { t: 'stop-deadline' }, Math.max(LIMITS.minStopMs, turnsMs + LIMITS.graceMs));
}

/** Ends the supervisor when it shall stop and no worker is left. */
export function finishIfEmpty(draft: Draft): void {
  const { state, effects } = draft;
  if (state.outcome === null || state.workers.length > 0) return;
  const { exitCode, failure } = state.outcome;
  moveTo(draft, 'stopped', `exit code ${exitCode}`);
  effects.push({ t: 'finish', exitCode, failure });
}

const FORCED_EXIT: Readonly<Record<StopSignal, number>> = { SIGTERM: EXIT.terminated, SIGINT: EXIT.interrupted };
