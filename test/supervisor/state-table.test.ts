import { describe, expect, it } from 'vitest';
import type { Phase } from '../../lib/control.ts';
import type { SupervisorEvent, Timer } from '../../supervisor/state-model.ts';
import {
  brief,
  exited,
  failed,
  greeted,
  hung,
  ready,
  released,
  replay,
  restart,
  start,
  stop,
  suspect,
  WAY_TO,
  warm,
} from './state-replay.ts';

const responderExited: SupervisorEvent = { t: 'responder.exited' };

/** Every phase × every event: what follows. An empty text means that the event is too late, or not meant for that phase. */
const TABLE: readonly (readonly [Phase, SupervisorEvent, string])[] = [
  ['starting', start, ''],
  ['starting', greeted(3), ''],
  ['starting', warm(1), ''],
  ['starting', ready(1), 'activated>1, timer healthy, =running'],
  ['starting', failed(1, 78), 'log error, timer drain-deadline'],
  ['starting', refused(1), ''],
  ['starting', suspect(1), 'dump>1'],
  ['starting', hung(1), 'dump>1, kill>1'],
  ['starting', bloated(1), ''],
  ['starting', unreachable(1), ''],
  ['starting', exited(1), 'log info, fork>2, timer ready-deadline, timer responder'],
  ['starting', responderExited, ''],
  ['starting', released(1, 1), ''],
  ['starting', restart, ''],
  ['starting', stop, '=draining, worker.drain>1, timer drain-deadline, timer stop-deadline'],
  ['starting', fired('ready-deadline', 1), 'kill>1'],
  ['starting', fired('healthy', 1), ''],
  ['starting', fired('release-deadline', 1), ''],
  ['starting', fired('drain-deadline', 1), ''],
  ['starting', fired('respawn'), ''],
  ['starting', fired('standby'), ''],
  ['starting', fired('responder'), ''],
  ['starting', fired('stop-deadline'), ''],
  ['running', start, ''],
  ['running', greeted(3), ''],
  ['running', warm(1), ''],
  ['running', ready(1), ''],
  ['running', failed(1, 78), 'log error, timer drain-deadline'],
  ['running', refused(1), ''],
  ['running', suspect(1), 'dump>1, =restarting, fork>2, timer ready-deadline'],
  ['running', hung(1), 'dump>1, kill>1'],
  ['running', bloated(1), '=restarting, fork>2, timer ready-deadline'],
  ['running', unreachable(1), '=restarting, fork>2, timer ready-deadline'],
  ['running', exited(1), 'log info, log error, =starting, fork>2, timer ready-deadline, timer responder'],
  ['running', responderExited, ''],
  ['running', released(1, 1), ''],
  ['running', restart, '=restarting, fork>2, timer ready-deadline'],
  ['running', stop, '=draining, worker.drain>1, timer stop-deadline'],
  ['running', fired('ready-deadline', 1), ''],
  ['running', fired('healthy', 1), ''],
  ['running', fired('release-deadline', 1), ''],
  ['running', fired('drain-deadline', 1), ''],
  ['running', fired('respawn'), ''],
  ['running', fired('standby'), ''],
  ['running', fired('responder'), ''],
  ['running', fired('stop-deadline'), ''],
  ['restarting', start, ''],
  ['restarting', greeted(3), ''],
  ['restarting', warm(2), ''],
  [
    'restarting',
    ready(2),
    'activated>2, timer healthy, =running, worker.drain>1, timer release-deadline, timer drain-deadline',
  ],
  ['restarting', failed(2, 78), 'log error, timer drain-deadline'],
  ['restarting', refused(1), ''],
  ['restarting', suspect(1), 'dump>1'],
  ['restarting', hung(1), 'dump>1, kill>1'],
  ['restarting', bloated(1), ''],
  ['restarting', unreachable(1), ''],
  ['restarting', exited(2), 'peer.exited>1, log info, log error, =running'],
  ['restarting', responderExited, ''],
  ['restarting', released(1, 1), ''],
  ['restarting', restart, ''],
  ['restarting', stop, '=draining, worker.drain>1, worker.drain>2, timer drain-deadline, timer stop-deadline'],
  ['restarting', fired('ready-deadline', 2), 'kill>2'],
  ['restarting', fired('healthy', 1), ''],
  ['restarting', fired('release-deadline', 1), ''],
  ['restarting', fired('drain-deadline', 2), ''],
  ['restarting', fired('respawn'), ''],
  ['restarting', fired('standby'), ''],
  ['restarting', fired('responder'), ''],
  ['restarting', fired('stop-deadline'), ''],
  ['backoff', start, ''],
  ['backoff', greeted(3), ''],
  ['backoff', warm(1), ''],
  ['backoff', ready(1), ''],
  ['backoff', failed(1, 78), ''],
  ['backoff', refused(1), ''],
  ['backoff', suspect(1), ''],
  ['backoff', hung(1), ''],
  ['backoff', bloated(1), ''],
  ['backoff', unreachable(1), ''],
  ['backoff', exited(1), ''],
  ['backoff', responderExited, 'timer responder'],
  ['backoff', released(1, 1), ''],
  ['backoff', restart, '=starting, fork>3, timer ready-deadline'],
  ['backoff', stop, '=draining, timer stop-deadline, =stopped, finish 0'],
  ['backoff', fired('ready-deadline', 1), ''],
  ['backoff', fired('healthy', 1), ''],
  ['backoff', fired('release-deadline', 1), ''],
  ['backoff', fired('drain-deadline', 1), ''],
  ['backoff', fired('respawn'), '=starting, fork>3, timer ready-deadline'],
  ['backoff', fired('standby'), ''],
  ['backoff', fired('responder'), 'responder.start'],
  ['backoff', fired('stop-deadline'), ''],
  ['safe-mode', start, ''],
  ['safe-mode', greeted(3), ''],
  ['safe-mode', warm(6), ''],
  ['safe-mode', ready(6), ''],
  ['safe-mode', failed(6, 78), 'log error, timer drain-deadline'],
  ['safe-mode', refused(6), ''],
  ['safe-mode', suspect(6), 'dump>6, =restarting, fork>7 safe, timer ready-deadline'],
  ['safe-mode', hung(6), 'dump>6, kill>6'],
  ['safe-mode', bloated(6), '=restarting, fork>7 safe, timer ready-deadline'],
  ['safe-mode', unreachable(6), '=restarting, fork>7 safe, timer ready-deadline'],
  ['safe-mode', exited(6), 'log info, log error, =backoff, timer respawn, timer responder'],
  ['safe-mode', responderExited, ''],
  ['safe-mode', released(6, 1), ''],
  ['safe-mode', restart, '=restarting, fork>7, timer ready-deadline'],
  ['safe-mode', stop, '=draining, worker.drain>6, timer stop-deadline'],
  ['safe-mode', fired('ready-deadline', 6), ''],
  ['safe-mode', fired('healthy', 6), ''],
  ['safe-mode', fired('release-deadline', 6), ''],
  ['safe-mode', fired('drain-deadline', 6), ''],
  ['safe-mode', fired('respawn'), ''],
  ['safe-mode', fired('standby'), ''],
  ['safe-mode', fired('responder'), ''],
  ['safe-mode', fired('stop-deadline'), ''],
  ['draining', start, ''],
  ['draining', greeted(3), ''],
  ['draining', warm(1), ''],
  ['draining', ready(1), ''],
  ['draining', failed(1, 78), 'log error'],
  ['draining', refused(1), ''],
  ['draining', suspect(1), ''],
  ['draining', hung(1), 'dump>1, kill>1'],
  ['draining', bloated(1), ''],
  ['draining', unreachable(1), ''],
  ['draining', exited(1), 'log info, =stopped, finish 0'],
  ['draining', responderExited, ''],
  ['draining', released(1, 1), ''],
  ['draining', restart, 'log info'],
  ['draining', stop, 'kill>1, timer give-up'],
  ['draining', fired('ready-deadline', 1), ''],
  ['draining', fired('healthy', 1), ''],
  ['draining', fired('release-deadline', 1), ''],
  ['draining', fired('drain-deadline', 1), 'kill>1'],
  ['draining', fired('respawn'), ''],
  ['draining', fired('standby'), ''],
  ['draining', fired('responder'), ''],
  ['draining', fired('stop-deadline'), 'kill>1, timer give-up'],
  ['draining', fired('give-up'), 'log error, =stopped, finish 1'],
  ['stopped', start, ''],
  ['stopped', greeted(3), ''],
  ['stopped', warm(1), ''],
  ['stopped', ready(1), ''],
  ['stopped', failed(1, 78), ''],
  ['stopped', refused(1), ''],
  ['stopped', suspect(1), ''],
  ['stopped', hung(1), ''],
  ['stopped', bloated(1), ''],
  ['stopped', unreachable(1), ''],
  ['stopped', exited(1), ''],
  ['stopped', responderExited, ''],
  ['stopped', released(1, 1), ''],
  ['stopped', restart, ''],
  ['stopped', stop, ''],
  ['stopped', fired('ready-deadline', 1), ''],
  ['stopped', fired('healthy', 1), ''],
  ['stopped', fired('release-deadline', 1), ''],
  ['stopped', fired('drain-deadline', 1), ''],
  ['stopped', fired('respawn'), ''],
  ['stopped', fired('standby'), ''],
  ['stopped', fired('responder'), ''],
  ['stopped', fired('stop-deadline'), ''],
];

