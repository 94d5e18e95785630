import { join } from 'node:path';
import type { Paths } from '../lib/paths.ts';
import { acquireLock, type Lock, type LockOptions } from './lock.ts';

export type InstanceLocksOptions = { paths: Paths; instanceId: string; isForced: boolean };

/** Takes the lock of the configuration, then that of the state directory, and handles both as one (LOCK-4). Throws as `acquireLock` does. */
export async function acquireInstanceLocks({ paths, instanceId, isForced }: InstanceLocksOptions): Promise<Lock> {
  const common = { configPath: paths.configPath, stateDir: paths.stateDir, instanceId, isForced };
  const instance = await acquireLock({ ...common, file: paths.lockFile, purpose: 'instance' });
  const state = await acquireStateLock({ ...common, file: stateLockFile(paths), purpose: 'state' }, instance);
  return {
    replaced: instance.replaced ?? state.replaced,
    // What the gateway does is told in one place.
    update: (change) => instance.update(change),
    touch() {
      state.touch();
      instance.touch();
    },
    release() {
      state.release();
      instance.release();
    },
  };
}

/** The lock of an instance's state directory. */
export function stateLockFile(paths: Paths): string {
  return join(paths.runDir, 'state.lock');
}

async function acquireStateLock(options: LockOptions, instance: Lock): Promise<Lock> {
  try {
    return await acquireLock(options);
  } catch (error) {
    instance.release();
    throw error;
  }
}
