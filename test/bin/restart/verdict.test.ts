import { describe, expect, it } from 'vitest';
import { judgeRestart, type Moment } from '../../../bin/restart/verdict.ts';

const before: Moment = {
  ...{ instanceId: 'a', pid: 1, workerPid: 10, phase: 'running', since: 't0' },
  ...{ active: 4, newest: 4, restartFailure: null, lastExit: null },
};
const judge = (change: Partial<Moment>, change0: Partial<Moment> = {}) =>
  judgeRestart({ ...before, ...change0, ...change }, { ...before, ...change0 });

describe('a restart', () => {
  it('is waited for while nothing has changed, or the new worker boots', () => {
    expect(judge({})).toEqual({ t: 'waiting' });
    expect(judge({ phase: 'restarting', since: 't1' })).toEqual({ t: 'waiting' });
    expect(judge({ phase: 'restarting', since: 't1', newest: 5 })).toEqual({ t: 'waiting' });
  });

  it('has come about when a newer worker serves', () => {
    expect(judge({ active: 5, workerPid: 11, since: 't2' })).toEqual({ t: 'serving' });
    expect(judge({ active: 5, workerPid: null, since: 't2' })).toEqual({ t: 'serving' });
  });

  it('is not done by a worker that was on its way before it was asked for', () => {
    const booting = { newest: 5, phase: 'restarting' };
    expect(judge({ phase: 'running', active: 5, since: 't1', workerPid: 11 }, booting)).toEqual({ t: 'waiting' });
    expect(judge({ phase: 'running', active: 6, since: 't3', workerPid: 12 }, booting)).toEqual({ t: 'serving' });
  });

  it('has failed when the old worker serves again, for the reason that is given', () => {
    const failed = { since: 't2', restartFailure: 'bad port' };
    expect(judge(failed)).toEqual({ t: 'failed', reason: 'bad port', isServing: true });
  });

  it('has failed again, for the same reason as the one before', () => {
    const earlier = { restartFailure: 'bad port' };
    expect(judge({}, earlier)).toEqual({ t: 'waiting' });
    expect(judge({ phase: 'restarting', since: 't1' }, earlier)).toEqual({ t: 'waiting' });
    expect(judge({ since: 't2' }, earlier)).toMatchObject({ t: 'failed', reason: 'bad port' });
  });

  it('in place has come about when the same worker serves again and nothing failed', () => {
    expect(judge({ phase: 'restarting', since: 't1' })).toEqual({ t: 'waiting' });
    expect(judge({ since: 't2' })).toEqual({ t: 'serving' });
  });

  it('out of safe mode has failed when the new worker is in safe mode too', () => {
    const safe = { phase: 'safe-mode' };
    const lastExit = { generation: 5, reason: 'exit code 1' };
    expect(judge({ active: 6, newest: 6, workerPid: 12, since: 't3', lastExit }, safe)).toEqual({
      ...{ t: 'failed', isServing: true, reason: 'safe mode (exit code 1)' },
    });
  });

  it('out of backoff has failed when the worker that it started is gone, and not because of the ones before', () => {
    const down = { phase: 'backoff', active: null, workerPid: null, lastExit: { generation: 4, reason: 'old' } };
    expect(judge({}, down)).toEqual({ t: 'waiting' });
    expect(judge({ phase: 'starting', since: 't1' }, down)).toEqual({ t: 'waiting' });
    const lastExit = { generation: 5, reason: 'exit code 1' };
    expect(judge({ since: 't2', newest: 5, lastExit }, down)).toEqual({
      ...{ t: 'failed', reason: 'exit code 1', isServing: false },
    });
  });

  it('of a gateway that has been replaced cannot come any more', () => {
    expect(judge({ instanceId: 'b', active: 9 })).toEqual({ t: 'other', instanceId: 'b' });
  });

  it('is seen on the port alone when there is no control socket', () => {
    const mute = { since: null };
    expect(judge({}, mute)).toEqual({ t: 'waiting' });
    expect(judge({ active: 5, newest: 5 }, mute)).toEqual({ t: 'waiting' });
    expect(judge({ active: 5, newest: 5, workerPid: 11 }, mute)).toEqual({ t: 'serving' });
  });
});
