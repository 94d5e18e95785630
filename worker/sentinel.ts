import { Worker } from 'node:worker_threads';

export type SentinelOptions = {
  /** The program of the thread. */
  thread: URL;
  /** How long the main loop may be silent before its stack is written to standard error. */
  blockedMs: number;
};

/** What the thread is given: a counter that the main loop moves on, and whose child this process is. */
export type SentinelData = { beats: SharedArrayBuffer; blockedMs: number; parentPid: number };

/** How often the main loop shows that it turns. */
export const BEAT_MS = 200;

/**
 * Starts a thread that needs nothing of the main loop: it writes the stack of a loop that hangs, so that the log tells what
 * hung (HEALTH-1), and ends the process when its supervisor is gone, even while the loop is blocked (ORPH-1). Costs about 8 MB.
 */
export function startSentinel({ thread, blockedMs }: SentinelOptions): void {
  const beats = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const counter = new Int32Array(beats);
  const workerData: SentinelData = { beats, blockedMs, parentPid: process.ppid };
  const worker = new Worker(thread, {
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1 },
  });
  worker.unref();
  // Without it the gateway works as well; only the next hang will tell less.
  worker.on('error', () => undefined);
  setInterval(() => Atomics.add(counter, 0, 1), BEAT_MS).unref();
}
