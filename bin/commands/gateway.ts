import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readEssentials } from '../../lib/config/essentials.ts';
import { readConfigSource } from '../../lib/config/source.ts';
import { readGeneratedToken } from '../../lib/credential.ts';
import { type Environment, serviceMarker } from '../../lib/env.ts';
import { ExitError, errorMessage } from '../../lib/errors.ts';
import { EXIT, serviceExitCode } from '../../lib/exit.ts';
import { ensurePrivateDirectory, narrowMode, writeFileAtomic } from '../../lib/fs.ts';
import type { WorkerOverrides } from '../../lib/ipc.ts';
import { createLogger, type Logger, terminalOutput } from '../../lib/log.ts';
import { openLogFile } from '../../lib/log-file.ts';
import { displayUrl } from '../../lib/net.ts';
import { type Paths, resolvePaths } from '../../lib/paths.ts';
import { createRedactor } from '../../lib/redact.ts';
import { maskSecret } from '../../lib/token.ts';
import { recordFatal } from '../../supervisor/fatal.ts';
import { type ReadyInfo, runSupervisor } from '../../supervisor/index.ts';
import type { CommandContext } from '../context.ts';
import { clearLegacyPidFiles } from '../legacy.ts';
import type { Output } from '../output.ts';
import { readPort } from '../read-port.ts';
import { readStandardInput } from '../stdin.ts';

export type GatewayOptions = { port?: string; bind?: string; token?: string; force?: boolean };

