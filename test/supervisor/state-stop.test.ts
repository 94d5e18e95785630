import { describe, expect, it } from 'vitest';
import type { SupervisorEvent, SupervisorState } from '../../supervisor/state-model.ts';
import {
  brief,
  exited,
  failed,
  greeted,
  ready,
  replay,
  restart,
  settings,
  start,
  stop,
  WAY_TO,
  warm,
} from './state-replay.ts';

const interrupt: SupervisorEvent = { t: 'stop.requested', signal: 'SIGINT', drainTimeoutMs: 25_000 };
const deadline: SupervisorEvent = { t: 'timer.fired', timer: { t: 'stop-deadline' } };

describe('a stop', () => {
  it.each<[string, readonly SupervisorEvent[], string[]]>([
    ['has been forked', [start], ['kill>1']],
    ['boots', [start, greeted(1)], ['worker.drain>1', 'timer drain-deadline']],
    ['serves', [start, greeted(1), ready(1)], ['worker.drain>1']],
  ])('asks a worker that %s to end, as far as it can hear', (_stage, before, expected) => {
    const { state } = replay(before);
    expect(replay([stop], state).effects.map(brief)).toEqual(['=draining', ...expected, 'timer stop-deadline']);
  });

  it.each<[string, readonly SupervisorEvent[]]>([
    ['boots', [greeted(2)]],
    ['is warm', [greeted(2), warm(2)]],
    ['is forked', []],
  ])('kills a standby that %s: it has nothing to finish', (_stage, events) => {
    const { state } = replay([...withStandby(), ...events]);
    expect(replay([stop], state).effects.map(brief)).toEqual([
      '=draining',
      'worker.drain>1',
      'kill>2',
      'timer stop-deadline',
    ]);
  });

  it('asks a worker that was replaced a second time, since now nobody takes over', () => {
    const { state } = replay([...WAY_TO.restarting, ready(2)]);
    const { effects } = replay([stop], state);
    expect(effects.filter(({ t }) => t === 'send')).toMatchObject([
      { generation: 1, message: { mode: 'stop', requestsMs: 5_000, turnsMs: 25_000 } },
      { generation: 2, message: { mode: 'stop', requestsMs: 5_000, turnsMs: 25_000 } },
    ]);
  });

  it.each([
    [0, 6_000],
    [5_000, 6_000],
    [5_001, 6_001],
    [25_000, 26_000],
    [600_000, 601_000],
  ])('that gives turns %i ms ends by force after %i ms', (drainTimeoutMs, ms) => {
    const { effects } = replay([{ t: 'stop.requested', signal: 'SIGTERM', drainTimeoutMs }], running());
    expect(effects.at(-1)).toEqual({ t: 'timer.set', timer: { t: 'stop-deadline' }, ms });
  });

  it('kills at its deadline whoever is left, and ends with 0 all the same', () => {
    const { state } = replay([...WAY_TO.restarting, stop]);
    const { effects } = replay([deadline, exited(1, null), exited(2, null)], state);
    expect(effects.filter(({ t }) => t === 'kill')).toEqual([
      { t: 'kill', generation: 1, reason: 'still there at the stop deadline' },
      { t: 'kill', generation: 2, reason: 'still there at the stop deadline' },
    ]);
    expect(effects.at(-1)).toEqual({ t: 'finish', exitCode: 0, failure: null });
  });

  it('in backoff has nobody to wait for', () => {
    const { state, effects } = replay([...WAY_TO.backoff, stop]);
    expect(state.phase).toBe('stopped');
    expect(effects.slice(-3).map(brief)).toEqual(['timer stop-deadline', '=stopped', 'finish 0']);
  });

  it('ends the process that answers 503', () => {
    const responding = replay([...WAY_TO.backoff, { t: 'timer.fired', timer: { t: 'responder' } }]).state;
    expect(responding.responder).toBe('on');
    const { state, effects } = replay([stop], responding);
    expect(effects.map(brief)).toContain('responder.stop');
    expect(state.responder).toBe('off');
  });

  it('leaves no room for a restart, a standby or a lease', () => {
    const { state } = replay([...withStandby(), stop]);
    const after = replay(
      [restart, { t: 'timer.fired', timer: { t: 'standby' } }, { t: 'timer.fired', timer: { t: 'respawn' } }],
      state,
    );
    expect(after.effects.map(brief)).toEqual(['log info']);
    expect(after.state.nextGeneration).toBe(state.nextGeneration);
  });

  it('is deaf to a worker that gets ready too late', () => {
    const { state } = replay([...WAY_TO.restarting, stop]);
    expect(replay([greeted(2), ready(2), warm(2)], state).effects).toEqual([]);
  });
});

describe('a second stop', () => {
  it.each<[SupervisorEvent, SupervisorEvent, number]>([
    [stop, stop, 143],
    [stop, interrupt, 130],
    [interrupt, interrupt, 130],
    [interrupt, stop, 143],
  ])('kills all, and the exit code is that of its signal', (first, second, code) => {
    const { effects } = replay([first, second, exited(1, null)], running());
    expect(effects.map(brief)).toContain('kill>1');
    expect(effects.at(-1)).toMatchObject({ t: 'finish', exitCode: code });
  });

  it('is followed by further ones without another meaning', () => {
    const { effects } = replay([stop, stop, interrupt, exited(1, null)], running());
    expect(effects.at(-1)).toMatchObject({ t: 'finish', exitCode: 143 });
  });

  it('during the end for a reason does not hide the reason', () => {
    const ending = replay([...WAY_TO.restarting, exited(1), failed(2, 78)]).state;
    const { effects } = replay([exited(2, 78), stop], ending);
    expect(effects.at(-1)).toMatchObject({ t: 'finish', exitCode: 78, failure: { message: 'the reason' } });
  });
});

describe('the end for a reason that needs a person', () => {
  it('says so in the log, with the phase', () => {
    const { effects } = replay([start, greeted(1), failed(1, 78), exited(1, 78)]);
    expect(effects.filter(({ t }) => t === 'transition')).toEqual([
      { t: 'transition', from: 'starting', to: 'draining', reason: 'the reason' },
      { t: 'transition', from: 'draining', to: 'stopped', reason: 'exit code 78' },
    ]);
    expect(effects.at(-1)).toEqual({
      ...{ t: 'finish', exitCode: 78 },
      failure: { exitCode: 78, message: 'the reason', hint: 'the way out' },
    });
  });

  it('waits for a worker that drains beside, but not for longer than a stop does', () => {
    // The old worker was replaced and still finishes; the new one crashed, and the next finds a bad configuration.
    const { state } = replay([...WAY_TO.restarting, ready(2), exited(2), greeted(3), failed(3, 78)]);
    const after = replay([exited(3, 78)], state);
    expect(after.state).toMatchObject({ phase: 'draining', workers: [{ generation: 1, stage: 'draining' }] });
    expect(after.effects.at(-1)).toEqual({ t: 'timer.set', timer: { t: 'stop-deadline' }, ms: 26_000 });
    expect(replay([exited(1, 0)], after.state).effects.at(-1)).toMatchObject({ t: 'finish', exitCode: 78 });
  });
});

function running(): SupervisorState {
  return replay(WAY_TO.running).state;
}

function withStandby(): SupervisorEvent[] {
  return [
    { t: 'start', settings: { ...settings, hasStandby: true } },
    greeted(1),
    ready(1),
    { t: 'timer.fired', timer: { t: 'standby' } },
  ];
}
