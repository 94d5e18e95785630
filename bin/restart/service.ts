import { existsSync } from 'node:fs';
import { formatDuration } from '../../lib/duration.ts';
import { ExitError } from '../../lib/errors.ts';
import { EXIT } from '../../lib/exit.ts';
import { resolvePaths } from '../../lib/paths.ts';
import { VERSION } from '../../lib/version.ts';
import type { ServiceManager } from '../../supervisor/service/contract.ts';
import type { CommandContext } from '../context.ts';
import { type Instance, identityOf } from '../instance.ts';
import { openProgress } from '../progress.ts';
import type { ServiceScene } from '../service/scene.ts';
import { announceRestart } from './request.ts';

type Outdated = { scene: ServiceScene; manager: ServiceManager };

/**
 * The service that runs this gateway, when its supervisor is of another version than this program: a new worker alone would
 * leave that one in charge. Undefined when a new worker is all that a restart needs.
 */
export async function findOutdated({ status }: Instance, context: CommandContext): Promise<Outdated | undefined> {
  const { serviceDir } = resolvePaths(context.env, context.configFlag);
  if (status === undefined || status.version === VERSION || !existsSync(serviceDir)) return undefined;
  const { openServiceScene } = await import('../service/scene.ts');
  const scene = openServiceScene(context);
  const { manager } = scene;
  if (manager === undefined || manager.read() === undefined || status.service !== manager.kind) return undefined;
  const { pid } = await manager.look();
  return pid === null || pid === status.pid ? { scene, manager } : undefined;
}

type Replacement = Outdated & {
  context: CommandContext;
  instance: Instance;
  wait: { text: string; ms: number } | undefined;
  isJson: boolean;
};

/** Lets the service manager replace the whole gateway. Returns 0 when it was told to, with `wait` when the new one serves. */
export async function replaceSupervisor(replacement: Replacement): Promise<number> {
  const { scene, manager, instance, context, wait, isJson } = replacement;
  const { output, env } = context;
  const { paths } = scene;
  const startedAt = Date.now();
  const identity = identityOf(instance);
  const withdraw = announceRestart(paths, identity);
  const { replaceGateway } = await import('../service/replace.ts');
  await replaceGateway({ scene, manager, instance, hasNewDefinition: false });
  if (wait === undefined) {
    if (isJson) output.json({ ok: true, result: 'accepted', pid: identity.pid, instanceId: identity.instanceId });
    else output.headline('✅', output.text('restartByService', { name: scene.name }));
    return EXIT.ok;
  }
  const progress = openProgress(output, isJson);
  progress.step(output.text('restartByService', { name: scene.name }));
  const { waitForService } = await import('../service/wait.ts');
  const arrival = await waitForService({ paths, env, manager, previous: identity.instanceId, timeoutMs: wait.ms });
  progress.end(arrival.t === 'healthy');
  withdraw();
  if (arrival.t !== 'healthy') {
    const message =
      arrival.t === 'failed'
        ? output.text('restartGone', { reason: arrival.reason })
        : output.text('restartTimeout', { timeout: wait.text });
    throw new ExitError(EXIT.failure, message, { hint: output.text('logsHint') });
  }
  const { moment } = arrival.sight;
  const { pid, workerPid, active: generation, instanceId } = moment;
  const ms = Date.now() - startedAt;
  if (isJson) {
    output.json({
      ok: true,
      result: 'restarted',
      pid,
      instanceId,
      workerPid,
      generation,
      version: arrival.version,
      ms,
    });
    return EXIT.ok;
  }
  const values = { generation: generation ?? '?', worker: workerPid ?? '?', version: arrival.version };
  output.headline('✅', output.text('restarted', { ...values, time: formatDuration(ms) }));
  return EXIT.ok;
}
