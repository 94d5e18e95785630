import { ExitError } from '../../lib/errors.ts';
import { EXIT } from '../../lib/exit.ts';
import type { ServiceManager } from '../../supervisor/service/contract.ts';
import { askSupervisor } from '../ask-supervisor.ts';
import { endpointOf, type Instance, identityOf, isRunning } from '../instance.ts';
import { waitForEnd } from '../stop/ending.ts';
import type { ServiceScene } from './scene.ts';

export type ReplaceOptions = {
  scene: Pick<ServiceScene, 'paths' | 'env' | 'text'>;
  manager: ServiceManager;
  /** The gateway as it is now, running or not. */
  instance: Instance;
  hasNewDefinition: boolean;
};

/** Of a drain and its margin, with time to spare. */
const END_MS = 60_000;

/** Lets the service manager end the gateway, if it runs, and start it anew. Throws an `ExitError` 1 when that does not begin. */
export async function replaceGateway(options: ReplaceOptions): Promise<void> {
  const { manager, hasNewDefinition } = options;
  if (manager.kind === 'schtasks') await endByPipe(options);
  await manager.restart({ hasNewDefinition });
}

/** The task scheduler can only kill what runs (WIN-3): it is kept from starting another one, and the supervisor is told to end. */
export async function endByPipe({ scene, manager, instance }: Omit<ReplaceOptions, 'hasNewDefinition'>): Promise<void> {
  if (!isRunning(instance)) return;
  const { paths, env, text } = scene;
  await manager.stop({ disable: false });
  await askSupervisor(paths, { do: 'stop' });
  const ending = await waitForEnd({
    ...{ paths, endpoint: endpointOf(instance, paths, env), identity: identityOf(instance), timeoutMs: END_MS },
    onWait: () => undefined,
  });
  if (ending.t === 'gone') return;
  throw new ExitError(EXIT.failure, text('endFailed', { pid: identityOf(instance).pid ?? '?' }), {
    hint: text('proofLogs'),
  });
}
