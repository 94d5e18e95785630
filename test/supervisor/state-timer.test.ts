import { describe, expect, it } from 'vitest';
import type { SupervisorEvent, Timer } from '../../supervisor/state-model.ts';
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

describe('a timer whose time has come', () => {
  it.each<[Timer, readonly SupervisorEvent[], readonly string[]]>([
    [{ t: 'ready-deadline', generation: 1 }, [start, greeted(1)], ['kill>1']],
    [{ t: 'release-deadline', generation: 1 }, [...WAY_TO.restarting, ready(2)], ['kill>1']],
    [{ t: 'drain-deadline', generation: 1 }, [...WAY_TO.restarting, ready(2)], ['kill>1']],
    [{ t: 'drain-deadline', generation: 1 }, [start, greeted(1), failed(1, 78)], ['kill>1']],
    [{ t: 'respawn' }, WAY_TO.backoff, ['=starting', 'fork>3', 'timer ready-deadline']],
    [{ t: 'responder' }, [...WAY_TO.running, exited(1)], ['responder.start']],
    [{ t: 'stop-deadline' }, WAY_TO.draining, ['kill>1', 'timer give-up']],
    [{ t: 'give-up' }, WAY_TO.draining, ['log error', '=stopped', 'finish 1']],
  ])('(%o) has its effect', (timer, before, effects) => {
    expect(after(before, timer)).toEqual(effects);
  });

  it('forgets the crashes once a worker has been healthy for a minute', () => {
    const { state } = replay([...WAY_TO.running, exited(1), greeted(2), ready(2)]);
    expect(state.crashes).toBe(1);
    expect(replay([fired({ t: 'healthy', generation: 2 })], state).state.crashes).toBe(0);
  });
});

describe('a timer that comes too late', () => {
  it.each<[string, Timer, readonly SupervisorEvent[]]>([
    ['the worker is ready', { t: 'ready-deadline', generation: 1 }, WAY_TO.running],
    ['the worker is gone', { t: 'ready-deadline', generation: 1 }, [start, exited(1)]],
    ['another worker serves', { t: 'healthy', generation: 1 }, [...WAY_TO.restarting, ready(2)]],
    ['the lease has moved', { t: 'release-deadline', generation: 1 }, [...WAY_TO.restarting, ready(2), released(1, 1)]],
    ['the worker serves', { t: 'release-deadline', generation: 1 }, WAY_TO.running],
    ['the worker was not told to end', { t: 'drain-deadline', generation: 1 }, WAY_TO.running],
    ['a restart was asked for meanwhile', { t: 'respawn' }, [...WAY_TO.backoff, restart]],
    ['a worker serves again', { t: 'responder' }, [...WAY_TO.running, exited(1), greeted(2), ready(2)]],
    ['it answers already', { t: 'responder' }, [...WAY_TO.running, exited(1), fired({ t: 'responder' })]],
    ['nobody wants a standby', { t: 'standby' }, WAY_TO.running],
    ['it does not stop', { t: 'stop-deadline' }, WAY_TO.running],
    ['it has ended', { t: 'stop-deadline' }, WAY_TO.stopped],
  ])('(%s) means nothing', (_why, timer, before) => {
    expect(after(before, timer)).toEqual([]);
  });

  it('counts no crash as forgotten that happened to another worker', () => {
    const { state } = replay([...WAY_TO.running, exited(1), greeted(2)]);
    expect(replay([fired({ t: 'healthy', generation: 1 })], state).state.crashes).toBe(1);
  });
});

describe('the deadline for the lease', () => {
  it('does not matter when everything stops: nobody waits for the lease', () => {
    const { state } = replay([...WAY_TO.restarting, ready(2), stop]);
    expect(replay([fired({ t: 'release-deadline', generation: 1 })], state).effects).toEqual([]);
  });

  it('says in its reason how long that was', () => {
    const { state } = replay([...WAY_TO.restarting, ready(2)]);
    expect(replay([fired({ t: 'release-deadline', generation: 1 })], state).effects).toEqual([
      { t: 'kill', generation: 1, reason: 'lease not released within 10000 ms' },
    ]);
  });
});

function fired(timer: Timer): SupervisorEvent {
  return { t: 'timer.fired', timer };
}

function after(before: readonly SupervisorEvent[], timer: Timer): string[] {
  return replay([fired(timer)], replay(before).state).effects.map(brief);
}
