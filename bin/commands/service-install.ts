import { parseDuration } from '../../lib/duration.ts';
import { ExitError } from '../../lib/errors.ts';
import { EXIT } from '../../lib/exit.ts';
import type { ServiceManager } from '../../supervisor/service/contract.ts';
import { envFileOf, type ServiceDefinition } from '../../supervisor/service/definition.ts';
import { writeServiceFiles } from '../../supervisor/service/files.ts';
import type { CommandContext } from '../context.ts';
import { findInstance, identityOf, isRunning } from '../instance.ts';
import { openProgress, type Progress } from '../progress.ts';
import { readPort } from '../read-port.ts';
import { prepareEnvFile } from '../service/env-file.ts';
import { type Proof, printProofs, proveService } from '../service/proofs.ts';
import { replaceGateway } from '../service/replace.ts';
import { type Choices, openServiceScene, type ServiceScene, usableManager } from '../service/scene.ts';
import { prepareSystemService } from '../service/system.ts';
import { readTokenOption, storeToken } from '../service/token.ts';
import { type Arrival, waitForService } from '../service/wait.ts';

type InstallOptions = Choices & { token: string | undefined; isForced: boolean; isJson: boolean; timeoutMs: number };

type Result = 'installed' | 'updated' | 'already-installed';

/**
 * `xopc gateway service install`: writes the service, starts it, and shows what was proven of it (INST-1). The same again changes
 * nothing (TOK-5). Exit 0 when everything holds, else 1.
 */
export async function installService(context: CommandContext, given: Record<string, unknown>): Promise<number> {
  const { output } = context;
  const options = await readOptions(given, context);
  const scene = openServiceScene(context);
  const definition = scene.define(options);
  if (definition.sockets.some((address) => address.endsWith(':0'))) {
    throw new ExitError(EXIT.config, scene.text('socketNeedsPort'));
  }
  if (options.scope === 'system') return prepareSystemService({ definition, scene, output, isJson: options.isJson });
  const manager = await usableManager(scene);
  await refuseOtherGateway(scene, manager);
  const progress = openProgress(output, options.isJson);
  try {
    const installation = await install({ scene, manager, definition, options, progress });
    progress.end(installation.arrival.t === 'healthy');
    return report(installation, { context, scene, isJson: options.isJson });
  } finally {
    progress.end(false);
  }
}

async function readOptions(given: Record<string, unknown>, { output }: CommandContext): Promise<InstallOptions> {
  const { port, bind } = given;
  const timeout = String(given['timeout'] ?? '60s');
  const timeoutMs = parseDuration(timeout);
  if (timeoutMs === undefined) throw new ExitError(EXIT.usage, output.text('badDuration', { value: timeout }));
  return {
    ...(typeof port === 'string' ? { port: readPort(port, output) } : {}),
    ...(typeof bind === 'string' ? { bind } : {}),
    token: await readTokenOption(given['token']),
    hasSocket: given['socket'] === true,
    scope: given['system'] === true ? 'system' : 'user',
    isForced: given['force'] === true,
    isJson: given['json'] === true,
    timeoutMs,
  };
}

/** It holds the lock, so that the service could only end again. */
async function refuseOtherGateway({ paths, text }: ServiceScene, manager: ServiceManager): Promise<void> {
  const instance = await findInstance(paths, ANSWER_MS);
  if (!isRunning(instance)) return;
  const { pid } = identityOf(instance);
  const run = await manager.look();
  // Not every manager tells the process.
  const isOurs =
    run.pid === null ? instance.status?.service === manager.kind && run.state === 'running' : run.pid === pid;
  if (isOurs) return;
  throw new ExitError(EXIT.failure, text('otherGateway', { pid: pid ?? '?' }), { hint: text('otherGatewayHint') });
}

const ANSWER_MS = 2_000;

type Step = {
  scene: ServiceScene;
  manager: ServiceManager;
  definition: ServiceDefinition;
  options: InstallOptions;
  progress: Progress;
};

type Installation = { result: Result; definition: ServiceDefinition; arrival: Arrival; proofs: Proof[] };

async function install({ scene, manager, definition, options, progress }: Step): Promise<Installation> {
  const { paths, text, env } = scene;
  progress.step(text('stepWrite', { path: manager.mainFile }));
  const isNew = manager.read() === undefined;
  const isTokenNew = options.token !== undefined && storeToken(options.token, scene);
  prepareEnvFile(scene);
  const changed = writeServiceFiles(manager.render(definition));
  await manager.enable(definition);
  const lingerFailure = manager.survivesLogout() === 'no' ? await manager.keepAfterLogout() : null;
  progress.step(text('stepStart'));
  const instance = await findInstance(paths, ANSWER_MS);
  const isChanged = changed.length > 0 || isTokenNew || options.isForced;
  if (isChanged) await replaceGateway({ scene, manager, instance, hasNewDefinition: true });
  else if (!isRunning(instance)) await manager.start();
  progress.step(text('stepWait'));
  const previous = isChanged ? identityOf(instance).instanceId : undefined;
  const arrival = await waitForService({ paths, env, manager, previous, timeoutMs: options.timeoutMs });
  const proofs = await proveService({ scene, manager, definition, arrival, lingerFailure });
  return { result: resultOf(isNew, isChanged), definition, arrival, proofs };
}

function resultOf(isNew: boolean, isChanged: boolean): Result {
  if (isNew) return 'installed';
  return isChanged ? 'updated' : 'already-installed';
}

type Telling = { context: CommandContext; scene: ServiceScene; isJson: boolean };

function report(
  { result, definition, arrival, proofs }: Installation,
  { context: { output }, scene, isJson }: Telling,
): number {
  const { text, name, manager, serviceDir } = scene;
  const isProven = proofs.every((proof) => proof.result !== 'no');
  const sight = arrival.t === 'healthy' ? arrival.sight : undefined;
  if (isJson) {
    const place = { name, path: manager?.mainFile, port: sight?.endpoint.port ?? null, pid: sight?.moment.pid ?? null };
    output.json({ ok: isProven, result, ...place, version: definition.version, proofs });
    return isProven ? EXIT.ok : EXIT.failure;
  }
  output.headline(isProven ? '✅' : '⚠️ ', text(isProven ? RESULT_TEXTS[result] : 'notProven', { name }));
  printProofs(proofs, output, text);
  output.line(text('envFileHint', { path: envFileOf(serviceDir) }));
  output.line(text('manageHint'));
  return isProven ? EXIT.ok : EXIT.failure;
}

const RESULT_TEXTS = { installed: 'installed', updated: 'updated', 'already-installed': 'unchanged' } as const;
