import { networkOf } from '../../lib/ip-range.ts';
import type { Context } from './state.ts';

/** Counts wrong credentials (RATE-1, RATE-2, RATE-3). Times in milliseconds. */
export type FailureLimiter = {
  /** How much longer a bucket is blocked; 0 when it is not. */
  blockedMs(bucket: string): number;
  /** Counts one wrong credential. A bucket that is blocked already is not blocked for longer. */
  fail(bucket: string): void;
  /** Forgets what was counted. */
  clear(bucket: string): void;
  readonly size: number;
};

export type FailureLimits = { enabled: boolean; maxAttempts: number; windowMs: number; blockDurationMs: number };

/** A table that a stranger could fill without end would be a way to take our memory. */
const MAX_BUCKETS = 10_000;

/** A limiter with a fixed window that begins with the first wrong credential (manual "Failed authentication"). */
export function createFailureLimiter(
  { enabled, maxAttempts, windowMs, blockDurationMs }: FailureLimits,
  { now = Date.now, maxBuckets = MAX_BUCKETS }: { now?: () => number; maxBuckets?: number } = {},
): FailureLimiter {
  /** In the order in which they were last changed; each ends by itself. */
  const buckets = new Map<string, { count: number; endsAt: number }>();
  const find = (bucket: string): { count: number; endsAt: number } | undefined => {
    const found = buckets.get(bucket);
    if (found === undefined || found.endsAt > now()) return found;
    buckets.delete(bucket);
    return undefined;
  };
  return {
    blockedMs(bucket) {
      const found = find(bucket);
      return found !== undefined && found.count >= maxAttempts ? found.endsAt - now() : 0;
    },
    fail(bucket) {
      if (!enabled) return;
      const { count, endsAt } = find(bucket) ?? { count: 0, endsAt: now() + windowMs };
      if (count >= maxAttempts) return;
      buckets.delete(bucket);
      const isLast = count + 1 === maxAttempts;
      buckets.set(bucket, { count: count + 1, endsAt: isLast ? now() + blockDurationMs : endsAt });
      if (buckets.size > maxBuckets) dropOldest(buckets);
    },
    clear: (bucket) => void buckets.delete(bucket),
    get size() {
      return buckets.size;
    },
  };
}

function dropOldest(buckets: Map<string, unknown>): void {
  const [oldest] = buckets.keys();
  if (oldest !== undefined) buckets.delete(oldest);
}

/**
 * The bucket in which a request's wrong credential counts: by network of the client; what a browser sends is counted apart, and so
 * is what a proxy relays that nobody declared, for it may be anybody.
 */
export function bucketOf({ headers, state }: Pick<Context, 'headers' | 'state'>): string {
  const { address, via } = state.client;
  const isBrowser = headers.origin !== undefined || headers['sec-fetch-site'] !== undefined;
  return `${via === 'unknown-proxy' ? 'relayed' : 'own'}|${isBrowser ? 'browser' : 'program'}|${networkOf(address)}`;
}
