import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SupervisorEffect, SupervisorEvent } from '../../supervisor/state-model.ts';
import {
  brief,
  exited,
  failed,
  greeted,
  type Replay,
  ready,
  released,
  replay,
  restart,
  start,
  stop,
  WAY_TO,
} from './state-replay.ts';

const respawn: SupervisorEvent = { t: 'timer.fired', timer: { t: 'respawn' } };

describe('a restart', () => {
  it('grants the lease to the new worker only when the old one has released it', () => {
    const handOver = replay([ready(2)], replay(WAY_TO.restarting).state);
    expect(handOver.state.lease).toEqual({ epoch: 1, holder: 1 });
    const done = replay([released(1, 1)], handOver.state);
    expect(done.effects.map(brief)).toEqual(['lease.grant>2']);
    expect(done.state.lease).toEqual({ epoch: 2, holder: 2 });
  });

  it('grants the lease when the old worker exits without releasing it', () => {
    const { effects } = replay([ready(2), exited(1, null)], replay(WAY_TO.restarting).state);
    expect(effects.map(brief)).toContain('lease.grant>2');
    expect(effects.map(brief).indexOf('peer.exited>2')).toBeLessThan(effects.map(brief).indexOf('lease.grant>2'));
  });

  it('ignores the release of an epoch that is over', () => {
    const { state, effects } = replay([ready(2), released(1, 7)], replay(WAY_TO.restarting).state);
    expect(state.lease.holder).toBe(1);
    expect(effects.map(brief)).not.toContain('lease.grant>2');
  });

  it('kills a replaced worker that does not release the lease in time', () => {
    const late: SupervisorEvent = { t: 'timer.fired', timer: { t: 'release-deadline', generation: 1 } };
    const { effects } = replay([ready(2), late], replay(WAY_TO.restarting).state);
    expect(effects.map(brief)).toContain('kill>1');
  });

  it('gives the old worker 5 s for requests and 5 min for turns', () => {
    const { effects } = replay([ready(2)], replay(WAY_TO.restarting).state);
    const drain = effects.find((effect) => effect.t === 'send');
    expect(drain?.message).toEqual({ t: 'worker.drain', mode: 'replace', requestsMs: 5_000, turnsMs: 300_000 });
  });

  it('collapses any number of requests into one further restart', () => {
    const storm = Array.from({ length: 50 }, () => restart);
    const busy = replay([...storm, ready(2), ...storm, released(1, 1)], replay(WAY_TO.restarting).state);
    expect(forks(busy.effects)).toEqual([3]);
    const calm = replay([greeted(3), ready(3), released(2, 2)], busy.state);
    expect(forks(calm.effects)).toEqual([]);
    expect(calm.state.phase).toBe('running');
  });

  it('asked for while the first worker boots begins once that one serves', () => {
    const { effects } = replay([restart, restart, ready(1)], replay(WAY_TO.starting).state);
    expect(forks(effects)).toEqual([2]);
  });

  it('keeps the old worker when the new one exits, whatever the code', () => {
    for (const code of [0, 1, 69, 76, 78, null]) {
      const { state } = replay([failed(2, 78), exited(2, code)], replay(WAY_TO.restarting).state);
      expect(state).toMatchObject({ phase: 'running', active: 1, candidate: null, outcome: null });
    }
  });

  it('keeps the old worker when the new one is not ready in 30 s', () => {
    const late: SupervisorEvent = { t: 'timer.fired', timer: { t: 'ready-deadline', generation: 2 } };
    const { state, effects } = replay([late, exited(2, null)], replay(WAY_TO.restarting).state);
    expect(effects.map(brief)).toContain('kill>2');
    expect(state).toMatchObject({ phase: 'running', active: 1, lease: { epoch: 1, holder: 1 } });
  });

  it('makes the new worker take over at once when the old one crashes meanwhile', () => {
    const { state, effects } = replay([exited(1), ready(2)], replay(WAY_TO.restarting).state);
    expect(forks(effects)).toEqual([]);
    expect(effects.map(brief)).toContain('lease.grant>2');
    expect(state).toMatchObject({ phase: 'running', active: 2 });
  });
});

describe('a crash', () => {
  it('is answered at once, then after 100, 200 and 400 ms', () => {
    let current: Replay = replay(WAY_TO.running);
    const delays: number[] = [];
    for (let generation = 1; generation <= 4; generation += 1) {
      current = replay([exited(generation), respawn], current.state);
      const timer = current.effects.find((effect) => effect.t === 'timer.set' && effect.timer.t === 'respawn');
      delays.push(timer?.t === 'timer.set' ? timer.ms : 0);
      expect(forks(current.effects)).toEqual([generation + 1]);
    }
    expect(delays).toEqual([0, 100, 200, 400]);
  });

  it('is forgotten when the next worker has served for 30 s', () => {
    const healthy: SupervisorEvent = { t: 'timer.fired', timer: { t: 'healthy', generation: 2 } };
    const { state } = replay([exited(1), greeted(2), ready(2), healthy], replay(WAY_TO.running).state);
    expect(state.crashes).toBe(0);
  });

  it('gives the lease with the welcome to a worker that starts alone', () => {
    const { effects } = replay([exited(1), greeted(2)], replay(WAY_TO.running).state);
    expect(effects.map(brief)).toContain('welcome>2 lease 2');
  });

  it('ends the supervisor with 78 when the next worker finds a configuration that needs a person', () => {
    const { state, effects } = replay(
      [exited(1), greeted(2), failed(2, 78), exited(2, 78)],
      replay(WAY_TO.running).state,
    );
    expect(state.phase).toBe('stopped');
    expect(effects.at(-1)).toEqual({
      t: 'finish',
      exitCode: 78,
      failure: { exitCode: 78, message: 'the reason', hint: 'the way out' },
    });
  });

  it('is tried again after a busy port once the gateway has served', () => {
    const { state } = replay([exited(1), greeted(2), failed(2, 69), exited(2, null)], replay(WAY_TO.running).state);
    expect(state.phase).toBe('backoff');
  });
});

