import { describe, expect, it } from 'vitest';
import { createRuns } from '../../../worker/agent/runs.ts';

describe('a run', () => {
  it('can be followed by several, before it has begun, and settles for all of them', async () => {
    const runs = createRuns();
    const events: string[] = [];
    const watches = [runs.watch('r', (event) => events.push(event.type)), runs.watch('r')];
    runs.emit('r', { type: 'token', content: 'a' });
    runs.emit('other', { type: 'token', content: 'b' });
    runs.settle('r', { status: 'ok', reply: 'a' });
    expect(await Promise.all(watches.map(({ done }) => done))).toEqual([
      { status: 'ok', reply: 'a' },
      { status: 'ok', reply: 'a' },
    ]);
    expect(events).toEqual(['token']);
  });

  it('tells nothing more to one who stopped following', () => {
    const runs = createRuns();
    const events: string[] = [];
    const watch = runs.watch('r', (event) => events.push(event.type));
    watch.stop();
    watch.stop();
    runs.emit('r', { type: 'token', content: 'a' });
    expect(events).toEqual([]);
  });

  it('is not disturbed by a late stop of one who followed an earlier run of that name', () => {
    const runs = createRuns();
    const early = runs.watch('r');
    runs.settle('r', { status: 'ok', reply: '' });
    const events: string[] = [];
    runs.watch('r', (event) => events.push(event.type));
    early.stop();
    runs.emit('r', { type: 'token', content: 'a' });
    expect(events).toEqual(['token']);
  });

  it('is aborted by its id or its session while it is active', () => {
    const runs = createRuns();
    const signals = [runs.begin('r1', 's1'), runs.begin('r2', 's2')];
    expect(runs.active).toBe(2);
    expect(runs.abort({ runId: 'r1' })).toBe(true);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    expect(runs.abort({ sessionKey: 's2' })).toBe(true);
    expect(signals[1]?.aborted).toBe(true);
    runs.end('r1');
    runs.end('r2');
    expect(runs.abort({ runId: 'r1' })).toBe(false);
    expect(runs.abort({ sessionKey: 's2' })).toBe(false);
    expect(runs.active).toBe(0);
  });

  it('is aborted with all others when the worker ends', () => {
    const runs = createRuns();
    const signals = [runs.begin('r1', 's1'), runs.begin('r2', 's2')];
    runs.abortAll();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
  });
});
