import { describe, expect, it } from 'vitest';
import type { Settings, SupervisorEvent, SupervisorState } from '../../supervisor/state-model.ts';
import {
  brief,
  exited,
  greeted,
  hung,
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

const forced: SupervisorEvent = { t: 'restart.requested', reason: 'now', isForced: true, settings };
const respawn: SupervisorEvent = { t: 'timer.fired', timer: { t: 'respawn' } };

describe('a restart', () => {
  it('in backoff is the next try, at once, and the pause that was running means nothing any more', () => {
    const { state, effects } = replay([...WAY_TO.backoff, restart]);
    expect(state).toMatchObject({ phase: 'starting', candidate: 3 });
    expect(effects.map(brief)).toContain('fork>3');
    expect(replay([respawn], state).effects).toEqual([]);
  });

  it('waits until the lease has moved, so that workers never pile up', () => {
    const { state } = replay([...WAY_TO.restarting, ready(2), restart]);
    expect(state).toMatchObject({ phase: 'running', candidate: null, queued: { reason: 'SIGUSR1' } });
    const after = replay([released(1, 1)], state);
    expect(after.effects.map(brief)).toEqual(['lease.grant>2', '=restarting', 'fork>3', 'timer ready-deadline']);
    expect(after.state.queued).toBeNull();
  });

  it('takes the last word on how much time turns have', () => {
    const queued = replay([...WAY_TO.restarting, restart, forced]).state.queued;
    expect(queued).toEqual({ reason: 'now', turnsMs: 0 });
    const patient = replay([...WAY_TO.restarting, forced, restart]).state.queued;
    expect(patient).toEqual({ reason: 'SIGUSR1', turnsMs: 300_000 });
  });

  it('that is forced kills the old worker after six seconds, whatever it is doing', () => {
    const { effects } = replay([...WAY_TO.running, forced, greeted(2), ready(2)]);
    expect(effects).toContainEqual({
      ...{ t: 'timer.set', timer: { t: 'drain-deadline', generation: 1 }, ms: 6_000 },
    });
    expect(effects).toContainEqual({
      ...{ t: 'send', generation: 1 },
      message: { t: 'worker.drain', mode: 'replace', requestsMs: 5_000, turnsMs: 0 },
    });
  });

  it('brings new settings into force: a standby may be wanted from now on, or no more', () => {
    const wanted = withSettings({ hasStandby: true });
    const { state } = replay([...WAY_TO.running, wanted, greeted(2), ready(2)]);
    expect(state).toMatchObject({ settings: { hasStandby: true }, isStandbyDue: true });
    const unwanted = replay([released(1, 1), restart, greeted(3), ready(3)], state);
    expect(unwanted.state.settings.hasStandby).toBe(false);
  });

  it('is ignored with a line in the log while the gateway stops, and says nothing after', () => {
    const draining = replay([...WAY_TO.draining, restart]);
    expect(draining.effects.at(-1)).toMatchObject({ t: 'log', level: 'info', fields: { reason: 'SIGUSR1' } });
    expect(draining.state.queued).toBeNull();
    expect(replay([restart], replay(WAY_TO.stopped).state).effects).toEqual([]);
  });

  it('out of safe mode forgets the crashes that led there', () => {
    const { state } = replay([...WAY_TO['safe-mode'], restart]);
    expect(state).toMatchObject({ phase: 'restarting', isSafe: false, crashTimes: [] });
  });
});

describe('a silent worker', () => {
  it('is only written down when another one boots already, or when it is not the one that serves', () => {
    const { state } = replay(WAY_TO.restarting);
    expect(replay([suspect(1)], state).effects.map(brief)).toEqual(['dump>1']);
    expect(replay([suspect(2)], state).effects.map(brief)).toEqual(['dump>2']);
    const replaced = replay([ready(2)], state).state;
    expect(replay([suspect(1)], replaced).effects.map(brief)).toEqual(['dump>1']);
  });

  it('is only written down where a restart happens in its own process: it could not follow', () => {
    const inPlace = replay([{ t: 'start', settings: { ...settings, isInPlace: true } }, greeted(1), ready(1)]).state;
    expect(replay([suspect(1)], inPlace).effects.map(brief)).toEqual(['dump>1']);
    expect(replay([suspect(1)], inPlace).state.phase).toBe('running');
  });

  it('that is gone is no news', () => {
    const { state } = replay([...WAY_TO.running, exited(1)]);
    expect(replay([suspect(1), hung(1)], state).effects).toEqual([]);
  });

  it('is not replaced while the gateway stops, but killed when it hangs', () => {
    const { state } = replay(WAY_TO.draining);
    expect(replay([suspect(1)], state).effects).toEqual([]);
    expect(replay([hung(1)], state).effects.map(brief)).toEqual(['dump>1', 'kill>1']);
  });

  it('is killed with a reason that says for how long it was silent', () => {
    const { effects } = replay([hung(1, 15_400)], replay(WAY_TO.running).state);
    expect(effects).toContainEqual({ t: 'kill', generation: 1, reason: 'hung: its main loop was silent for 15 s' });
  });
});

describe('a worker that is too big, or whose port does not answer', () => {
  const reasons: readonly ((generation: number) => SupervisorEvent)[] = [
    (generation) => ({ t: 'worker.bloated', generation, reason: 'worker 1 uses more than 100 MB' }),
    (generation) => ({ t: 'worker.unreachable', generation, reason: 'the port did not answer' }),
  ];

  it.each(reasons)('is replaced when it serves', (event) => {
    expect(replay([event(1)], replay(WAY_TO.running).state).state.phase).toBe('restarting');
  });

  it.each(reasons)('is left to the restart that is under way or asked for', (event) => {
    const booting = replay(WAY_TO.restarting).state;
    expect(replay([event(1)], booting).state.queued).toBeNull();
    const queued = replay([...WAY_TO.restarting, ready(2), restart]).state;
    expect(replay([event(2)], queued).state.queued).toEqual({ reason: 'SIGUSR1', turnsMs: 300_000 });
  });

  it.each(reasons)('is of no interest when it does not serve, or shall end', (event) => {
    const replaced = replay([...WAY_TO.restarting, ready(2)]).state;
    expect(replay([event(1)], replaced).state.queued).toBeNull();
    expect(replay([event(1)], replay(WAY_TO.draining).state).state.queued).toBeNull();
  });
});

describe('a restart in place', () => {
  const inPlace: Settings = { ...settings, isInPlace: true };
  const running = replay([{ t: 'start', settings: inPlace }, greeted(1), ready(1)]).state;
  const again = withSettings({ isInPlace: true });
  const refused: SupervisorEvent = { t: 'worker.rebuild-refused', generation: 1, message: 'no' };

  it('gives turns 25 s at most, and the worker 30 s more', () => {
    const { effects } = replay([again], running);
    expect(effects).toContainEqual({ t: 'rebuild', generation: 1, turnsMs: 25_000 });
    expect(effects).toContainEqual({ t: 'timer.set', timer: { t: 'ready-deadline', generation: 1 }, ms: 55_000 });
  });

  it('that is forced gives turns no time', () => {
    const now: SupervisorEvent = { t: 'restart.requested', reason: 'now', isForced: true, settings: inPlace };
    expect(replay([now], running).effects).toContainEqual({ t: 'rebuild', generation: 1, turnsMs: 0 });
  });

  it('whose worker is not ready in time is killed like any other, and is followed by a new process', () => {
    const late: SupervisorEvent = { t: 'timer.fired', timer: { t: 'ready-deadline', generation: 1 } };
    const { effects } = replay([again, late, exited(1, null)], running);
    expect(effects.map(brief)).toContain('kill>1');
    expect(effects.map(brief)).toContain('fork>2');
  });

  it('that the worker refuses after the gateway began to stop does not bring it back', () => {
    const { state, effects } = replay([again, stop, refused], running);
    expect(state).toMatchObject({ phase: 'draining', workers: [{ generation: 1, stage: 'draining' }] });
    expect(effects.map(brief)).not.toContain('=running');
  });

  it('that nobody asked for cannot be refused', () => {
    expect(replay([refused], running)).toEqual({ state: running, effects: [] });
  });
});

describe('a free lease', () => {
  it('belongs to the worker that serves, whoever had it before', () => {
    const { state, effects } = replay([...WAY_TO.restarting, exited(1), ready(2)]);
    expect(state.lease).toEqual({ epoch: 2, holder: 2 });
    expect(effects.map(brief)).toContain('lease.grant>2');
  });

  it('is not granted while the gateway stops', () => {
    const { state, effects } = replay([...WAY_TO.restarting, ready(2), stop, released(1, 1)]);
    expect(state.lease.holder).toBeNull();
    expect(effects.map(brief)).not.toContain('lease.grant>2');
  });

  it('is not taken from a worker that serves and says by mistake that it gave it up', () => {
    const running = replay(WAY_TO.running).state;
    expect(replay([released(1, 1)], running)).toEqual({ state: running, effects: [] });
  });
});

describe('a standby', () => {
  const due: SupervisorEvent = { t: 'timer.fired', timer: { t: 'standby' } };
  const wanting: Settings = { ...settings, hasStandby: true };
  const running = replay([{ t: 'start', settings: wanting }, greeted(1), ready(1)]).state;

  it('is not forked while a restart is under way, but after it', () => {
    const booting = replay([withSettings({ hasStandby: true })], running).state;
    const skipped = replay([due], booting);
    expect(skipped.state.standby).toBeNull();
    const settled = replay([greeted(2), ready(2)], skipped.state);
    expect(settled.effects.map(brief)).toContain('timer standby');
    expect(replay([due], settled.state).state.standby).toBe(3);
  });

  it('that is silent is written down and killed when it hangs; the one that serves is not touched', () => {
    const { state } = replay([due, greeted(2), warm(2)], running);
    const { effects, state: after } = replay([suspect(2), hung(2)], state);
    expect(effects.map(brief)).toEqual(['dump>2', 'dump>2', 'kill>2']);
    expect(after).toMatchObject({ phase: 'running', active: 1 });
  });
});

function withSettings(change: Partial<SupervisorState['settings']>): SupervisorEvent {
  return { t: 'restart.requested', reason: 'SIGUSR1', isForced: false, settings: { ...settings, ...change } };
}

describe('the start', () => {
  it('happens once', () => {
    const { state } = replay([start]);
    expect(replay([start], state)).toEqual({ state, effects: [] });
  });
});
