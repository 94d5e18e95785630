import { ExitError, errorCode } from '../../lib/errors.ts';
import { EXIT } from '../../lib/exit.ts';
import type { Paths } from '../../lib/paths.ts';
import { askSupervisor } from '../ask-supervisor.ts';
import type { Instance } from '../instance.ts';
import type { Output } from '../output.ts';
import type { StoppableService } from './service.ts';

export type StopRequest = {
  paths: Paths;
  output: Output;
  instance: Instance;
  /** Undefined when no service manager runs the gateway. */
  service: StoppableService | undefined;
  isDisabling: boolean;
  timeoutMs: number;
};

const GRACE_MS = 1_000;

/**
 * Tells the gateway to stop: through its service manager, else on its control socket, else by signal. Resolves when it knows,
 * or when the service manager has stopped it. Throws an `ExitError` with the reason when nobody can tell it.
 */
export async function requestStop(request: StopRequest): Promise<void> {
  const { service, isDisabling, timeoutMs, instance, paths } = request;
  // Whoever waits for the end knows more to say when the time is up.
  await service?.stop({ disable: isDisabling, timeoutMs: timeoutMs + GRACE_MS });
  if (service?.endsGateway === true) return;
  if (instance.status !== undefined && (await askSupervisor(paths, { do: 'stop' }))) return;
  signalToStop(request);
}

/** The pid was verified by its start time a moment ago; one that is gone by now is what we want. */
function signalToStop({ instance: { lock }, output }: StopRequest): void {
  if (lock.state !== 'held') return;
  if (lock.owner === null) throw new ExitError(EXIT.failure, output.text('lockBusy'));
  if (lock.reason !== 'alive') throw new ExitError(EXIT.failure, output.text('foreignLock'));
  try {
    process.kill(lock.owner.pid, 'SIGTERM');
  } catch (error) {
    if (errorCode(error) !== 'ESRCH') throw error;
  }
}
