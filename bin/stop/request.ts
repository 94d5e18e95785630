import type { Environment } from '../../lib/env.ts';
import { ExitError, errorCode } from '../../lib/errors.ts';
import { EXIT } from '../../lib/exit.ts';
import type { Paths } from '../../lib/paths.ts';
import type { ServiceUnit } from '../../supervisor/service/unit.ts';
import { askSupervisor } from '../ask-supervisor.ts';
import type { Identity, Instance } from '../instance.ts';
import type { Output } from '../output.ts';

export type StopRequest = {
  paths: Paths;
  env: Environment;
  output: Output;
  instance: Instance;
  identity: Identity;
  /** Undefined when no service manager runs the gateway. */
  unit: ServiceUnit | undefined;
  isDisabling: boolean;
  timeoutMs: number;
};

const GRACE_MS = 1_000;

/** The service that runs this gateway, which would start it again if it were stopped in any other way. */
export async function findService({ pid, isLocal }: Identity, env: Environment): Promise<ServiceUnit | undefined> {
  if (pid === null || !isLocal) return undefined;
  const { findServiceUnit } = await import('../../supervisor/service/unit.ts');
  return findServiceUnit(pid, env);
}

/**
 * Tells the gateway to stop: through its service manager, else on its control socket, else by signal. Resolves when it knows,
 * or when the service manager has stopped it. Throws an `ExitError` with the reason when nobody can tell it.
 */
export async function requestStop(request: StopRequest): Promise<void> {
  const { unit, env, isDisabling, timeoutMs, instance, paths } = request;
  if (unit !== undefined) {
    const { stopUnit } = await import('../../supervisor/service/unit.ts');
    // Whoever waits for the end knows more to say when the time is up.
    await stopUnit(unit, { env, disable: isDisabling, timeoutMs: timeoutMs + GRACE_MS });
    return;
  }
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
