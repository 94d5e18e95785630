import { existsSync } from 'node:fs';
import { formatDuration, parseDuration } from '../../lib/duration.ts';
import { ExitError } from '../../lib/errors.ts';
import { EXIT } from '../../lib/exit.ts';
import { type Paths, resolvePaths } from '../../lib/paths.ts';
import type { CommandContext } from '../context.ts';
import { findInstance, type Identity, identityOf, isInside, isRunning } from '../instance.ts';
import type { Output } from '../output.ts';
import { openProgress } from '../progress.ts';
import { explainFailure } from '../restart/failure.ts';
import { announceRestart, requestRestart } from '../restart/request.ts';
import { findOutdated, replaceSupervisor } from '../restart/service.ts';
import type { Outcome, Sight } from '../restart/watch.ts';

type RestartOptions = {
  /** Undefined: do not wait. */
  wait: { text: string; ms: number } | undefined;
  isForced: boolean;
  isJson: boolean;
};

const DEFAULT_WAIT = '30s';
const ANSWER_MS = 2_000;

/** `xopc gateway restart`: exit 0 when the restart was accepted, with `--wait` when the new worker serves; 3 when no gateway runs. */
export async function restartGateway(context: CommandContext, given: Record<string, unknown>): Promise<number> {
  const { env, output, configFlag } = context;
  const options = readOptions(given, output);
  const paths = resolvePaths(env, configFlag);
  if (options.wait !== undefined) return restartAndWait({ context, paths, options, wait: options.wait });
  const instance = await findInstance(paths, ANSWER_MS);
  if (!isRunning(instance)) throw notRunning(output, paths);
  const outdated = await findOutdated(instance, context);
  if (outdated !== undefined)
    return replaceSupervisor({ ...outdated, context, instance, wait: undefined, isJson: options.isJson });
  const identity = identityOf(instance);
  const withdraw = announceRestart(paths, identity);
  try {
    const way = await requestRestart({ paths, env, output, instance, isForced: options.isForced });
    // A signal takes its time, and then the supervisor looks for the announcement.
    if (way === 'socket') withdraw();
  } catch (error) {
    withdraw();
    throw error;
  }
  reportAccepted(options, output, { ...identity, isFromInside: isInside(env, identity) });
  return EXIT.ok;
}

function readOptions(given: Record<string, unknown>, output: Output): RestartOptions {
  const flags = { isForced: given['force'] === true, isJson: given['json'] === true };
  if (given['wait'] === undefined) return { ...flags, wait: undefined };
  const text = given['wait'] === true ? DEFAULT_WAIT : String(given['wait']);
  const ms = parseDuration(text);
  if (ms === undefined) throw new ExitError(EXIT.usage, output.text('badDuration', { value: text }));
  return { ...flags, wait: { text, ms } };
}

function notRunning(output: Output, { serviceDir }: Paths): ExitError {
  const hint = output.text(existsSync(serviceDir) ? 'serviceStartHint' : 'startHint');
  return new ExitError(EXIT.notRunning, output.text('notRunning'), { hint });
}

function reportAccepted(
  { isJson }: RestartOptions,
  output: Output,
  { pid, instanceId, isFromInside }: Identity & { isFromInside: boolean },
): void {
  if (isJson) output.json({ ok: true, result: 'accepted', pid, instanceId });
  else
    output.headline('✅', output.text(isFromInside ? 'restartAcceptedInside' : 'restartAccepted', { pid: pid ?? '?' }));
}

type Waiting = { context: CommandContext; paths: Paths; options: RestartOptions; wait: { text: string; ms: number } };

async function restartAndWait({ context, paths, options, wait }: Waiting): Promise<number> {
  const { env, output } = context;
  const { takeSight, watchRestart } = await import('../restart/watch.ts');
  const before = await takeSight(paths, env);
  if (before === undefined) throw notRunning(output, paths);
  const { instance } = before;
  const outdated = await findOutdated(instance, context);
  if (outdated !== undefined)
    return replaceSupervisor({ ...outdated, context, instance, wait, isJson: options.isJson });
  const startedAt = Date.now();
  const withdraw = announceRestart(paths, identityOf(instance));
  const progress = openProgress(output, options.isJson);
  try {
    await requestRestart({ paths, env, output, instance, isForced: options.isForced });
    const outcome = await watchRestart({
      ...{ paths, env, before: before.moment, timeoutMs: wait.ms },
      onStep: (step, sight) => progress.step(describeStep(step, sight, output)),
    });
    progress.end(outcome.t === 'restarted');
    if (outcome.t !== 'restarted') throw await explainFailure(outcome, { paths, output, wait: wait.text });
    reportRestarted(outcome, { options, output, ms: Date.now() - startedAt });
    return EXIT.ok;
  } finally {
    progress.end(false);
    withdraw();
  }
}

function describeStep(step: 'worker' | 'port', { moment, endpoint }: Sight, output: Output): string {
  if (step === 'worker') return output.text('restartWaiting');
  return output.text('restartConfirming', { generation: moment.active ?? '?', port: endpoint.port });
}

type Report = { options: RestartOptions; output: Output; ms: number };

function reportRestarted({ sight, version }: Extract<Outcome, { t: 'restarted' }>, report: Report): void {
  const { options, output, ms } = report;
  const { pid, workerPid, active: generation, instanceId } = sight.moment;
  if (options.isJson) {
    output.json({ ok: true, result: 'restarted', pid, instanceId, workerPid, generation, version, ms });
    return;
  }
  const values = { generation: generation ?? '?', worker: workerPid ?? '?', version, time: formatDuration(ms) };
  output.headline('✅', output.text('restarted', values));
}
