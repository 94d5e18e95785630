import type { Phase, WorkerExit, WorkerView } from '../../lib/control.ts';
import type { ChannelView } from '../../lib/ipc.ts';
import { maskSecret } from '../../lib/token.ts';
import type { Fatal } from '../../supervisor/fatal.ts';
import { activeWorker, type Endpoint, heldBy, type Instance, identityOf, workerPidOf } from '../instance.ts';
import type { Health, Probe } from '../probe.ts';
import type { InstalledView } from './service.ts';

/** How the gateway is (LOOP-3). `given-up`: it does not run, and a person has to do something before it can. `unknown`: its lock does not say. */
export type GatewayState = Phase | 'given-up' | 'unknown';

/** All that could be found out. */
export type Report = {
  state: GatewayState;
  isRunning: boolean;
  instance: Instance;
  endpoint: Endpoint;
  probe: Probe;
  fatal: Fatal | undefined;
  lastExits: readonly WorkerExit[];
  /** Undefined when no service of the operating system is installed. */
  installed: InstalledView | undefined;
};

/** The report as the document of `status --json`. */
export function toJson(report: Report): Record<string, unknown> {
  return report.isRunning ? describeRunning(report) : describeStopped(report);
}

function describeStopped({ state, endpoint, fatal, lastExits, installed }: Report): Record<string, unknown> {
  return {
    ...{ ok: true, running: false, state, port: endpoint.port },
    reason: fatal?.message ?? installed?.givenUp ?? null,
    since: fatal?.at ?? null,
    lastExits,
    fatal: fatal ?? null,
    ...describeInstalled(installed),
  };
}

function describeInstalled(installed: InstalledView | undefined): Record<string, unknown> {
  return { installedService: installed?.name ?? null, serviceFindings: installed?.findings ?? [] };
}

function describeRunning(report: Report): Record<string, unknown> {
  const { state, instance, endpoint, probe, lastExits } = report;
  const { status } = instance;
  const health = healthOf(report);
  const { pid, instanceId } = identityOf(instance);
  return {
    ...{ ok: true, running: true, state, healthy: health?.status === 'healthy' },
    ...{ url: endpoint.url, port: endpoint.port, auth: endpoint.authMode },
    ...(shownToken(endpoint) === undefined ? {} : { token: shownToken(endpoint) }),
    supervisorPid: pid,
    workerPid: workerPidOf(instance),
    version: status?.version ?? health?.version ?? heldBy(instance)?.version ?? null,
    uptime: uptimeMsOf(report) === undefined ? null : Math.floor((uptimeMsOf(report) ?? 0) / 1_000),
    channels: channelsOf(report),
    queues: health?.queues ?? null,
    ...(health?.config === undefined ? {} : { config: health.config }),
    reason: status?.reason ?? null,
    since: status?.since ?? null,
    instanceId: instanceId === '' ? null : instanceId,
    workers: status?.workers ?? [],
    lastExits,
    crashes: status?.crashes ?? null,
    restartFailure: status?.restartFailure ?? null,
    outbox: outboxOf(report) ?? null,
    findings: health?.findings ?? null,
    service: status?.service ?? null,
    ...describeInstalled(report.installed),
    fatal: null,
    probe: probe.t,
    ...(probe.t === 'silent' ? { probeError: probe.reason } : {}),
    ...(probe.t === 'other-instance' ? { reachedInstanceId: probe.instanceId } : {}),
  };
}

/** What the worker said of itself over HTTP. */
export function healthOf({ probe }: Pick<Report, 'probe'>): Health | undefined {
  return probe.t === 'answered' ? probe.health : undefined;
}

/** The masked token; undefined when the gateway uses none. */
export function shownToken({ authMode, secret }: Endpoint): string | undefined {
  return authMode === 'token' && secret !== undefined ? maskSecret(secret) : undefined;
}

/** How long the gateway has been up, in milliseconds. */
export function uptimeMsOf(report: Report): number | undefined {
  const seconds = healthOf(report)?.uptime;
  return report.instance.status?.uptimeMs ?? (seconds === undefined ? undefined : seconds * 1_000);
}

/** The accounts of each channel: as the worker tells, else as it last told its supervisor. `*` stands for a channel that is down as a whole. */
export function channelsOf(report: Report): NonNullable<Health['channels']> {
  const told = healthOf(report)?.channels;
  if (told !== undefined) return told.map(withOwnState);
  const views = heartbeatOf(report)?.channels ?? [];
  const ids = [...new Set(views.map(({ channel }) => channel))];
  return ids.map((id) => ({ id, accounts: views.filter(({ channel }) => channel === id).map(toAccount) }));
}

function withOwnState(channel: NonNullable<Health['channels']>[number]): typeof channel {
  const { accounts, state, since = 0, lastError } = channel;
  if (accounts.length > 0 || state !== 'down') return channel;
  return {
    ...channel,
    accounts: [{ accountId: '*', state, since, ...(lastError === undefined ? {} : { lastError }) }],
  };
}

function toAccount({ accountId, state, since }: ChannelView): { accountId: string; state: string; since: number } {
  return { accountId, state, since };
}

/** Messages waiting to be delivered. */
export function outboxOf(report: Report): number | undefined {
  return healthOf(report)?.queues?.outbox ?? heartbeatOf(report)?.outbox;
}

/** What the main loop of the serving worker said last. */
export function heartbeatOf({ instance }: Pick<Report, 'instance'>): WorkerView['heartbeat'] {
  return activeWorker(instance)?.heartbeat ?? null;
}
