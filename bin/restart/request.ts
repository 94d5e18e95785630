import { readEssentials } from '../../lib/config/essentials.ts';
import type { Environment } from '../../lib/env.ts';
import { ExitError, errorCode } from '../../lib/errors.ts';
import { EXIT } from '../../lib/exit.ts';
import type { Paths } from '../../lib/paths.ts';
import { clearRestartIntent, writeRestartIntent } from '../../supervisor/intent.ts';
import { askSupervisor } from '../ask-supervisor.ts';
import { type Identity, type Instance, identityOf } from '../instance.ts';
import type { Output } from '../output.ts';

export type RestartRequest = {
  paths: Paths;
  env: Environment;
  output: Output;
  instance: Instance;
  isForced: boolean;
};

/** Takes back the announcement of a restart. */
export type Withdraw = () => void;

/** Announces the restart on disk, so that nobody takes it for a crash (LOOP-4). That this is impossible, on a full disk, does not stop it. */
export function announceRestart({ restartIntentFile: file }: Paths, { pid, instanceId }: Identity): Withdraw {
  if (pid === null || instanceId === '') return () => undefined;
  try {
    const nonce = writeRestartIntent(file, { pid, instanceId });
    return () => clearRestartIntent(file, nonce);
  } catch {
    return () => undefined;
  }
}

/**
 * Tells the supervisor to restart, on its control socket or by signal, and returns which. Throws an `ExitError` 1 with the reason
 * when it refuses or cannot be told.
 */
export async function requestRestart(request: RestartRequest): Promise<'socket' | 'signal'> {
  const { paths, instance, isForced } = request;
  if (instance.status !== undefined) {
    const order = { do: 'restart', force: isForced, reason: 'xopc gateway restart' } as const;
    if (await askSupervisor(paths, order)) return 'socket';
  }
  signalToRestart(request);
  return 'signal';
}

function signalToRestart({ paths, env, output, instance, isForced }: RestartRequest): void {
  const { lock } = instance;
  const pid = lock.state === 'held' && lock.reason === 'alive' ? identityOf(instance).pid : null;
  if (pid === null || process.platform === 'win32') throw new ExitError(EXIT.failure, output.text('cannotBeTold'));
  // The supervisor would only write its refusal to the log.
  if (!readEssentials(paths.configPath, env).allowsRestart) {
    throw new ExitError(EXIT.failure, output.text('restartForbidden'), { hint: output.text('restartForbiddenHint') });
  }
  if (isForced) output.warning(output.text('forceIgnored'));
  try {
    process.kill(pid, 'SIGUSR1');
  } catch (error) {
    if (errorCode(error) !== 'ESRCH') throw error;
    throw new ExitError(EXIT.notRunning, output.text('notRunning'), { hint: output.text('startHint') });
  }
}
