import { readEssentials } from '../lib/config/essentials.ts';
import type { ControlResults, SupervisorStatus, WorkerView } from '../lib/control.ts';
import { callControl } from '../lib/control-client.ts';
import { readGeneratedToken } from '../lib/credential.ts';
import type { Environment } from '../lib/env.ts';
import { displayUrl, planBind } from '../lib/net.ts';
import type { Paths } from '../lib/paths.ts';
import { inspectLock, type LockInspection } from '../supervisor/lock-inspect.ts';
import type { LockRecord } from '../supervisor/lock-record.ts';

/** The gateway of one configuration, as two witnesses see it: its lock file, and itself on its control socket. */
export type Instance = {
  lock: LockInspection;
  /** Undefined when it does not answer, or when what answers is the gateway of another configuration. */
  status: SupervisorStatus | undefined;
  credential: ControlResults['token'] | undefined;
};

/** Where the gateway of these settings listens, and what it asks of callers. */
export type Endpoint = { host: string; port: number; url: string; authMode: string; secret: string | undefined };

/** How long a gateway may take to answer on its control socket, in milliseconds, before the files have to do. */
const ANSWER_MS = 500;

/** Looks for the gateway of these settings. Changes nothing. */
export async function findInstance(paths: Paths, timeoutMs = ANSWER_MS): Promise<Instance> {
  const [lock, status, credential] = await Promise.all([
    inspectLock(paths.lockFile),
    askStatus(paths, timeoutMs),
    callControl(paths.controlSocket, { do: 'token' }, timeoutMs).catch(() => undefined),
  ]);
  return { lock, status, credential: status === undefined ? undefined : credential };
}

/** What the supervisor says of its gateway; undefined when it gives no answer or serves another configuration. */
export async function askStatus(paths: Paths, timeoutMs: number): Promise<SupervisorStatus | undefined> {
  try {
    const status = await callControl(paths.controlSocket, { do: 'status' }, timeoutMs);
    // Two configurations may share a state directory, though not at the same time; then it is the other one that runs.
    return status.configPath === paths.configPath ? status : undefined;
  } catch {
    return undefined;
  }
}

/** True when one of the witnesses says so. A gateway whose lock file was removed still answers. */
export function isRunning({ lock, status }: Instance): boolean {
  return status !== undefined || lock.state === 'held';
}

/** Who a running gateway is, as far as anybody could tell. */
export type Identity = {
  pid: number | null;
  /** Empty when unknown. */
  instanceId: string;
  /** Tells the process from a later one with its pid; null when unknown. */
  startTime: number | null;
  /** False when its pid means nothing here: it runs in another container. */
  isLocal: boolean;
};

/** Who the running gateway is, from the witness that knows best. */
export function identityOf(instance: Instance): Identity {
  const { lock, status } = instance;
  const owner = heldBy(instance);
  const { pid, instanceId } = status ?? owner ?? { pid: null, instanceId: '' };
  return {
    ...{ pid, instanceId },
    startTime: owner?.pid === pid && owner.instanceId === instanceId ? owner.startTime : null,
    isLocal: lock.state !== 'held' || lock.reason !== 'foreign-namespace',
  };
}

/** The owner of the lock; undefined when nobody holds it. */
export function heldBy({ lock }: Instance): LockRecord | undefined {
  return lock.state === 'held' ? (lock.owner ?? undefined) : undefined;
}

/** The view that the supervisor has of the worker that serves. */
export function activeWorker({ status }: Instance): WorkerView | undefined {
  return status?.workers.find(({ generation }) => generation === status.active);
}

/** The worker that serves; null when none does or nobody can tell. */
export function workerPidOf(instance: Instance): number | null {
  return instance.status === undefined ? (heldBy(instance)?.workerPid ?? null) : (activeWorker(instance)?.pid ?? null);
}

/** True when this command was started by the gateway itself, such as by a tool of an agent: what waits for it must not be waited for (DRAIN-3). */
export function isInside(env: Environment, { instanceId }: Identity): boolean {
  return instanceId !== '' && env['XOPC_INSTANCE'] === instanceId;
}

/** The address and credential of a gateway: those of the one that runs, else those that are configured. */
export function endpointOf(instance: Instance, paths: Paths, env: Environment): Endpoint {
  const { bound, port } = findAddress(instance, paths, env);
  const host = bound === '0.0.0.0' || bound === '::' ? '127.0.0.1' : bound;
  return { host, port, url: displayUrl(bound, port), ...findAccess(instance, paths, env) };
}

function findAddress(instance: Instance, paths: Paths, env: Environment): { bound: string; port: number } {
  const { status } = instance;
  if (status !== undefined) return { bound: status.hosts[0] ?? '127.0.0.1', port: status.port };
  const { bind, port } = readEssentials(paths.configPath, env);
  const [bound = '127.0.0.1'] = planBind(bind.mode, bind.customHost, env).hosts;
  return { bound, port: heldBy(instance)?.port ?? port };
}

/** A token of the command line is known to the gateway only. */
function findAccess({ credential }: Instance, paths: Paths, env: Environment): Pick<Endpoint, 'authMode' | 'secret'> {
  if (credential !== undefined) return { authMode: credential.authMode, secret: credential.token ?? undefined };
  const { authMode, secret } = readEssentials(paths.configPath, env);
  const generated = authMode === 'token' ? readGeneratedToken(paths.tokenFile) : undefined;
  return { authMode, secret: secret ?? generated };
}
