import type { Channel, Heartbeat, SupervisorMessage, WorkerMessage } from '../lib/ipc.ts';
import type { Logger } from '../lib/log.ts';

/** What a worker is doing; the process's own figures are added. */
export type Gauges = Omit<Heartbeat, 'rssBytes' | 'loopDelayMs'>;

export type HeartbeatSource = {
  /** Reports this from now on. */
  follow(read: () => Gauges): void;
  /** Writes what the worker is doing to the log. */
  report(log: Logger): void;
};

const BEAT_MS = 1_000;

const NOTHING: Gauges = { requests: 0, turns: 0, streams: 0, leaseEpoch: 0, outbox: 0, channels: [] };

/** Reports from the main loop each second, from the first moment on: a loop that does not turn is silent (HEALTH-1). */
export function startHeartbeat(channel: Channel<SupervisorMessage, WorkerMessage>): HeartbeatSource {
  let read = (): Gauges => NOTHING;
  let expectedAt = performance.now() + BEAT_MS;
  setInterval(() => {
    const now = performance.now();
    const loopDelayMs = Math.max(0, Math.round(now - expectedAt));
    expectedAt = now + BEAT_MS;
    channel.send({ t: 'worker.heartbeat', rssBytes: process.memoryUsage.rss(), loopDelayMs, ...read() });
  }, BEAT_MS).unref();
  return {
    follow(next) {
      read = next;
    },
    report(log) {
      log.info({ ...read(), memory: process.memoryUsage(), handles: countHandles() }, 'Diagnostic report.');
    },
  };
}

/** What keeps the event loop busy, by kind. */
function countHandles(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
