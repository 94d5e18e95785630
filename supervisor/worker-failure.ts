import { EXIT } from '../lib/exit.ts';
import type { WorkerMessage } from '../lib/ipc.ts';
import { portBusyError } from './socket.ts';
import type { WorkerFailure } from './state-model.ts';

/**
 * What a worker that cannot listen means for the operator. A busy port shows only now when somebody bound it before either
 * side listened: libuv reports that to the one who listens second.
 */
export function listenFailure(
  { host, reason }: Extract<WorkerMessage, { t: 'worker.listen-failed' }>,
  port: number,
): WorkerFailure {
  if (reason.includes('EADDRINUSE')) return failureFrom(portBusyError(port));
  return { exitCode: EXIT.portBusy, message: `Cannot listen on ${host}:${port}: ${reason}.` };
}

/** The parts of an error or a `worker.fatal` that the operator is told. */
export function failureFrom(source: { exitCode: number; message: string; hint?: string | undefined }): WorkerFailure {
  const { exitCode, message, hint } = source;
  return hint === undefined ? { exitCode, message } : { exitCode, message, hint };
}
