import type { Phase } from '../../lib/control.ts';
import { reduce } from '../../supervisor/state.ts';
import {
  initialState,
  type Settings,
  type SupervisorEffect,
  type SupervisorEvent,
  type SupervisorState,
} from '../../supervisor/state-model.ts';

/** The result of several events in a row: the last state and every effect on the way. */
export type Replay = { state: SupervisorState; effects: SupervisorEffect[] };

/** Feeds events to the reducer, all at the same moment, from the initial state unless another is given. */
export function replay(events: readonly SupervisorEvent[], from: SupervisorState = initialState(), now = 0): Replay {
  return events.reduce<Replay>(
    ({ state, effects }, event) => {
      const step = reduce(state, event, now);
      return { state: step.state, effects: [...effects, ...step.effects] };
    },
    { state: from, effects: [] },
  );
}

export const settings: Settings = { hasStandby: false, crashLimit: 5, isInPlace: false };
export const start: SupervisorEvent = { t: 'start', settings };
export const restart: SupervisorEvent = { t: 'restart.requested', reason: 'SIGUSR1', isForced: false, settings };
export const stop: SupervisorEvent = { t: 'stop.requested', signal: 'SIGTERM', drainTimeoutMs: 25_000 };

export function greeted(generation: number): SupervisorEvent {
  return { t: 'worker.greeted', generation };
}

export function ready(generation: number): SupervisorEvent {
  return { t: 'worker.ready', generation };
}

export function failed(generation: number, exitCode: number): SupervisorEvent {
  return { t: 'worker.failed', generation, failure: { exitCode, message: 'the reason', hint: 'the way out' } };
}

export function exited(generation: number, code: number | null = 1): SupervisorEvent {
  return { t: 'worker.exited', generation, code, cause: code === null ? 'SIGKILL' : `exit code ${code}` };
}

export function released(generation: number, epoch: number): SupervisorEvent {
  return { t: 'lease.released', generation, epoch };
}

/** The events that lead to a phase. In each, generation 1 was the first worker and 2, if any, the latest. */
export const WAY_TO: Readonly<Record<Phase, readonly SupervisorEvent[]>> = {
  starting: [start, greeted(1)],
  running: [start, greeted(1), ready(1)],
  restarting: [start, greeted(1), ready(1), restart, greeted(2)],
  backoff: [start, exited(1), exited(2)],
  'safe-mode': [start, greeted(1), ready(1), ...[1, 2, 3, 4, 5].flatMap(crashAndReplace)],
  draining: [start, greeted(1), ready(1), stop],
  stopped: [start, greeted(1), ready(1), stop, exited(1, 0)],
};

/** A crash of the serving worker, and its successor, whatever pause comes between. */
export function crashAndReplace(generation: number): SupervisorEvent[] {
  const respawn: SupervisorEvent = { t: 'timer.fired', timer: { t: 'respawn' } };
  return [exited(generation), respawn, greeted(generation + 1), ready(generation + 1)];
}

export function suspect(generation: number, silentMs = 5_000): SupervisorEvent {
  return { t: 'worker.suspect', generation, silentMs };
}

export function hung(generation: number, silentMs = 15_000): SupervisorEvent {
  return { t: 'worker.hung', generation, silentMs };
}

export function warm(generation: number): SupervisorEvent {
  return { t: 'worker.warm', generation };
}

/** An effect in one word, with the worker it is about. */
export function brief(effect: SupervisorEffect): string {
  switch (effect.t) {
    case 'send':
      return `${effect.message.t}>${effect.generation}`;
    case 'timer.set':
      return `timer ${effect.timer.t}`;
    case 'finish':
      return `finish ${effect.exitCode}`;
    case 'transition':
      return `=${effect.to}`;
    case 'log':
      return `log ${effect.level}`;
    case 'welcome':
      return `welcome>${effect.generation} lease ${effect.leaseEpoch}`;
    case 'fork':
      return effect.role === 'serve' ? `fork>${effect.generation}` : `fork>${effect.generation} ${effect.role}`;
    case 'promote':
      return `promote>${effect.generation} lease ${effect.leaseEpoch}`;
    case 'responder.start':
    case 'responder.stop':
      return effect.t;
    default:
      return `${effect.t}>${effect.generation}`;
  }
}
