import type { ServiceManager } from '../../supervisor/service/contract.ts';
import type { CommandContext } from '../context.ts';
import type { Identity, Instance } from '../instance.ts';

/** A service that would start the gateway again if that were stopped in any other way. */
export type StoppableService = {
  stop(options: { disable: boolean; timeoutMs: number }): Promise<void>;
  /** False when the gateway itself has yet to be told. */
  endsGateway: boolean;
};

type Context = Pick<CommandContext, 'env' | 'output' | 'configFlag'>;

/** The service that runs this gateway, whoever installed it; undefined when none does. */
export async function findService(
  { pid, isLocal }: Identity,
  instance: Instance,
  context: Context,
): Promise<StoppableService | undefined> {
  if (pid === null || !isLocal) return undefined;
  const { findServiceUnit, stopUnit } = await import('../../supervisor/service/unit.ts');
  const unit = await findServiceUnit(pid, context.env);
  if (unit !== undefined) {
    return { stop: (options) => stopUnit(unit, { env: context.env, ...options }), endsGateway: true };
  }
  // Only systemd tells which process belongs to which service.
  const marker = instance.status?.service ?? null;
  if (marker === null || marker === 'systemd') return undefined;
  const manager = await findInstalled(context);
  return manager?.kind === marker ? toStoppable(manager) : undefined;
}

/** The service of this configuration when it is installed, though it runs no gateway now. */
export async function findIdleService(
  context: Context,
): Promise<(StoppableService & { isComing: boolean }) | undefined> {
  const manager = await findInstalled(context);
  if (manager === undefined) return undefined;
  const { state } = await manager.look();
  // Between two attempts it has no process.
  return { ...toStoppable(manager), isComing: state === 'starting' || state === 'running' };
}

function toStoppable(manager: ServiceManager): StoppableService {
  return { stop: (options) => manager.stop(options), endsGateway: manager.kind !== 'schtasks' };
}

async function findInstalled(context: Context): Promise<ServiceManager | undefined> {
  const { openServiceScene } = await import('../service/scene.ts');
  const { manager } = openServiceScene(context);
  return manager?.read() === undefined ? undefined : manager;
}
