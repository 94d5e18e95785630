import { existsSync } from 'node:fs';
import { EXIT } from '../../lib/exit.ts';
import { type Paths, resolvePaths } from '../../lib/paths.ts';
import type { CommandContext } from '../context.ts';
import { type Endpoint, endpointOf, findInstance, type Instance, identityOf, isRunning } from '../instance.ts';
import type { Probe } from '../probe.ts';
import { type GatewayState, type Report, toJson } from '../status/report.ts';

/** How long to wait for the supervisor, and for the worker behind the port, in milliseconds. */
const SUPERVISOR_MS = 2_000;
const WORKER_MS = 2_000;

/** `xopc gateway status`: exit 0 when it runs, 3 when not. Never takes or removes a lock. */
export async function showStatus(context: CommandContext, options: Record<string, unknown>): Promise<number> {
  const { env, output, configFlag } = context;
  const paths = resolvePaths(env, configFlag);
  const instance = await findInstance(paths, SUPERVISOR_MS);
  const endpoint = endpointOf(instance, paths, env);
  const installed = await findInstalled(context, paths, isRunning(instance));
  const report = isRunning(instance)
    ? { ...(await describeRunning(instance, endpoint, options['probe'] !== false)), installed }
    : await describeStopped({ instance, endpoint, installed }, paths);
  if (options['json'] === true) output.json(toJson(report));
  else {
    const { printReport } = await import('../status/text.ts');
    printReport(report, output);
  }
  return report.isRunning ? EXIT.ok : EXIT.notRunning;
}

async function describeRunning(
  instance: Instance,
  endpoint: Endpoint,
  isProbed: boolean,
): Promise<Omit<Report, 'installed'>> {
  const probe = isProbed ? await probeWorker(instance, endpoint) : ({ t: 'skipped' } as const);
  return {
    ...{ instance, endpoint, probe },
    state: stateOf(instance),
    isRunning: true,
    fatal: undefined,
    lastExits: instance.status?.lastExits ?? [],
  };
}

async function probeWorker(instance: Instance, endpoint: Endpoint): Promise<Probe> {
  const { probeGateway } = await import('../probe.ts');
  const { instanceId } = identityOf(instance);
  return probeGateway(endpoint, { instanceId, hasDetails: true, timeoutMs: WORKER_MS });
}

function stateOf({ lock, status }: Instance): GatewayState {
  if (status !== undefined) return status.phase;
  const phase = lock.state === 'held' ? lock.owner?.phase : undefined;
  return KNOWN_PHASES.find((known) => known === phase) ?? 'unknown';
}

const KNOWN_PHASES = ['starting', 'running', 'restarting', 'backoff', 'safe-mode', 'draining', 'stopped'] as const;

/** Most have none, and then nothing of it is loaded. */
async function findInstalled(
  context: CommandContext,
  { serviceDir }: Paths,
  isRunning: boolean,
): Promise<Report['installed']> {
  if (!existsSync(serviceDir)) return undefined;
  const { viewService } = await import('../status/service.ts');
  return viewService(context, isRunning);
}

async function describeStopped(
  known: Pick<Report, 'instance' | 'endpoint' | 'installed'>,
  paths: Paths,
): Promise<Report> {
  const [{ readFatal }, { readExits }] = await Promise.all([
    import('../../supervisor/fatal.ts'),
    import('../../supervisor/exit-file.ts'),
  ]);
  const fatal = readFatal(paths.fatalFile);
  return {
    ...known,
    fatal,
    probe: { t: 'skipped' },
    state: fatal === undefined && known.installed?.givenUp === undefined ? 'stopped' : 'given-up',
    isRunning: false,
    lastExits: readExits(paths.lastExitsFile).slice(0, 5),
  };
}
