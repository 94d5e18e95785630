import { describe, expect, it } from 'vitest';
import { bucketOf, createFailureLimiter, type FailureLimiter } from '../../../worker/middleware/rate-limit.ts';
import type { Client } from '../../../worker/middleware/state.ts';

const LIMITS = { enabled: true, maxAttempts: 3, windowMs: 1_000, blockDurationMs: 5_000 };

function createClocked(limits = LIMITS, maxBuckets?: number): { limiter: FailureLimiter; pass(ms: number): void } {
  let time = 1_000_000;
  const options = { now: () => time, ...(maxBuckets === undefined ? {} : { maxBuckets }) };
  return {
    limiter: createFailureLimiter(limits, options),
    pass(ms) {
      time += ms;
    },
  };
}

function failTimes(limiter: FailureLimiter, bucket: string, times: number): void {
  for (let count = 0; count < times; count += 1) limiter.fail(bucket);
}

describe('the limiter', () => {
  it('blocks a bucket for its time once it has failed too often, and no other', () => {
    const { limiter, pass } = createClocked();
    failTimes(limiter, 'a', 2);
    expect(limiter.blockedMs('a')).toBe(0);
    limiter.fail('a');
    expect([limiter.blockedMs('a'), limiter.blockedMs('b')]).toEqual([5_000, 0]);
    pass(4_999);
    expect(limiter.blockedMs('a')).toBe(1);
    pass(1);
    expect(limiter.blockedMs('a')).toBe(0);
    failTimes(limiter, 'a', 2);
    expect(limiter.blockedMs('a')).toBe(0);
  });

  it('counts within a window that begins with the first failure', () => {
    const { limiter, pass } = createClocked();
    limiter.fail('a');
    pass(900);
    limiter.fail('a');
    pass(100);
    limiter.fail('a');
    expect(limiter.blockedMs('a')).toBe(0);
  });

  it('does not block for longer because somebody goes on trying', () => {
    const { limiter, pass } = createClocked();
    failTimes(limiter, 'a', 3);
    pass(4_000);
    failTimes(limiter, 'a', 100);
    expect(limiter.blockedMs('a')).toBe(1_000);
  });

  it('forgets what is cleared', () => {
    const { limiter } = createClocked();
    failTimes(limiter, 'a', 3);
    limiter.clear('a');
    expect([limiter.blockedMs('a'), limiter.size]).toEqual([0, 0]);
  });

  it('keeps no more buckets than it may, and drops the one that was quiet for longest', () => {
    const { limiter } = createClocked(LIMITS, 100);
    failTimes(limiter, 'first', 2);
    for (let index = 0; index < 99; index += 1) limiter.fail(`b${index}`);
    limiter.fail('first');
    for (let index = 0; index < 99; index += 1) limiter.fail(`c${index}`);
    expect(limiter.size).toBe(100);
    expect(limiter.blockedMs('first')).toBe(5_000);
    limiter.fail('last');
    expect(limiter.blockedMs('first')).toBe(0);
  });

  it('never blocks when it is off', () => {
    const { limiter } = createClocked({ ...LIMITS, enabled: false });
    failTimes(limiter, 'a', 100);
    expect([limiter.blockedMs('a'), limiter.size]).toEqual([0, 0]);
  });
});

describe('the bucket of a request', () => {
  const of = (client: Partial<Client>, headers: Record<string, string> = {}): string => {
    const full: Client = {
      address: '192.0.2.1',
      via: 'direct',
      forwardedProto: undefined,
      forwardedHost: undefined,
      ...client,
    };
    return bucketOf({ headers, state: { client: full } as Parameters<typeof bucketOf>[0]['state'] });
  };

  it('is one for an IPv4 address however it is written (GHSA-5847-rm3g-23mw), and one for the /64 of an IPv6 address', () => {
    expect(of({ address: '::ffff:192.0.2.1' })).toBe(of({}));
    expect(of({ address: '::ffff:c000:201' })).toBe(of({}));
    expect(of({ address: '2001:db8:0:1::1' })).toBe(of({ address: '2001:db8:0:1:ffff:ffff:ffff:ffff' }));
    expect(of({ address: '2001:db8:0:1::1' })).not.toBe(of({ address: '2001:db8:0:2::1' }));
  });

  it('is another one for a browser, and for what an unknown proxy relays', () => {
    const buckets = [
      of({}),
      of({}, { origin: 'http://localhost:5173' }),
      of({ via: 'unknown-proxy' }),
      of({ via: 'unknown-proxy' }, { 'sec-fetch-site': 'same-origin' }),
    ];
    expect(new Set(buckets).size).toBe(4);
    expect(of({}, { 'sec-fetch-site': 'cross-site' })).toBe(of({}, { origin: 'null' }));
    expect(of({ via: 'trusted-proxy' })).toBe(of({}));
  });
});
