import { describe, expect, it } from 'vitest';
import type { Sample } from './sample.ts';
import { countFailures, countFailuresOfKills, describeReasons, longestGapMs, msUntilServed } from './tally.ts';

/** A request on a new connection from one moment to another, unless told otherwise. */
function sample(startedAt: number, endedAt: number, rest: Partial<Sample> = {}): Sample {
  return { startedAt, endedAt, openedAt: startedAt, outcome: 'ok', reason: '', ...rest };
}

const reset = { outcome: 'failed', reason: 'ECONNRESET' } as const;
const refused = { outcome: 'refused', reason: 'ECONNREFUSED' } as const;

describe('countFailures', () => {
  it('counts a refused connection as a failed request too', () => {
    expect(countFailures([sample(0, 1), sample(1, 2, reset), sample(2, 3, refused)])).toEqual({
      total: 3,
      refused: 1,
      failed: 2,
    });
  });
});

describe('countFailuresOfKills', () => {
  const kills = [100, 200];

  it('calls a failure in flight when the kill came between request and end', () => {
    expect(countFailuresOfKills([sample(95, 110, reset), sample(199, 200, reset)], kills)).toMatchObject({
      inFlight: 2,
      onDeadConnection: 0,
      sentAfter: 0,
    });
  });

  it('tells a request on a connection to the dead process from one on a new connection', () => {
    const onKept = sample(210, 212, { ...reset, openedAt: 150 });
    const onNew = sample(210, 212, reset);
    expect(countFailuresOfKills([onKept, onNew], kills)).toMatchObject({
      inFlight: 0,
      onDeadConnection: 1,
      sentAfter: 1,
    });
  });

  it('does not excuse a failure on a connection that was begun after the last kill', () => {
    const later = sample(150, 160, { ...reset, openedAt: 120 });
    expect(countFailuresOfKills([later], kills)).toMatchObject({ onDeadConnection: 0, sentAfter: 1 });
  });

  it('counts each failure once and leaves answers alone', () => {
    const samples = [sample(95, 110), sample(95, 210, reset), sample(101, 102, refused)];
    const tally = countFailuresOfKills(samples, kills);
    expect(tally).toEqual({ total: 3, refused: 1, failed: 2, inFlight: 1, onDeadConnection: 0, sentAfter: 1 });
  });
});

describe('longestGapMs', () => {
  it('looks at answers in the order in which they came, and at successful ones only', () => {
    expect(longestGapMs([sample(0, 50), sample(1, 10), sample(20, 30, reset), sample(60, 65)])).toBe(40);
  });

  it('is nothing without answers', () => {
    expect(longestGapMs([sample(0, 1, reset)])).toBe(0);
  });
});

describe('msUntilServed', () => {
  it('takes the first answer on a connection that was begun after the moment', () => {
    const samples = [sample(90, 105), sample(110, 190), sample(120, 180), sample(115, 116, refused)];
    expect(msUntilServed(samples, 100)).toBe(80);
  });

  it('is undefined while nobody has answered', () => {
    expect(msUntilServed([sample(90, 105), sample(110, 111, refused)], 100)).toBeUndefined();
  });
});

describe('describeReasons', () => {
  it('names the most frequent first', () => {
    expect(describeReasons([sample(0, 1, refused), sample(0, 1, reset), sample(0, 1, reset), sample(0, 1)])).toBe(
      'ECONNRESET 2, ECONNREFUSED 1',
    );
  });
});