describe('the first start', () => {
  it.each([69, 76, 78])('ends with %i when the worker says so', (code) => {
    const { effects } = replay([failed(1, code), exited(1, null)], replay(WAY_TO.starting).state);
    expect(effects.map(brief).at(-1)).toBe(`finish ${code}`);
  });

  it('ends with 78 when the worker exits so without a word', () => {
    const { effects } = replay([exited(1, 78)], replay(WAY_TO.starting).state);
    expect(effects.at(-1)).toMatchObject({ t: 'finish', exitCode: 78, failure: { exitCode: 78 } });
  });

  it('goes on trying after any other exit', () => {
    const { state } = replay([exited(1), exited(2, null)], replay(WAY_TO.starting).state);
    expect(state.phase).toBe('backoff');
  });
});

describe('a stop', () => {
  it('gives turns as long as asked and kills one second later', () => {
    const { effects } = replay([stop], replay(WAY_TO.running).state);
    expect(effects).toContainEqual({
      t: 'send',
      generation: 1,
      message: { t: 'worker.drain', mode: 'stop', requestsMs: 5_000, turnsMs: 25_000 },
    });
    expect(effects).toContainEqual({ t: 'timer.set', timer: { t: 'stop-deadline' }, ms: 26_000 });
  });

  it('never kills before 6 s', () => {
    const hasty: SupervisorEvent = { t: 'stop.requested', signal: 'SIGINT', drainTimeoutMs: 0 };
    const { effects } = replay([hasty], replay(WAY_TO.running).state);
    expect(effects).toContainEqual({ t: 'timer.set', timer: { t: 'stop-deadline' }, ms: 6_000 });
  });

  it('drains the replaced worker and the new one and ends with the last of them', () => {
    const both = replay([ready(2), stop, exited(2, 0)], replay(WAY_TO.restarting).state);
    expect(both.state.phase).toBe('draining');
    expect(
      replay([exited(1, 0)], both.state)
        .effects.map(brief)
        .at(-1),
    ).toBe('finish 0');
  });

  it('kills a worker that has not said hello', () => {
    expect(replay([start, stop]).effects.map(brief)).toContain('kill>1');
  });

  it('before the start forks nothing', () => {
    expect(replay([stop, start]).effects.map(brief)).toEqual([
      '=draining',
      'timer stop-deadline',
      '=stopped',
      'finish 0',
    ]);
  });

  it.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('followed by %s kills at once and ends with %i', (signal, code) => {
    const second: SupervisorEvent = { t: 'stop.requested', signal, drainTimeoutMs: 25_000 };
    const { effects } = replay([second, exited(1, null)], replay(WAY_TO.draining).state);
    expect(effects.map(brief)).toEqual(['kill>1', 'log info', '=stopped', `finish ${code}`]);
  });
});

describe('any order of events', () => {
  it('has at most one lease holder, rising epochs, one fork per generation, and nothing after the end', () => {
    fc.assert(fc.property(fc.array(anyEvent(), { maxLength: 60 }), (events) => checkInvariants([start, ...events])));
  });
});

function forks(effects: readonly SupervisorEffect[]): number[] {
  return effects.flatMap((effect) => (effect.t === 'fork' ? [effect.generation] : []));
}

function anyEvent(): fc.Arbitrary<SupervisorEvent> {
  const generation = fc.integer({ min: 1, max: 6 });
  return fc.oneof(
    generation.map(greeted),
    generation.map(ready),
    generation.map((value) => exited(value)),
    fc.tuple(generation, fc.integer({ min: 1, max: 6 })).map(([value, epoch]) => released(value, epoch)),
    fc.constant(restart),
    fc.constant(respawn),
    generation.map((value) => failed(value, 69)),
    generation.map(
      (value): SupervisorEvent => ({ t: 'timer.fired', timer: { t: 'ready-deadline', generation: value } }),
    ),
  );
}

/** Watches the lease as the workers see it: granted by welcome or message, given up by release or exit only. */
function checkInvariants(events: readonly SupervisorEvent[]): void {
  let { state } = replay([]);
  let holder: number | null = null;
  let epoch = 0;
  const forked = new Set<number>();
  for (const event of events) {
    if (event.t === 'worker.exited' && event.generation === holder) holder = null;
    if (event.t === 'lease.released' && event.generation === holder && event.epoch === epoch && isDraining(holder)) {
      holder = null;
    }
    const step = replay([event], state);
    state = step.state;
    for (const effect of step.effects) observe(effect);
    expect(state.lease.holder).toBe(holder);
  }

  function isDraining(generation: number): boolean {
    return state.workers.some((worker) => worker.generation === generation && worker.stage === 'draining');
  }

  function observe(effect: SupervisorEffect): void {
    if (effect.t === 'fork') {
      expect(forked.has(effect.generation)).toBe(false);
      forked.add(effect.generation);
    }
    if (effect.t === 'welcome' && effect.leaseEpoch !== null) grant(effect.generation, effect.leaseEpoch);
    if (effect.t === 'send' && effect.message.t === 'lease.grant') grant(effect.generation, effect.message.epoch);
  }

  function grant(generation: number, granted: number): void {
    expect(holder).toBe(null);
    expect(granted).toBeGreaterThan(epoch);
    holder = generation;
    epoch = granted;
  }
}
