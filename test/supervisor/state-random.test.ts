import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SupervisorState } from '../../supervisor/state-model.ts';
import { World } from './state-world.ts';

/** Any order of events that the world can bring about, and what must hold in each state on the way. */

const settings = fc.record({
  hasStandby: fc.boolean(),
  crashLimit: fc.constantFrom(0, 2, 5),
  isInPlace: fc.boolean(),
});
/** Each number picks one of the things that can happen at that moment; the world behaves two times out of three. */
const choices = fc.array(fc.nat(9_999), { maxLength: 80, size: 'max' });
const RUNS = 2_000;
const MANY_STEPS = 2_000;

describe('whatever happens', () => {
  it('the state makes sense, and the lease has one holder', () => {
    fc.assert(
      fc.property(settings, choices, fc.boolean(), (given, picks, mayStop) => {
        const world = new World(given);
        for (const pick of picks) {
          step(world, pick, mayStop);
          expect([...world.faults, ...findNonsense(world)]).toEqual([]);
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('the gateway is well again once the world behaves, or has ended for a reason', () => {
    fc.assert(
      fc.property(settings, choices, (given, picks) => {
        const world = new World(given);
        for (const pick of picks) step(world, pick, false);
        behave(world, () => isWell(world) || world.finishedWith !== null);
        expect(world.faults).toEqual([]);
        if (world.finishedWith !== null) expect([78, 69]).toContain(world.finishedWith);
        else expect(describeEnd(world)).toBe('well');
      }),
      { numRuns: RUNS },
    );
  });

  it('a stop ends it within the time it is given, though nobody obeys', () => {
    fc.assert(
      fc.property(settings, choices, (given, picks) => {
        const world = new World(given);
        for (const pick of picks) step(world, pick, false);
        if (world.finishedWith !== null) return;
        const stoppedAt = world.now;
        world.apply(world.stop());
        resist(world);
        expect(world.faults).toEqual([]);
        expect(world.finishedWith).not.toBeNull();
        expect(world.now - stoppedAt).toBeLessThanOrEqual(26_000);
      }),
      { numRuns: RUNS },
    );
  });
});

/** One of the things that may happen, most often what should. */
function step(world: World, pick: number, mayStop: boolean): void {
  if (world.finishedWith !== null) return;
  const timer = world.nextTimer();
  const duties = [...world.duties(), ...(timer === undefined ? [] : [timer])];
  const accidents = mayStop ? [...world.accidents(), world.stop()] : world.accidents();
  const from = pick % 3 === 0 || duties.length === 0 ? accidents : duties;
  const next = from[Math.floor(pick / 3) % from.length];
  if (next !== undefined) world.apply(next);
}

/** Everybody does what he should, and time passes. */
function behave(world: World, isDone: () => boolean): void {
  for (let count = 0; count < MANY_STEPS && !isDone(); count += 1) {
    const next = world.duties()[0] ?? world.nextTimer();
    if (next === undefined) return;
    world.apply(next);
  }
}

/** Nobody does anything until he is killed. */
function resist(world: World): void {
  for (let count = 0; count < MANY_STEPS && world.finishedWith === null; count += 1) {
    const killed = world.duties().find(({ name }) => name.startsWith('end ') && world.isKilled(Number(name.slice(4))));
    const next = killed ?? world.nextTimer();
    if (next === undefined) return;
    world.apply(next);
  }
}

function isWell(world: World): boolean {
  return describeEnd(world) === 'well';
}

function describeEnd({ state, hasResponder, history }: World): string {
  const { active, candidate, queued, lease, phase, workers } = state;
  const isServing = phase === 'running' || phase === 'safe-mode';
  const isAtRest = workers.every(({ stage }) => stage !== 'draining') && candidate === null && queued === null;
  if (isServing && isAtRest && active !== null && lease.holder === active && !hasResponder) return 'well';
  return `${JSON.stringify(state)} after ${history.slice(-30).join(', ')}`;
}

/** What contradicts itself in a state. */
function findNonsense(world: World): string[] {
  const { state } = world;
  const faults = [...findStrangers(state), ...findWrongPhase(world), ...findForgotten(world)];
  return faults.map((fault) => `${fault}: ${JSON.stringify(state)} after ${world.history.slice(-12).join(', ')}`);
}

/** Every role is played by a worker that lives, and each worker has one. */
function findStrangers({ workers, active, candidate, standby, lease, outcome }: SupervisorState): string[] {
  const alive = new Set(workers.map(({ generation }) => generation));
  const roles = { active, candidate, standby, holder: lease.holder };
  const faults = Object.entries(roles)
    .filter(([, generation]) => generation !== null && !alive.has(generation))
    .map(([name]) => `${name} is gone`);
  if (standby !== null && (standby === active || standby === candidate)) faults.push('the standby serves');
  if (outcome !== null) return faults;
  for (const { generation, stage } of workers) {
    const hasRole = [active, candidate, standby].includes(generation);
    if (hasRole === (stage === 'draining')) faults.push(`worker ${generation} is ${stage}`);
  }
  return faults;
}

function findWrongPhase(world: World): string[] {
  const { phase, active, candidate, workers, outcome } = world.state;
  const role = workers.find(({ generation }) => generation === active)?.role;
  switch (phase) {
    case 'starting':
      return active === null && candidate !== null ? [] : ['not starting'];
    case 'running':
      return active !== null && candidate === null && role === 'serve' ? [] : ['not running'];
    case 'safe-mode':
      return active !== null && candidate === null && role === 'safe' ? [] : ['not in safe mode'];
    case 'restarting':
      return active !== null && candidate !== null ? [] : ['not restarting'];
    case 'backoff':
      return active === null && candidate === null && world.hasTimer('respawn') ? [] : ['no way out of backoff'];
    case 'draining': {
      const hasEnd =
        world.hasTimer('stop-deadline') ||
        world.hasTimer('give-up') ||
        workers.every(({ generation }) => world.isKilled(generation));
      return outcome !== null && workers.length > 0 && hasEnd ? [] : ['no end of draining'];
    }
    case 'stopped':
      return outcome !== null && workers.length === 0 ? [] : ['not stopped'];
    default:
      return phase satisfies never;
  }
}

/** Whoever is expected to do something has a limit for it, or has been killed. */
function findForgotten(world: World): string[] {
  const { workers, candidate, active, hasServed, outcome } = world.state;
  if (outcome !== null) return [];
  const faults: string[] = [];
  for (const { generation, stage } of workers) {
    if (world.isKilled(generation)) continue;
    if (stage === 'draining' && !world.hasTimer('drain-deadline', generation))
      faults.push(`${generation} drains for ever`);
    if (generation === candidate && !world.hasTimer('ready-deadline', generation)) {
      faults.push(`${generation} boots for ever`);
    }
  }
  const isAnswering = world.hasResponder || world.hasTimer('responder');
  if (active === null && hasServed && !isAnswering) faults.push('nobody will answer');
  return faults;
}
