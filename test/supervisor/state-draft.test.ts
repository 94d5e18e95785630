import { describe, expect, it } from 'vitest';
import {
  type Draft,
  findWorker,
  forkCandidate,
  forkStandby,
  kill,
  moveTo,
  openDraft,
  promote,
  servingPhase,
  stopResponder,
  takeLease,
  useStandby,
} from '../../supervisor/state-draft.ts';
import { initialState, type SupervisorState, type WorkerSlot } from '../../supervisor/state-model.ts';
import { brief } from './state-replay.ts';

describe('a draft', () => {
  it('is a copy in depth: what happens to it does not happen to the state that was given', () => {
    const state = stateOf({ workers: [slotOf(1)], crashTimes: [1] });
    const before = structuredClone(state);
    const { state: copy } = openDraft(state, 5);
    findWorkerOf(copy, 1).stage = 'draining';
    copy.crashTimes.push(2);
    copy.lease.epoch = 9;
    expect(state).toEqual(before);
  });
});

describe('a change of the phase', () => {
  it('is one effect with both phases and the reason', () => {
    const draft = draftOf();
    moveTo(draft, 'running', 'worker 1 is ready');
    expect(draft.state.phase).toBe('running');
    expect(draft.effects).toEqual([{ t: 'transition', from: 'starting', to: 'running', reason: 'worker 1 is ready' }]);
  });

  it('to the same phase is none', () => {
    const draft = draftOf();
    moveTo(draft, 'starting', 'again');
    expect(draft.effects).toEqual([]);
  });

  it('goes to safe mode with a worker that is in it', () => {
    expect(servingPhase(slotOf(1, { role: 'safe' }))).toBe('safe-mode');
    expect(servingPhase(slotOf(1))).toBe('running');
  });
});

describe('forking', () => {
  it('a candidate gives it the next generation and a limit to get ready', () => {
    const draft = draftOf({ nextGeneration: 4 }, 77);
    forkCandidate(draft);
    expect(draft.effects.map(brief)).toEqual(['fork>4', 'timer ready-deadline']);
    expect(draft.state).toMatchObject({
      ...{ candidate: 4, nextGeneration: 5, lastForkAt: 77 },
      workers: [{ generation: 4, stage: 'forked', role: 'serve', failure: null, isHung: false }],
    });
  });

  it('a candidate in safe mode gives it that role', () => {
    const draft = draftOf({ isSafe: true });
    forkCandidate(draft);
    expect(draft.effects[0]).toEqual({ t: 'fork', generation: 1, role: 'safe' });
  });

  it('a standby gives it no limit: nobody waits for it', () => {
    const draft = draftOf();
    forkStandby(draft);
    expect(draft.effects).toEqual([{ t: 'fork', generation: 1, role: 'standby' }]);
    expect(draft.state).toMatchObject({ standby: 1, candidate: null });
  });
});

describe('a standby', () => {
  it('that is warm is promoted at once, with the lease if that is free', () => {
    const draft = draftOf({ standby: 2, workers: [slotOf(2, { role: 'standby', stage: 'warm' })] });
    expect(useStandby(draft)).toBe(true);
    expect(draft.effects.map(brief)).toEqual(['timer ready-deadline', 'promote>2 lease 1']);
    expect(draft.state).toMatchObject({ standby: null, candidate: 2, lease: { epoch: 1, holder: 2 } });
    expect(findWorkerOf(draft.state, 2)).toMatchObject({ role: 'serve', stage: 'booting' });
  });

  it('is promoted without the lease while another worker has it', () => {
    const workers = [slotOf(1), slotOf(2, { role: 'standby', stage: 'warm' })];
    const draft = draftOf({ standby: 2, workers, lease: { epoch: 3, holder: 1 } });
    useStandby(draft);
    expect(draft.effects.map(brief)).toContain('promote>2 lease null');
    expect(draft.state.lease).toEqual({ epoch: 3, holder: 1 });
  });

  it('that still boots becomes the candidate and is promoted later', () => {
    const draft = draftOf({ standby: 2, workers: [slotOf(2, { role: 'standby', stage: 'booting' })] });
    expect(useStandby(draft)).toBe(true);
    expect(draft.effects.map(brief)).toEqual(['timer ready-deadline']);
    expect(draft.state).toMatchObject({ standby: null, candidate: 2 });
  });

  it('is not used when there is none, nor in safe mode: it has all parts on', () => {
    const none = draftOf();
    expect(useStandby(none)).toBe(false);
    const safe = draftOf({ isSafe: true, standby: 2, workers: [slotOf(2, { role: 'standby', stage: 'warm' })] });
    expect(useStandby(safe)).toBe(false);
    expect([none.effects, safe.effects, safe.state.standby]).toEqual([[], [], 2]);
  });

  it('that is gone is not promoted', () => {
    const draft = draftOf();
    promote(draft, 9);
    expect(draft.effects).toEqual([]);
    expect(draft.state.lease).toEqual({ epoch: 0, holder: null });
  });
});

describe('the lease', () => {
  it('is given under a new number each time, and only when nobody has it', () => {
    const state = stateOf({});
    expect(takeLease(state, 1)).toBe(1);
    expect(takeLease(state, 2)).toBeNull();
    expect(takeLease(state, 1)).toBeNull();
    state.lease.holder = null;
    expect(takeLease(state, 2)).toBe(2);
    expect(state.lease).toEqual({ epoch: 2, holder: 2 });
  });
});

describe('the responder', () => {
  it.each([
    ['on', ['responder.stop']],
    ['due', []],
    ['off', []],
  ] as const)('that is %s is stopped as far as there is something to stop', (responder, effects) => {
    const draft = draftOf({ responder });
    stopResponder(draft);
    expect(draft.effects.map(brief)).toEqual(effects);
    expect(draft.state.responder).toBe('off');
  });
});

describe('a kill', () => {
  it('is for a worker that is there, and leaves its slot until it has ended', () => {
    const draft = draftOf({ workers: [slotOf(1)] });
    kill(draft, 1, 'why');
    kill(draft, 2, 'why');
    expect(draft.effects).toEqual([{ t: 'kill', generation: 1, reason: 'why' }]);
    expect(findWorker(draft.state, 1)).toBeDefined();
  });
});

function stateOf(change: Partial<SupervisorState>): SupervisorState {
  return { ...initialState(), ...change };
}

function draftOf(change: Partial<SupervisorState> = {}, now = 0): Draft {
  return openDraft(stateOf(change), now);
}

function slotOf(generation: number, change: Partial<WorkerSlot> = {}): WorkerSlot {
  return { generation, stage: 'ready', role: 'serve', failure: null, isHung: false, ...change };
}

function findWorkerOf(state: SupervisorState, generation: number): WorkerSlot {
  const worker = findWorker(state, generation);
  if (worker === undefined) throw new Error(`Worker ${generation} is not there`);
  return worker;
}
