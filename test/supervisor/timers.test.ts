import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Timer } from '../../supervisor/state-model.ts';
import { Timers } from '../../supervisor/timers.ts';
import { until } from './running-supervisor.ts';

function openTimers(): { timers: Timers; fired: Timer[] } {
  const fired: Timer[] = [];
  const timers = new Timers((timer) => fired.push(timer));
  onTestFinished(() => timers.clear());
  return { timers, fired };
}

describe('a timer', () => {
  it('fires once, with what it was set for, and not early', async () => {
    const { timers, fired } = openTimers();
    const startedAt = performance.now();
    timers.set({ t: 'standby' }, 30);
    await until(() => fired.length > 0, 'it fires');
    expect(performance.now() - startedAt).toBeGreaterThan(28);
    await sleep(60);
    expect(fired).toEqual([{ t: 'standby' }]);
  });

  it('set again takes the place of the first one', async () => {
    const { timers, fired } = openTimers();
    timers.set({ t: 'responder' }, 5);
    timers.set({ t: 'responder' }, 60);
    await sleep(30);
    expect(fired).toEqual([]);
    await until(() => fired.length === 1, 'it fires');
  });

  it('of another generation is another timer', async () => {
    const { timers, fired } = openTimers();
    timers.set({ t: 'healthy', generation: 1 }, 5);
    timers.set({ t: 'healthy', generation: 2 }, 5);
    await until(() => fired.length === 2, 'both fire');
    expect(fired).toEqual([
      { t: 'healthy', generation: 1 },
      { t: 'healthy', generation: 2 },
    ]);
  });

  it('of another kind is another timer, for the same generation too', async () => {
    const { timers, fired } = openTimers();
    timers.set({ t: 'release-deadline', generation: 1 }, 5);
    timers.set({ t: 'drain-deadline', generation: 1 }, 5);
    await until(() => fired.length === 2, 'both fire');
  });

  it('may be set anew while it fires', async () => {
    const fired: Timer[] = [];
    const timers = new Timers((timer) => {
      fired.push(timer);
      if (fired.length < 3) timers.set(timer, 1);
    });
    timers.set({ t: 'standby' }, 1);
    await until(() => fired.length === 3, 'it fires three times');
  });
});

describe('clearing', () => {
  it('one generation forgets its timers and no others', async () => {
    const { timers, fired } = openTimers();
    timers.set({ t: 'healthy', generation: 1 }, 10);
    timers.set({ t: 'ready-deadline', generation: 1 }, 10);
    timers.set({ t: 'healthy', generation: 11 }, 10);
    timers.set({ t: 'stop-deadline' }, 10);
    timers.clear(1);
    await until(() => fired.length === 2, 'the others fire');
    await sleep(20);
    expect(fired).toEqual([{ t: 'healthy', generation: 11 }, { t: 'stop-deadline' }]);
  });

  it('all of them forgets all, and new ones may follow', async () => {
    const { timers, fired } = openTimers();
    timers.set({ t: 'respawn' }, 5);
    timers.set({ t: 'healthy', generation: 1 }, 5);
    timers.clear();
    await sleep(30);
    expect(fired).toEqual([]);
    timers.set({ t: 'standby' }, 1);
    await until(() => fired.length === 1, 'the new one fires');
  });

  it('what has fired or was never set does no harm', () => {
    const { timers } = openTimers();
    timers.clear(7);
    timers.clear();
    timers.clear();
  });
});

describe('the pause before the next try', () => {
  it('is spread by a fifth, so that several gateways do not start in step', async () => {
    const delays: number[] = [];
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        const startedAt = performance.now();
        await new Promise<void>((resolve) => new Timers(() => resolve()).set({ t: 'respawn' }, 200));
        delays.push(performance.now() - startedAt);
      }),
    );
    expect(Math.min(...delays)).toBeGreaterThan(158);
    expect(Math.max(...delays) - Math.min(...delays)).toBeGreaterThan(5);
  });
});
