import { describe, expect, it } from 'vitest';
import type { SupervisorEvent } from '../../supervisor/state-model.ts';
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
  settings,
  start,
  stop,
  WAY_TO,
  warm,
} from './state-replay.ts';

const standbyDue: SupervisorEvent = { t: 'timer.fired', timer: { t: 'standby' } };
const withStandby = { ...settings, hasStandby: true };
const restartKeeping: SupervisorEvent = {
  ...{ t: 'restart.requested', reason: 'SIGUSR1', isForced: false, settings: withStandby },
};
const serving: readonly SupervisorEvent[] = [
  { ...start, settings: withStandby } as SupervisorEvent,
  greeted(1),
  ready(1),
];

describe('the others', () => {
  it('are told that a worker is gone, so that they take its work over', () => {
    const { state } = replay(WAY_TO.restarting);
    expect(effectsOf([exited(1)], state)).toContain('peer.exited>2');
    expect(effectsOf([exited(2)], state)).toContain('peer.exited>1');
  });

  it('are not told while they have not even said hello: they will be welcomed without it', () => {
    const { state } = replay([...WAY_TO.running, restart]);
    expect(effectsOf([exited(1)], state)).not.toContain('peer.exited>2');
  });

  it('are told while they drain, too', () => {
    const { state } = replay([...WAY_TO.restarting, ready(2)]);
    expect(effectsOf([exited(2)], state)).toContain('peer.exited>1');
  });
});

describe('a worker that nobody knows', () => {
  it('may end without a trace', () => {
    const { state } = replay(WAY_TO.running);
    const after = replay([exited(7)], state);
    expect(after).toEqual({ state, effects: [] });
  });

  it('ends once only', () => {
    const { state } = replay([...WAY_TO.running, exited(1)]);
    expect(replay([exited(1)], state).effects).toEqual([]);
  });
});

describe('a candidate that ends', () => {
  it('beside a serving worker tells what it said of it', () => {
    const { state, effects } = replay([...WAY_TO.restarting, failed(2, 78), exited(2, 78)]);
    expect(state).toMatchObject({ phase: 'running', active: 1, candidate: null, restartFailure: 'the reason' });
    expect(effects.findLast(({ t }) => t === 'log')).toMatchObject({
      ...{ level: 'error', message: 'The new worker failed, the old one goes on.' },
      fields: { generation: 2, cause: 'exit code 78', reason: 'the reason' },
    });
  });

  it('without a word tells how it ended, or what its exit code means', () => {
    expect(replay([...WAY_TO.restarting, exited(2, null)]).state.restartFailure).toBe(
      'The new worker ended before it was ready: SIGKILL.',
    );
    expect(replay([...WAY_TO.restarting, exited(2, 76)]).state.restartFailure).toBe(
      'The worker ended with exit code 76 and gave no reason.',
    );
  });

  it('beside a serving worker is no crash of the gateway', () => {
    expect(replay([...WAY_TO.restarting, exited(2)]).state).toMatchObject({ crashes: 0, crashTimes: [] });
  });

  it('has its failure forgotten by the next restart that succeeds', () => {
    const { state } = replay([...WAY_TO.restarting, exited(2), restart, greeted(3), ready(3)]);
    expect(state).toMatchObject({ active: 3, restartFailure: null });
  });

  it('while nobody serves is a crash, and is tried again', () => {
    const { state } = replay([start, greeted(1), exited(1)]);
    expect(state).toMatchObject({ phase: 'starting', candidate: 2, crashes: 1 });
  });

  it('and nobody else can serve ends the gateway for a reason that needs a person, with the others drained', () => {
    const booting = replay([...WAY_TO.restarting, exited(1)]).state;
    const { state, effects } = replay([failed(2, 76), exited(2, 76)], booting);
    expect(state).toMatchObject({ phase: 'stopped', outcome: { exitCode: 76 } });
    expect(effects.map(brief)).toContain('finish 76');
  });

  it.each([
    [69, false, 'stopped'],
    [69, true, 'backoff'],
    [76, true, 'stopped'],
    [78, true, 'stopped'],
    [1, false, 'starting'],
    [70, false, 'starting'],
  ])('with code %i (served before: %s) leads to %s', (code, hasServed, phase) => {
    const before = hasServed ? [...WAY_TO.running, exited(1)] : [start];
    const generation = hasServed ? 2 : 1;
    const { state } = replay([...before, greeted(generation), failed(generation, code), exited(generation, code)]);
    expect(state.phase).toBe(phase);
  });
});

