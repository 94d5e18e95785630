import {
  type Draft,
  findWorker,
  forkCandidate,
  kill,
  moveTo,
  servingPhase,
  setTimer,
  useStandby,
} from './state-draft.ts';
import { LIMITS, type SupervisorEvent } from './state-model.ts';

type Event<T extends SupervisorEvent['t']> = Extract<SupervisorEvent, { t: T }>;

/** The first worker, once. */
export function onStart(draft: Draft, { settings }: Event<'start'>): void {
  const { state } = draft;
  if (state.phase !== 'starting' || state.nextGeneration !== 1) return;
  state.settings = settings;
  forkCandidate(draft);
}

/** Somebody asked for a restart, which is also the way out of safe mode. */
export function onRestartRequested(draft: Draft, { reason, isForced, settings }: Event<'restart.requested'>): void {
  const { state, effects } = draft;
  if (state.phase === 'draining') {
    effects.push({ t: 'log', level: 'info', message: 'Restart ignored: the gateway is stopping.', fields: { reason } });
    return;
  }
  state.settings = settings;
  if (state.isSafe) {
    state.isSafe = false;
    state.crashTimes = [];
  }
  if (state.phase === 'backoff') {
    moveTo(draft, 'starting', reason);
    forkCandidate(draft);
    return;
  }
  state.queued = { reason, turnsMs: isForced ? 0 : LIMITS.replacedTurnsMs };
}

/** A silent worker may still come back, but its clients should not wait for that: another one takes over beside it (SPEC 3.5). */
export function onSuspect(draft: Draft, { generation, silentMs }: Event<'worker.suspect'>): void {
  const { state, effects } = draft;
  const worker = findWorker(state, generation);
  if (worker === undefined || state.outcome !== null) return;
  effects.push({ t: 'dump', generation, silentMs, isHung: false });
  if (generation !== state.active || state.candidate !== null || state.settings.isInPlace) return;
  if (useStandby(draft)) moveTo(draft, 'restarting', `worker ${generation} is silent; the standby takes over`);
  else replaceSoon(draft, `worker ${generation} is silent`);
}

/** Silent for too long: written down, then killed, whatever it was doing. */
export function onHung(draft: Draft, { generation, silentMs }: Event<'worker.hung'>): void {
  const worker = findWorker(draft.state, generation);
  if (worker === undefined) return;
  worker.isHung = true;
  draft.effects.push({ t: 'dump', generation, silentMs, isHung: true });
  kill(draft, generation, `hung: its main loop was silent for ${Math.round(silentMs / 1_000)} s`);
}

/** Too much memory: replaced in order, but not over and over, since a new one may need as much (MEM-3). */
export function onBloated(draft: Draft, { generation, reason }: Event<'worker.bloated'>): void {
  const { state, now } = draft;
  if (generation !== state.active) return;
  if (state.lastMemoryRestartAt !== null && now - state.lastMemoryRestartAt < LIMITS.memoryRestartMs) return;
  state.lastMemoryRestartAt = now;
  replaceSoon(draft, reason);
}

/** Its loop turns, but its port does not answer. */
export function onUnreachable(draft: Draft, { generation, reason }: Event<'worker.unreachable'>): void {
  if (generation === draft.state.active) replaceSoon(draft, reason);
}

/** A worker that could not rebuild itself goes on as it was. */
export function onRebuildRefused(draft: Draft, { generation, message }: Event<'worker.rebuild-refused'>): void {
  const { state, effects } = draft;
  const worker = findWorker(state, generation);
  if (worker === undefined || state.candidate !== generation || state.active !== generation) return;
  // Told to end meanwhile: what it will not rebuild is of no interest any more.
  if (state.outcome !== null) return;
  worker.stage = 'ready';
  state.candidate = null;
  state.current = null;
  state.restartFailure = message;
  effects.push({ t: 'log', level: 'error', message: 'The worker goes on as it was.', fields: { reason: message } });
  moveTo(draft, servingPhase(worker), 'rebuild refused');
}

/** What holds after any event while we go on: a free lease belongs to the active worker, and what was asked for begins when it can. */
export function settle(draft: Draft): void {
  grantFreeLease(draft);
  expectResponder(draft);
  expectStandby(draft);
  beginRestart(draft);
}

function grantFreeLease({ state, effects }: Draft): void {
  const { active, lease } = state;
  if (active === null || lease.holder !== null) return;
  state.lease = { epoch: lease.epoch + 1, holder: active };
  effects.push({ t: 'send', generation: active, message: { t: 'lease.grant', epoch: state.lease.epoch } });
}

/** Before anybody was served, nobody waits. */
function expectResponder({ state, effects }: Draft): void {
  const isNeeded = state.active === null && (state.hasServed || state.crashes > 0);
  if (!isNeeded || state.responder !== 'off') return;
  state.responder = 'due';
  setTimer(effects, { t: 'responder' }, LIMITS.responderMs);
}

function expectStandby({ state, effects }: Draft): void {
  if (!state.settings.hasStandby || state.isStandbyDue || state.standby !== null || state.phase !== 'running') return;
  state.isStandbyDue = true;
  setTimer(effects, { t: 'standby' }, LIMITS.standbyMs);
}

function beginRestart(draft: Draft): void {
  const { state } = draft;
  const { active } = state;
  if (active === null || state.candidate !== null) return;
  const worker = findWorker(state, active);
  // Not before the last hand-over is complete, so that restarts in quick succession never pile up workers.
  if (worker === undefined || state.lease.holder !== active) return;
  const hasWrongRole = (worker.role === 'safe') !== state.isSafe;
  if (state.queued === null && !hasWrongRole) return;
  const request = state.queued ?? { reason: 'too many failures', turnsMs: LIMITS.replacedTurnsMs };
  state.queued = null;
  state.current = request;
  moveTo(draft, 'restarting', request.reason);
  if (state.settings.isInPlace && !hasWrongRole) rebuild(draft, active, request.turnsMs);
  else forkCandidate(draft);
}

function rebuild({ state, effects }: Draft, generation: number, requestedMs: number): void {
  const worker = findWorker(state, generation);
  if (worker === undefined) return;
  const turnsMs = Math.min(requestedMs, LIMITS.rebuiltTurnsMs);
  worker.stage = 'booting';
  state.candidate = generation;
  effects.push({ t: 'rebuild', generation, turnsMs });
  setTimer(effects, { t: 'ready-deadline', generation }, LIMITS.readyMs + turnsMs);
}

/** Unless a restart is already on its way, which does as well. */
function replaceSoon({ state }: Draft, reason: string): void {
  if (state.outcome !== null || state.candidate !== null || state.queued !== null) return;
  state.queued = { reason, turnsMs: LIMITS.replacedTurnsMs };
}
