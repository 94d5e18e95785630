import { formatDuration } from '../../lib/duration.ts';
import { EXIT } from '../../lib/exit.ts';
import { resolvePaths } from '../../lib/paths.ts';
import { maskSecret } from '../../lib/token.ts';
import { inspectLock } from '../../supervisor/lock-inspect.ts';
import type { LockRecord } from '../../supervisor/lock-record.ts';
import { callGateway, type Endpoint, findEndpoint } from '../client.ts';
import type { CommandContext } from '../context.ts';
import type { Output } from '../output.ts';

type Health = {
  status?: string;
  uptime?: number;
  version?: string;
  channels?: { id: string; accounts: { accountId: string; state: string; since: number; lastError?: string }[] }[];
  queues?: { inbox: number; outbox: number };
};

type Report = { owner: LockRecord | null; endpoint: Endpoint; health: Health | undefined };

/** `xopc gateway status`: exit 0 when it runs, 3 when not. Never takes or removes a lock. */
export async function showStatus(
  { env, output, configFlag }: CommandContext,
  options: Record<string, unknown>,
): Promise<number> {
  const paths = resolvePaths(env, configFlag);
  const lock = await inspectLock(paths.lockFile);
  const endpoint = await findEndpoint(paths, env);
  if (lock.state !== 'held') {
    if (options['json'] === true) output.json({ ok: true, running: false, state: 'stopped', port: endpoint.port });
    else {
      output.headline('⚪', output.text('notRunning'));
      output.line(output.text('startHint'));
    }
    return EXIT.notRunning;
  }
  const health = options['probe'] === false ? undefined : await probe(endpoint);
  const report = { owner: lock.owner, endpoint, health };
  if (options['json'] === true) output.json(toJson(report));
  else print(report, output, options['probe'] !== false);
  return EXIT.ok;
}

async function probe(endpoint: Endpoint): Promise<Health | undefined> {
  try {
    const { status, body } = await callGateway(endpoint, { method: 'GET', path: '/api/health', timeoutMs: 5_000 });
    return status === 200 ? (body as Health) : undefined;
  } catch {
    return undefined;
  }
}

function toJson({ owner, endpoint, health }: Report): Record<string, unknown> {
  return {
    ok: true,
    running: true,
    state: owner?.phase ?? 'unknown',
    healthy: health?.status === 'healthy',
    url: endpoint.url,
    port: endpoint.port,
    auth: endpoint.authMode,
    ...(endpoint.secret === undefined ? {} : { token: maskSecret(endpoint.secret) }),
    supervisorPid: owner?.pid ?? null,
    workerPid: owner?.workerPid ?? null,
    version: health?.version ?? owner?.version ?? null,
    uptime: health?.uptime ?? null,
    channels: health?.channels ?? [],
    queues: health?.queues ?? null,
  };
}

function print({ owner, endpoint, health }: Report, output: Output, wasProbed: boolean): void {
  const phase = owner?.phase ?? 'unknown';
  if (wasProbed && health === undefined) output.headline('⚠️ ', output.text('notServing', { phase }));
  else output.headline('✅', output.text('running'));
  output.line(output.text('port', { port: endpoint.port }));
  output.line(output.text('state', { state: phase }));
  output.line(output.text('pids', { supervisor: owner?.pid ?? '?', worker: owner?.workerPid ?? '?' }));
  if (health?.version !== undefined) output.line(output.text('version', { version: health.version }));
  if (health?.uptime !== undefined)
    output.line(output.text('uptime', { uptime: formatDuration(health.uptime * 1_000) }));
  output.headline('🌐', output.text('access'));
  output.line(`   ${output.text('url', { url: endpoint.url })}`);
  if (endpoint.secret !== undefined && endpoint.authMode === 'token')
    output.line(`   ${output.text('token', { token: maskSecret(endpoint.secret) })}`);
  printChannels(health, output);
  output.headline('📝', output.text('management'));
  output.line(`   ${output.text('stopHint')}`);
}

function printChannels(health: Health | undefined, output: Output): void {
  const accounts = (health?.channels ?? []).flatMap(({ id, accounts: list }) =>
    list.map((account) => ({ id, ...account })),
  );
  if (accounts.length > 0) output.line(output.text('channels'));
  for (const { id, accountId, state, since, lastError } of accounts) {
    const error = lastError === undefined ? '' : ` (${lastError})`;
    output.line(
      `   ${output.text('channel', { id, account: accountId, state, since: new Date(since).toLocaleString(), error })}`,
    );
  }
  if (health?.queues === undefined) return;
  const { inbox, outbox } = health.queues;
  output.line(output.text('queues', { inbox, outbox }));
}
