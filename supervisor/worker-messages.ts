import type { WorkerMessage } from '../lib/ipc.ts';
import { isoTime } from '../lib/iso-time.ts';
import type { LiveWorker } from './live-workers.ts';
import type { SupervisorEvent, WorkerFailure } from './state-model.ts';
import { failureFrom, listenFailure } from './worker-failure.ts';

/** What a worker may say that the reducer has to decide on. A restart needs the configuration's consent first. */
export type ReportedMessage = Exclude<WorkerMessage, { t: 'restart.request' }>;

/** Keeps what a worker tells of itself, and returns the event that it means for the supervisor; null when it means none. */
export function readMessage(worker: LiveWorker, message: ReportedMessage, port: number): SupervisorEvent | null {
  const { generation } = worker;
  switch (message.t) {
    case 'worker.hello':
      return { t: 'worker.greeted', generation };
    case 'worker.listening':
      return null;
    case 'worker.listen-failed':
      return fail(worker, listenFailure(message, port));
    case 'worker.warm':
      return { t: 'worker.warm', generation };
    case 'worker.ready':
      worker.bootMs = message.bootMs;
      return { t: 'worker.ready', generation };
    case 'worker.heartbeat': {
      const { t: _type, ...heartbeat } = message;
      worker.heartbeat = { at: isoTime(Date.now()), ...heartbeat };
      return null;
    }
    case 'worker.rebuild-refused':
      return { t: 'worker.rebuild-refused', generation, message: message.message };
    case 'lease.released':
      return { t: 'lease.released', generation, epoch: message.epoch };
    case 'worker.fatal':
      return fail(worker, failureFrom(message));
    default:
      return message satisfies never;
  }
}

function fail(worker: LiveWorker, failure: WorkerFailure): SupervisorEvent {
  worker.fatalMessage ??= failure.message;
  return { t: 'worker.failed', generation: worker.generation, failure };
}