describe('every event in every phase', () => {
  it.each(TABLE.map(([phase, event, effects]) => ({ phase, event, effects })))(
    '$phase, $event.t $event.timer.t: $effects',
    ({ phase, event, effects }) => {
      const { state } = replay(WAY_TO[phase]);
      expect(state.phase).toBe(phase);
      expect(replay([event], state).effects.map(brief).join(', ')).toBe(effects);
    },
  );

  it('leaves the given state untouched', () => {
    for (const [phase, event] of TABLE) {
      const { state } = replay(WAY_TO[phase]);
      const before = structuredClone(state);
      replay([event], state);
      expect(state).toEqual(before);
    }
  });
});

function fired(t: Timer['t'], generation = 0): SupervisorEvent {
  switch (t) {
    case 'respawn':
    case 'standby':
    case 'responder':
    case 'stop-deadline':
    case 'give-up':
      return { t: 'timer.fired', timer: { t } };
    default:
      return { t: 'timer.fired', timer: { t, generation } };
  }
}

function refused(generation: number): SupervisorEvent {
  return { t: 'worker.rebuild-refused', generation, message: 'gateway.port: must be a number' };
}

function bloated(generation: number): SupervisorEvent {
  return { t: 'worker.bloated', generation, reason: 'too big' };
}

function unreachable(generation: number): SupervisorEvent {
  return { t: 'worker.unreachable', generation, reason: 'no answer' };
}
