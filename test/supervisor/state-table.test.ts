import { describe, expect, it } from 'vitest';
import type { Phase, SupervisorEvent, Timer } from '../../supervisor/state-model.ts';
import {
  brief,
  exited,
  failed,
  greeted,
  ready,
  released,
  replay,
  restart,
  start,
  stop,
  WAY_TO,
} from './state-replay.ts';

/** Every phase × every event: what follows. An empty text means that the event is too late, or not meant for that phase. */
const TABLE: readonly (readonly [Phase, SupervisorEvent, string])[] = [
  ['starting', start, ''],
  ['starting', greeted(3), ''],
  ['starting', ready(1), 'activated>1, timer healthy, =running'],
  ['starting', failed(1, 78), 'log error, timer drain-deadline'],
  ['starting', exited(1), 'log info, fork>2, timer ready-deadline'],
  ['starting', released(1, 1), ''],
  ['starting', restart, ''],
  ['starting', stop, '=draining, worker.drain>1, timer drain-deadline, timer stop-deadline'],
  ['starting', fired('ready-deadline', 1), 'kill>1'],
  ['starting', fired('healthy', 1), ''],
  ['starting', fired('release-deadline', 1), ''],
  ['starting', fired('drain-deadline', 1), ''],
  ['starting', fired('respawn'), ''],
  ['starting', fired('stop-deadline'), ''],
  ['running', start, ''],
  ['running', greeted(3), ''],
  ['running', ready(1), ''],
  ['running', failed(1, 78), 'log error, timer drain-deadline'],
  ['running', exited(1), 'log info, log error, =starting, fork>2, timer ready-deadline'],
  ['running', released(1, 1), ''],
  ['running', restart, '=restarting, fork>2, timer ready-deadline'],
  ['running', stop, '=draining, worker.drain>1, timer stop-deadline'],
  ['running', fired('ready-deadline', 1), ''],
  ['running', fired('healthy', 1), ''],
  ['running', fired('release-deadline', 1), ''],
  ['running', fired('drain-deadline', 1), ''],
  ['running', fired('respawn'), ''],
  ['running', fired('stop-deadline'), ''],
  ['restarting', start, ''],
  ['restarting', greeted(3), ''],
  [
    'restarting',
    ready(2),
    'activated>2, timer healthy, =running, worker.drain>1, timer release-deadline, timer drain-deadline',
  ],
  ['restarting', failed(2, 78), 'log error, timer drain-deadline'],
  ['restarting', exited(2), 'peer.exited>1, log info, log error, =running'],
  ['restarting', released(1, 1), ''],
  ['restarting', restart, ''],
  ['restarting', stop, '=draining, worker.drain>1, worker.drain>2, timer drain-deadline, timer stop-deadline'],
  ['restarting', fired('ready-deadline', 2), 'kill>2'],
  ['restarting', fired('healthy', 2), ''],
  ['restarting', fired('release-deadline', 1), ''],
  ['restarting', fired('drain-deadline', 2), ''],
  ['restarting', fired('respawn'), ''],
  ['restarting', fired('stop-deadline'), ''],
  ['backoff', start, ''],
  ['backoff', greeted(3), ''],
  ['backoff', ready(1), ''],
  ['backoff', failed(1, 78), ''],
  ['backoff', exited(1), ''],
  ['backoff', released(1, 1), ''],
  ['backoff', restart, '=starting, fork>3, timer ready-deadline'],
  ['backoff', stop, '=draining, timer stop-deadline, =stopped, finish 0'],
  ['backoff', fired('ready-deadline', 1), ''],
  ['backoff', fired('healthy', 1), ''],
  ['backoff', fired('release-deadline', 1), ''],
  ['backoff', fired('drain-deadline', 1), ''],
  ['backoff', fired('respawn'), '=starting, fork>3, timer ready-deadline'],
  ['backoff', fired('stop-deadline'), ''],
  ['draining', start, ''],
  ['draining', greeted(3), ''],
  ['draining', ready(1), ''],
  ['draining', failed(1, 78), 'log error'],
  ['draining', exited(1), 'log info, =stopped, finish 0'],
  ['draining', released(1, 1), ''],
  ['draining', restart, 'log info'],
  ['draining', stop, 'kill>1'],
  ['draining', fired('ready-deadline', 1), ''],
  ['draining', fired('healthy', 1), ''],
  ['draining', fired('release-deadline', 1), ''],
  ['draining', fired('drain-deadline', 1), 'kill>1'],
  ['draining', fired('respawn'), ''],
  ['draining', fired('stop-deadline'), 'kill>1'],
  ['stopped', start, ''],
  ['stopped', greeted(3), ''],
  ['stopped', ready(1), ''],
  ['stopped', failed(1, 78), ''],
  ['stopped', exited(1), ''],
  ['stopped', released(1, 1), ''],
  ['stopped', restart, ''],
  ['stopped', stop, ''],
  ['stopped', fired('ready-deadline', 1), ''],
  ['stopped', fired('healthy', 1), ''],
  ['stopped', fired('release-deadline', 1), ''],
  ['stopped', fired('drain-deadline', 1), ''],
  ['stopped', fired('respawn'), ''],
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
  return t === 'respawn' || t === 'stop-deadline'
    ? { t: 'timer.fired', timer: { t } }
    : { t: 'timer.fired', timer: { t, generation } };
}