/** `xopc gateway`: runs the gateway until it is stopped. Returns its exit code, or throws it, in the form that the service manager needs. */
export async function startGateway(context: CommandContext, options: GatewayOptions): Promise<number> {
  process.umask(0o077);
  const { env, configFlag } = context;
  const paths = resolvePaths(env, configFlag);
  try {
    return await runGateway(context, options, paths);
  } catch (error) {
    if (!(error instanceof ExitError)) throw error;
    await keepReason(error, paths);
    if (serviceMarker(env) === 'schtasks') await disableTask(env);
    const { exitCode, message, hint } = error;
    throw new ExitError(serviceExitCode(exitCode, serviceMarker(env)), message, {
      cause: error,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

async function runGateway({ env, output }: CommandContext, options: GatewayOptions, paths: Paths): Promise<number> {
  const overrides = await readOverrides(options, output);
  prepareDirectories(paths);
  await clearLegacyPidFiles(paths, output);
  if (writeFirstConfig(paths.configPath)) output.line(output.text('firstStart', { path: paths.configPath }));
  assertParses(paths.configPath, env);
  const redactor = createRedactor();
  redactor.add(overrides.token);
  const log = createLogger({
    process: 'supervisor',
    level: 'info',
    redactor,
    file: openLogFile(paths.logFile),
    ...terminalOutput(env),
  });
  repairModes(paths, log);
  let isFirst = true;
  return runSupervisor({
    paths,
    env: workerEnvironment(env, paths),
    overrides,
    workerEntry: join(import.meta.dirname, '../worker/index.js'),
    responderEntry: join(import.meta.dirname, 'supervisor-responder.js'),
    redactor,
    isForced: options.force === true,
    log,
    onReady(info) {
      if (isFirst) printBanner({ output, paths, env, overrides, info });
      isFirst = false;
    },
  });
}

/** A service may have no output that anybody sees, and perhaps an exit code of 0 (LOOP-1). */
async function keepReason(error: ExitError, paths: Paths): Promise<void> {
  const { exitCode, message, hint } = error;
  if (exitCode === EXIT.usage) return;
  try {
    await recordFatal(error, paths);
    const file = openLogFile(paths.logFile);
    const log = createLogger({ process: 'supervisor', level: 'info', redactor: createRedactor(), file });
    log.fatal({ exitCode, reason: message, hint }, 'The gateway ends, and a person has to see to it.');
  } catch {
    // A full or foreign disk, which may be the very reason; that is said on standard error in any case.
  }
}

/** The scheduler looks at no exit code: it would start us again each minute (LOOP-1). */
async function disableTask(env: Environment): Promise<void> {
  const { disableOwnTask } = await import('../../supervisor/service/schtasks.ts');
  await disableOwnTask(env);
}

async function readOverrides(options: GatewayOptions, output: Output): Promise<WorkerOverrides> {
  const token = options.token === '-' ? (await readStandardInput()).trim() : options.token;
  return {
    ...(options.port === undefined ? {} : { port: readPort(options.port, output) }),
    ...(options.bind === undefined ? {} : { bind: options.bind }),
    ...(token === undefined ? {} : { token }),
  };
}

function prepareDirectories(paths: Paths): void {
  for (const directory of [
    dirname(paths.configPath),
    paths.stateDir,
    paths.locksDir,
    paths.runDir,
    paths.logsDir,
    paths.credentialsDir,
  ]) {
    if (!existsSync(directory)) ensurePrivateDirectory(directory);
  }
}

/** What others could read is narrowed and said (SEC-2). A configuration that lives outside of our directories keeps its folder's mode. */
function repairModes(paths: Paths, log: Logger): void {
  const directories = [paths.locksDir, paths.runDir, paths.logsDir, paths.credentialsDir];
  const narrowed = [
    ...directories.filter((path) => narrowMode(path, 0o700)),
    ...[paths.configPath, paths.tokenFile].filter((path) => narrowMode(path, 0o600)),
  ];
  for (const path of narrowed) log.warn({ path }, 'This was open to other users of the machine; it is not any more');
}

const FIRST_CONFIG = {
  $schema: './xopc.schema.json',
  gateway: { bind: 'loopback', port: 18_790, auth: { mode: 'token' } },
  agents: { defaults: {} },
  providers: {},
  channels: {},
};

/** Writes a configuration where there is none, with the schema beside it for editors. True when it did. */
function writeFirstConfig(path: string): boolean {
  if (existsSync(path)) return false;
  const schema = join(import.meta.dirname, '../xopc.schema.json');
  if (existsSync(schema)) writeFileAtomic(join(dirname(path), 'xopc.schema.json'), readFileSync(schema, 'utf8'));
  writeFileAtomic(path, `${JSON.stringify(FIRST_CONFIG, null, 2)}\n`);
  return true;
}

/** Refuses a file that is no JSON: its port cannot be read either, and the default one may be somebody else's. The worker judges the rest. */
function assertParses(path: string, env: Environment): void {
  const { value, problems } = readSource(path, env);
  if (problems.length === 0 || Object.keys(value).length > 0) return;
  const lines = problems.map((problem) => `  ${problem.path}: ${problem.message}`);
  throw new ExitError(EXIT.config, `The configuration ${path} cannot be used:\n${lines.join('\n')}`);
}

function readSource(path: string, env: Environment): ReturnType<typeof readConfigSource> {
  try {
    return readConfigSource(path, env);
  } catch (error) {
    throw new ExitError(EXIT.config, `The configuration ${path} cannot be read: ${errorMessage(error)}`, {
      hint: 'It must be a file that you may read. Correct it, or name another one with --config.',
    });
  }
}

/** The worker finds the same files by its environment: nothing of it is in its command line. */
function workerEnvironment(env: Environment, paths: Paths): Environment {
  return { ...env, XOPC_CONFIG: paths.configPath, XOPC_STATE_DIR: paths.stateDir, XOPC_HOME: dirname(paths.locksDir) };
}

type Banner = { output: Output; paths: Paths; env: Environment; overrides: WorkerOverrides; info: ReadyInfo };

function printBanner({ output, paths, env, overrides, info }: Banner): void {
  const { authMode, secret } = readEssentials(paths.configPath, env, overrides);
  const token = secret ?? readGeneratedToken(paths.tokenFile) ?? '';
  const url = displayUrl(info.hosts[0] ?? '127.0.0.1', info.port);
  const say = (line: string): void => output.line(`   ${line}`);
  output.line();
  output.headline('✅', output.text('running'));
  say(output.text('url', { url }));
  if (authMode === 'token') say(output.text('token', { token: maskSecret(token) }));
  else say(output.text(authMode === 'none' ? 'noAuth' : 'password'));
  say(output.text('pids', { supervisor: info.supervisorPid, worker: info.workerPid }));
  say(output.text('config', { path: paths.configPath }));
  // The fragment never leaves the browser; it is shown to a person only.
  if (output.isTerminal)
    say(output.text('console', { url: authMode === 'token' ? `${url}/#token=${token}` : `${url}/` }));
  else say(output.text('console', { url: `${url}/` }));
  if (output.isTerminal) say(output.text('pressCtrlC'));
  output.line();
}
