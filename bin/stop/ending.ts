import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Paths } from '../../lib/paths.ts';
import { inspectLock, type LockInspection } from '../../supervisor/lock-inspect.ts';
import { isSameProcess } from '../../supervisor/process-identity.ts';
import type { Endpoint, Identity } from '../instance.ts';

/** What became of a gateway that was told to stop. `port`: it is gone, but somebody still listens where it did. */
export type Ending = { t: 'gone' } | { t: 'replaced'; pid: number } | { t: 'alive' } | { t: 'port' };

export type EndingOptions = {
  paths: Paths;
  endpoint: Endpoint;
  identity: Identity;
  timeoutMs: number;
  /** Called again and again while there is something to wait for. */
  onWait(): void | Promise<void>;
};

const POLL_MS = 50;

/** Waits until the lock is free, the process gone and the port closed (STOP-1), or until that cannot come any more. */
export async function waitForEnd(options: EndingOptions): Promise<Ending> {
  const deadline = Date.now() + options.timeoutMs;
  for (;;) {
    const found = await look(options);
    if (found.t === 'gone' || found.t === 'replaced' || Date.now() >= deadline) return found;
    await options.onWait();
    await sleep(POLL_MS);
  }
}

async function look({ paths, endpoint, identity }: EndingOptions): Promise<Ending> {
  const lock = await inspectLock(paths.lockFile);
  const owner = lock.state === 'held' ? lock.owner : null;
  if (owner !== null && identity.instanceId !== '' && owner.instanceId !== identity.instanceId)
    return { t: 'replaced', pid: owner.pid };
  if (lock.state === 'held' || (await isAlive(identity, lock))) return { t: 'alive' };
  return (await accepts(endpoint)) ? { t: 'port' } : { t: 'gone' };
}

/** Also a process that has given its lock back takes a moment to end. */
async function isAlive({ pid, startTime, isLocal }: Identity, lock: LockInspection): Promise<boolean> {
  if (pid === null || !isLocal || lock.state === 'held') return false;
  return isSameProcess(pid, startTime);
}

function accepts({ host, port }: Pick<Endpoint, 'host' | 'port'>): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const finish = (isOpen: boolean) => () => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.once('connect', finish(true));
    socket.once('error', finish(false));
    socket.setTimeout(1_000, finish(true));
  });
}
