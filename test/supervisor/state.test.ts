import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SupervisorEffect, SupervisorEvent } from '../../supervisor/state-model.ts';
import {
  brief,
  crashAndReplace,
  exited,
  failed,
  greeted,
  hung,
  type Replay,
  ready,
  released,
  replay,
  restart,
  settings,
  start,
  stop,
  suspect,
  WAY_TO,
  warm,
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
  it('is answered at once, then after 250, 500 and 1,000 ms', () => {
    let current: Replay = replay(WAY_TO.running);
    const delays: number[] = [];
    for (let generation = 1; generation <= 4; generation += 1) {
      current = replay([exited(generation), respawn], current.state);
      const timer = current.effects.find((effect) => effect.t === 'timer.set' && effect.timer.t === 'respawn');
      delays.push(timer?.t === 'timer.set' ? timer.ms : 0);
      expect(forks(current.effects)).toEqual([generation + 1]);
    }
    expect(delays).toEqual([0, 250, 500, 1_000]);
  });

  it('of a worker that lived for longer than the pause is answered at once, however often', () => {
    let current: Replay = replay(WAY_TO.running);
    for (let generation = 1; generation <= 4; generation += 1) {
      current = replay(
        [exited(generation), greeted(generation + 1), ready(generation + 1)],
        current.state,
        generation * 2_000,
      );
      expect(current.state).toMatchObject({ phase: 'running', active: generation + 1 });
    }
  });

  it('is forgotten when the next worker has served for a minute', () => {
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

describe('the fifth crash within ten minutes', () => {
  it('brings the worker up without what may have caused it', () => {
    const { state, effects } = replay(WAY_TO['safe-mode']);
    expect(forkTexts(effects)).toEqual(['fork>1', 'fork>2', 'fork>3', 'fork>4', 'fork>5', 'fork>6 safe']);
    expect(state).toMatchObject({ phase: 'safe-mode', active: 6, isSafe: true });
  });

  it('counts however the crashes are spread over the ten minutes', () => {
    let current: Replay = replay(WAY_TO.running);
    for (let generation = 1; generation <= 5; generation += 1) {
      current = replay(crashAndReplace(generation), current.state, generation * 120_000);
    }
    expect(current.state.phase).toBe('safe-mode');
  });

  it('does not when one of them is longer ago', () => {
    let current: Replay = replay(WAY_TO.running);
    for (let generation = 1; generation <= 8; generation += 1) {
      current = replay(crashAndReplace(generation), current.state, generation * 151_000);
    }
    expect(current.state).toMatchObject({ phase: 'running', isSafe: false });
  });

  it('means nothing when the limit is 0', () => {
    const never: SupervisorEvent = { t: 'start', settings: { ...settings, crashLimit: 0 } };
    const { state } = replay([never, greeted(1), ready(1), ...[1, 2, 3, 4, 5, 6, 7].flatMap(crashAndReplace)]);
    expect(state).toMatchObject({ phase: 'running', isSafe: false });
  });

  it('of the first start means safe mode too, and failures of the safe worker go on being tried', () => {
    const respawn: SupervisorEvent = { t: 'timer.fired', timer: { t: 'respawn' } };
    const fails = [1, 2, 3, 4, 5, 6, 7].flatMap((generation) => [exited(generation), respawn]);
    const { state, effects } = replay([start, ...fails]);
    expect(forkTexts(effects).slice(-3)).toEqual(['fork>6 safe', 'fork>7 safe', 'fork>8 safe']);
    expect(state.phase).toBe('starting');
  });
});

describe('safe mode', () => {
  it('is left by a restart that gets ready, and the crashes are forgotten', () => {
    const { state } = replay([restart, greeted(7), ready(7)], replay(WAY_TO['safe-mode']).state);
    expect(state).toMatchObject({ phase: 'running', active: 7, isSafe: false, crashTimes: [] });
  });

  it('goes on when the worker of that restart fails', () => {
    const { state, effects } = replay([restart, greeted(7), exited(7)], replay(WAY_TO['safe-mode']).state);
    expect(state).toMatchObject({ phase: 'safe-mode', active: 6, isSafe: true });
    expect(forkTexts(effects)).toEqual(['fork>7']);
  });

  it('replaces a worker of the other kind that was booting when it began', () => {
    // Four crashes before; the fifth is that of a worker whose replacement is on its way already.
    const four = replay([start, greeted(1), ready(1), ...[1, 2, 3, 4].flatMap(crashAndReplace)]);
    const { state, effects } = replay([restart, greeted(6), exited(5), ready(6)], four.state);
    expect(state).toMatchObject({ active: 6, phase: 'restarting', isSafe: true });
    expect(forkTexts(effects)).toEqual(['fork>6', 'fork>7 safe']);
  });
});

describe('a silent worker', () => {
  it('is replaced beside it, and killed when it stays silent', () => {
    const taken = replay([suspect(1), greeted(2), ready(2)], replay(WAY_TO.running).state);
    expect(taken.state).toMatchObject({ active: 2, phase: 'running' });
    const { effects } = replay([hung(1)], taken.state);
    expect(effects.map(brief)).toEqual(['dump>1', 'kill>1']);
  });

  it('that comes back in the meantime is drained in order and is no crash', () => {
    const { state } = replay(
      [suspect(1), greeted(2), ready(2), released(1, 1), exited(1, 0)],
      replay(WAY_TO.running).state,
    );
    expect(state).toMatchObject({ active: 2, crashes: 0, crashTimes: [] });
  });

  it('that was killed is a crash, although another one serves', () => {
    const { state } = replay(
      [suspect(1), greeted(2), ready(2), hung(1), exited(1, null)],
      replay(WAY_TO.running).state,
    );
    expect(state).toMatchObject({ active: 2, phase: 'running', crashes: 1, crashTimes: [0] });
  });

  it('is not suspected a second time while its replacement boots', () => {
    const { effects } = replay([suspect(1), suspect(1)], replay(WAY_TO.running).state);
    expect(forkTexts(effects)).toEqual(['fork>2']);
  });
});

describe('a worker that is too big', () => {
  const bloated = (generation: number): SupervisorEvent => ({ t: 'worker.bloated', generation, reason: 'too big' });

  it('is replaced in order, at most once in ten minutes', () => {
    const once = replay([bloated(1), greeted(2), ready(2), released(1, 1), exited(1, 0)], replay(WAY_TO.running).state);
    expect(once.state).toMatchObject({ phase: 'running', active: 2, crashes: 0 });
    expect(replay([bloated(2)], once.state, 599_000).effects).toEqual([]);
    expect(forkTexts(replay([bloated(2)], once.state, 600_000).effects)).toEqual(['fork>3']);
  });
});

describe('a standby', () => {
  const standby: SupervisorEvent = { t: 'timer.fired', timer: { t: 'standby' } };
  const withStandby = { ...settings, hasStandby: true };
  const ready1 = replay([{ t: 'start', settings: withStandby }, greeted(1), ready(1)]);
  const waiting = replay([standby, greeted(2), warm(2)], ready1.state);

  it('is forked a moment after the worker is ready, and does not hold the lease', () => {
    expect(ready1.effects.map(brief).at(-1)).toBe('timer standby');
    expect(waiting.effects.map(brief)).toEqual(['fork>2 standby', 'welcome>2 lease null']);
    expect(waiting.state).toMatchObject({ standby: 2, active: 1, lease: { holder: 1 } });
  });

  it('is promoted at once when the worker crashes, and another one follows', () => {
    const { state, effects } = replay([exited(1, null), ready(2)], waiting.state);
    expect(effects.map(brief)).toContain('promote>2 lease 2');
    expect(state).toMatchObject({ active: 2, phase: 'running', standby: null, responder: 'off', lease: { holder: 2 } });
    expect(effects.map(brief).at(-1)).toBe('timer standby');
  });

  it('that still boots is promoted when it is warm', () => {
    const booting = replay([standby, greeted(2), exited(1, null)], ready1.state);
    expect(booting.state).toMatchObject({ candidate: 2, standby: null, phase: 'starting' });
    expect(replay([warm(2)], booting.state).effects.map(brief)).toEqual(['promote>2 lease 2']);
  });

  it('takes over from a silent worker too', () => {
    const { state, effects } = replay([suspect(1), ready(2)], waiting.state);
    expect(effects.map(brief)).toContain('promote>2 lease null');
    expect(state).toMatchObject({ active: 2, lease: { holder: 1 } });
  });

  it('is replaced by a restart, since it booted with the old configuration', () => {
    const again: SupervisorEvent = { t: 'restart.requested', reason: 'x', isForced: false, settings: withStandby };
    const { state, effects } = replay([again, greeted(3), ready(3)], waiting.state);
    expect(effects.map(brief)).toContain('kill>2');
    expect(replay([exited(2, null)], state).state).toMatchObject({ active: 3, standby: null, crashes: 0 });
  });

  it.each([
    ['in which the old worker dies', withStandby, [exited(1, null), greeted(3), ready(3)]],
    ['in place', { ...withStandby, isInPlace: true }, [ready(1)]],
  ])('is replaced by a restart %s, too', (_which, changed, events) => {
    const again: SupervisorEvent = { t: 'restart.requested', reason: 'x', isForced: false, settings: changed };
    const { state, effects } = replay([again, ...events], waiting.state);
    expect(state.standby).toBeNull();
    expect(effects.map(brief)).toContain('kill>2');
  });

  it('that dies is tried again after half a minute and counts as no crash', () => {
    const { state, effects } = replay([exited(2)], waiting.state);
    expect(effects).toContainEqual({ t: 'timer.set', timer: { t: 'standby' }, ms: 30_000 });
    expect(state).toMatchObject({ phase: 'running', crashes: 0 });
  });

  it('is not used in safe mode', () => {
    const crashes = { ...waiting.state, crashTimes: [0, 0, 0, 0] };
    const { effects } = replay([exited(1)], crashes);
    expect(forkTexts(effects)).toEqual(['fork>3 safe']);
  });

  it('is killed by a stop', () => {
    expect(replay([stop], waiting.state).effects.map(brief)).toContain('kill>2');
  });
});

describe('a restart in place', () => {
  const inPlace = { ...settings, isInPlace: true };
  const again: SupervisorEvent = { t: 'restart.requested', reason: 'x', isForced: false, settings: inPlace };
  const rebuilding = replay([again], replay([{ t: 'start', settings: inPlace }, greeted(1), ready(1)]).state);

  it('forks nothing and keeps the lease', () => {
    expect(rebuilding.effects.map(brief)).toEqual(['=restarting', 'rebuild>1', 'timer ready-deadline']);
    const { state, effects } = replay([ready(1)], rebuilding.state);
    expect(state).toMatchObject({ active: 1, candidate: null, phase: 'running', lease: { epoch: 1, holder: 1 } });
    expect(effects.map(brief)).toEqual(['activated>1', 'timer healthy', '=running']);
  });

  it('that the worker refuses changes nothing', () => {
    const no: SupervisorEvent = { t: 'worker.rebuild-refused', generation: 1, message: 'bad port' };
    const { state } = replay([no], rebuilding.state);
    expect(state).toMatchObject({ active: 1, candidate: null, phase: 'running', restartFailure: 'bad port' });
  });

  it('in which the worker dies is a crash like any other', () => {
    const { state, effects } = replay([exited(1)], rebuilding.state);
    expect(forkTexts(effects)).toEqual(['fork>2']);
    expect(state).toMatchObject({ active: null, candidate: 2, crashes: 1 });
  });
});

describe('while no worker can serve', () => {
  const due: SupervisorEvent = { t: 'timer.fired', timer: { t: 'responder' } };

  it('callers are told so after a second, until one can', () => {
    const without = replay([exited(1), due], replay(WAY_TO.running).state);
    expect(without.effects.map(brief)).toContain('responder.start');
    const { state, effects } = replay([greeted(2), ready(2)], without.state);
    expect(effects.map(brief)).toContain('responder.stop');
    expect(state.responder).toBe('off');
  });

  it('for less than a second, they just wait', () => {
    const { effects } = replay([exited(1), greeted(2), ready(2), due], replay(WAY_TO.running).state);
    expect(effects.map(brief)).not.toContain('responder.start');
  });

  it('a stop ends the answers', () => {
    const { effects } = replay([exited(1), due, stop], replay(WAY_TO.running).state);
    expect(effects.map(brief)).toContain('responder.stop');
  });
});

describe('a forced restart', () => {
  it('gives the turns of the old worker no time', () => {
    const forced: SupervisorEvent = { t: 'restart.requested', reason: 'x', isForced: true, settings };
    const { effects } = replay([forced, greeted(2), ready(2)], replay(WAY_TO.running).state);
    const message = { t: 'worker.drain', mode: 'replace', requestsMs: 5_000, turnsMs: 0 };
    expect(effects).toContainEqual({ t: 'send', generation: 1, message });
    expect(effects).toContainEqual({ t: 'timer.set', timer: { t: 'drain-deadline', generation: 1 }, ms: 6_000 });
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
    expect(effects.map(brief)).toEqual(['kill>1', 'timer give-up', 'log info', '=stopped', `finish ${code}`]);
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

function forkTexts(effects: readonly SupervisorEffect[]): string[] {
  return effects.filter(({ t }) => t === 'fork').map(brief);
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
    generation.map((value) => suspect(value)),
    generation.map((value) => hung(value)),
    generation.map(warm),
    fc.constant<SupervisorEvent>({ t: 'timer.fired', timer: { t: 'standby' } }),
    fc.constant<SupervisorEvent>({ t: 'restart.requested', reason: 'x', isForced: true, settings: eager }),
    generation.map((value): SupervisorEvent => ({ t: 'worker.rebuild-refused', generation: value, message: 'no' })),
    generation.map(
      (value): SupervisorEvent => ({ t: 'timer.fired', timer: { t: 'ready-deadline', generation: value } }),
    ),
  );
}

/** Everything on that makes orders of events possible. */
const eager = { hasStandby: true, crashLimit: 3, isInPlace: false };

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
    if (effect.t === 'promote' && effect.leaseEpoch !== null) grant(effect.generation, effect.leaseEpoch);
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
