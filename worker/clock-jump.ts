import { monotonicMs } from '../lib/monotonic.ts';

/** The two clocks, in milliseconds, and how often they are compared. */
export type Clocks = { now?: () => number; monotonic?: () => number; everyMs?: number };

export type WatchOptions = Clocks & {
  /**
   * Called once per jump with its size in milliseconds: how far the wall clock moved against the monotonic one (negative when it
   * was set back), or how long this process stood still.
   */
  onJump(ms: number): void;
  thresholdMs?: number;
};

const EVERY_MS = 5_000;
const THRESHOLD_MS = 30_000;

/**
 * Notices that the wall clock jumped (set by hand, or the machine slept) or that this process stood still (SIGSTOP): after either,
 * connections may be dead without a sign (LIVE-3). Returns what ends the watch; the process is not kept alive by it.
 */
export function watchClock(options: WatchOptions): () => void {
  const { onJump, everyMs = EVERY_MS, thresholdMs = THRESHOLD_MS, now = Date.now, monotonic = monotonicMs } = options;
  let lastNow = now();
  let lastMonotonic = monotonic();
  const timer = setInterval(() => {
    const elapsed = monotonic() - lastMonotonic;
    const drift = now() - lastNow - elapsed;
    // The next tick counts from here, so that one jump is told once.
    lastMonotonic += elapsed;
    lastNow += elapsed + drift;
    if (Math.abs(drift) > thresholdMs) onJump(Math.round(drift));
    else if (elapsed > thresholdMs) onJump(Math.round(elapsed));
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}
