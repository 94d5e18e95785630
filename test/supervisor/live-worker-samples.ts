import { onTestFinished } from 'vitest';
import type { WorkerMessage } from '../../lib/ipc.ts';
import type { LiveWorker } from '../../supervisor/live-workers.ts';
import { openWorkerOutput } from '../../supervisor/worker-output.ts';
import { temporaryDirectory } from '../lib/temporary-directory.ts';

/** What is known of a worker that has said nothing yet, with an output of its own. */
export function liveWorkerOf(generation: number, change: Partial<LiveWorker> = {}): LiveWorker {
  const output = openWorkerOutput(temporaryDirectory(), generation);
  onTestFinished(() => output.close({ keep: false }));
  return {
    ...{ generation, role: 'serve', pid: undefined, startedAt: 1_000, output },
    ...{ bootMs: 0, heartbeat: null, killReason: null, fatalMessage: null },
    ...change,
  };
}

/** A heartbeat, told apart from others by its delay. */
export function heartbeatOf(loopDelayMs: number): Extract<WorkerMessage, { t: 'worker.heartbeat' }> {
  return {
    ...{ t: 'worker.heartbeat', rssBytes: 1, loopDelayMs, requests: 3, turns: 4, streams: 5, leaseEpoch: 6, outbox: 7 },
    channels: [{ channel: 'webchat', accountId: 'default', state: 'connected', since: 8 }],
  };
}