describe('a standby that ends', () => {
  it('while it boots or waits is looked for again after half a minute', () => {
    for (const events of [[], [greeted(2)], [greeted(2), warm(2)]]) {
      const { state, effects } = replay([...serving, standbyDue, ...events, exited(2)]);
      expect(state).toMatchObject({ phase: 'running', active: 1, standby: null, isStandbyDue: true, crashes: 0 });
      expect(effects.at(-1)).toEqual({ t: 'timer.set', timer: { t: 'standby' }, ms: 30_000 });
    }
  });

  it('after it was promoted is a candidate like any other', () => {
    const promoted = [...serving, standbyDue, greeted(2), warm(2), exited(1)];
    expect(replay(promoted).state).toMatchObject({ phase: 'starting', candidate: 2 });
    expect(replay([...promoted, exited(2)]).state).toMatchObject({ candidate: null, crashes: 2, phase: 'backoff' });
  });

  it('because it hung is no crash: the one that serves must not end up in safe mode for it', () => {
    const once = (generation: number): SupervisorEvent[] => [
      ...[standbyDue, greeted(generation), warm(generation)],
      ...[hung(generation), exited(generation, null)],
    ];
    const { state } = replay([...serving, ...[2, 3, 4, 5, 6].flatMap(once)]);
    expect(state).toMatchObject({ phase: 'running', active: 1, isSafe: false, crashes: 0, crashTimes: [] });
  });

  it('because it was outdated by a restart is not missed', () => {
    const { state } = replay([...serving, standbyDue, greeted(2), warm(2), restartKeeping, greeted(3), ready(3)]);
    const after = replay([exited(2, null)], state);
    expect(after.state).toMatchObject({ crashes: 0, isStandbyDue: true });
    expect(after.effects.map(brief)).toEqual(['peer.exited>1', 'peer.exited>3', 'log info']);
  });
});

describe('a drained worker that ends', () => {
  it('leaves the lease to the one that serves', () => {
    const { state, effects } = replay([...WAY_TO.restarting, ready(2), exited(1, 0)]);
    expect(state.lease).toEqual({ epoch: 2, holder: 2 });
    expect(effects.map(brief)).toContain('lease.grant>2');
  });

  it('after it gave the lease away changes nothing more', () => {
    const { state } = replay([...WAY_TO.restarting, ready(2), released(1, 1)]);
    const after = replay([exited(1, 0)], state);
    expect(after.state.lease).toEqual({ epoch: 2, holder: 2 });
    expect(after.effects.map(brief)).toEqual(['peer.exited>2', 'log info']);
  });

  it('because it hung is a crash', () => {
    const { state } = replay([...WAY_TO.restarting, ready(2), hung(1), exited(1, null)]);
    expect(state).toMatchObject({ active: 2, crashes: 1 });
  });
});

describe('while the gateway stops', () => {
  it('no end is a crash, and nobody is forked', () => {
    const { state, effects } = replay([...WAY_TO.restarting, stop, hung(1), exited(1, null)]);
    expect(state).toMatchObject({ phase: 'draining', crashes: 0, nextGeneration: 3 });
    expect(effects.map(brief)).not.toContain('fork>3');
  });

  it('the last end is the end of all', () => {
    const { state, effects } = replay([...WAY_TO.restarting, stop, exited(2, 0), exited(1, 0)]);
    expect(state.phase).toBe('stopped');
    expect(effects.slice(-2).map(brief)).toEqual(['=stopped', 'finish 0']);
  });

  it('a reason that needs a person is not taken for the reason of the end', () => {
    const { state } = replay([start, greeted(1), stop, failed(1, 78), exited(1, 78)]);
    expect(state.outcome).toEqual({ exitCode: 0, failure: null });
  });
});

function effectsOf(events: readonly SupervisorEvent[], from: ReturnType<typeof replay>['state']): string[] {
  return replay(events, from).effects.map(brief);
}
