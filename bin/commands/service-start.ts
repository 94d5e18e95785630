import { existsSync } from 'node:fs';
import { parseDuration } from '../../lib/duration.ts';
import { ExitError } from '../../lib/errors.ts';
import { EXIT } from '../../lib/exit.ts';
import type { CommandContext } from '../context.ts';
import { findInstance, identityOf, isRunning } from '../instance.ts';
import { openProgress } from '../progress.ts';
import { openServiceScene, type ServiceScene, usableManager } from '../service/scene.ts';
import { type Arrival, waitForService } from '../service/wait.ts';

const DEFAULT_WAIT = '60s';
const ANSWER_MS = 2_000;

/** `xopc gateway service start`: starts what is installed, also after `stop --disable`. Exit 0 when it serves. */
export async function startService(context: CommandContext, given: Record<string, unknown>): Promise<number> {
  const { output, env } = context;
  const timeoutMs = readTimeout(given, context);
  const isJson = given['json'] === true;
  const scene = openServiceScene(context);
  const manager = await usableManager(scene);
  const installed = manager.read();
  if (installed === undefined) throw refusal(scene, 'notInstalled');
  const { parsed } = installed;
  if (parsed === undefined || !existsSync(parsed.launcher) || !existsSync(parsed.entry))
    throw refusal(scene, 'repairNeeded');
  const isThere = isRunning(await findInstance(scene.paths, ANSWER_MS));
  const progress = openProgress(output, isJson);
  try {
    progress.step(scene.text('stepStart'));
    if (!(await manager.isEnabled())) await manager.enable(scene.expect(parsed));
    if (!isThere) await manager.start();
    progress.step(scene.text('stepWait'));
    const arrival = await waitForService({ paths: scene.paths, env, manager, previous: undefined, timeoutMs });
    progress.end(arrival.t === 'healthy');
    return report(arrival, { context, scene, isJson, isThere });
  } finally {
    progress.end(false);
  }
}

function readTimeout(given: Record<string, unknown>, { output }: CommandContext): number {
  const timeout = String(given['timeout'] ?? DEFAULT_WAIT);
  const timeoutMs = parseDuration(timeout);
  if (timeoutMs === undefined) throw new ExitError(EXIT.usage, output.text('badDuration', { value: timeout }));
  return timeoutMs;
}

function refusal({ text, name }: ServiceScene, key: 'notInstalled' | 'repairNeeded'): ExitError {
  return new ExitError(EXIT.failure, text(key, { name }), { hint: text('installHint') });
}

type Telling = { context: CommandContext; scene: ServiceScene; isJson: boolean; isThere: boolean };

function report(arrival: Arrival, { context: { output }, scene, isJson, isThere }: Telling): number {
  if (arrival.t !== 'healthy') {
    const reason = arrival.t === 'failed' ? arrival.reason : arrival.detail;
    const hint = arrival.t === 'failed' ? arrival.hint : undefined;
    throw new ExitError(EXIT.failure, scene.text('startFailed', { reason }), { hint: hint ?? scene.text('proofLogs') });
  }
  const { moment, endpoint, instance } = arrival.sight;
  const { pid } = identityOf(instance);
  if (isJson) {
    const result = isThere ? 'already-running' : 'started';
    output.json({ ok: true, result, name: scene.name, pid, workerPid: moment.workerPid, url: endpoint.url });
    return EXIT.ok;
  }
  output.headline('✅', scene.text(isThere ? 'alreadyRunning' : 'started', { name: scene.name, pid: pid ?? '?' }));
  output.line(`   ${output.text('url', { url: endpoint.url })}`);
  return EXIT.ok;
}
