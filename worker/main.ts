import { setTimeout as sleep } from 'node:timers/promises';
import { readLastGood } from '../lib/config/backups.ts';
import { ConfigError, loadConfig, readConfig } from '../lib/config/load.ts';
import type { Config } from '../lib/config/schema.ts';
import { readEnvironment } from '../lib/env.ts';
import { ExitError, errorMessage } from '../lib/errors.ts';
import { EXIT } from '../lib/exit.ts';
import {
  type Channel,
  openWorkerChannel,
  type SupervisorMessage,
  type WorkerMessage,
  waitForMessage,
} from '../lib/ipc.ts';
import { createLogger, type Logger, terminalOutput } from '../lib/log.ts';
import { openLogFile } from '../lib/log-file.ts';
import { resolvePaths } from '../lib/paths.ts';
import { createRedactor } from '../lib/redact.ts';
import { VERSION } from '../lib/version.ts';
import { captureOutput } from './captured-output.ts';
import { startHeartbeat } from './heartbeat.ts';
import { collectMessages } from './mailbox.ts';
import { startSentinel } from './sentinel.ts';
import { type ServeOptions, serve } from './serve.ts';

const WELCOME_MS = 10_000;

/** Runs the worker until it is drained. Returns the exit code; what needs a person is told to the supervisor first. */
export async function runWorker(): Promise<number> {
  const startedAt = performance.now();
  if (process.send === undefined) {
    process.stderr.write('This program is started by "xopc gateway", not by hand.\n');
    return EXIT.usage;
  }
  const channel = openWorkerChannel(process);
  const env = readEnvironment();
  const paths = resolvePaths(env);
  const redactor = createRedactor();
  const log = createLogger({
    process: 'worker',
    level: 'info',
    redactor,
    file: openLogFile(paths.logFile),
    ...terminalOutput(env),
  });
  captureOutput(log);
  const heartbeat = startHeartbeat(channel);
  const mailbox = collectMessages(channel, { onReport: () => heartbeat.report(log) });
  try {
    channel.send({ t: 'worker.hello', pid: process.pid, version: VERSION });
    const welcome = await waitForMessage(channel, 'sup.welcome', WELCOME_MS);
    const load = (): Config => loadFor(welcome, { env, paths, log });
    const config = loadOrFallBack(load, welcome, { env, paths, log });
    const round = { channel, mailbox, env, paths, redactor, heartbeat, log, startedAt, loadNext: load };
    const onServing = once(() => watchOverLoop(config));
    await Promise.race([nextCrash(), serveRounds({ ...round, welcome, config, onServing })]);
    return EXIT.ok;
  } catch (error) {
    return reportFatal(error, channel, log);
  }
}

/** What the sentinel waits for is well before the supervisor grows suspicious, so that the stack is there by then. */
const BLOCKED_SHARE = 0.2;
const MAX_BLOCKED_MS = 3_000;

function watchOverLoop({ gateway }: Config): void {
  const { hangTimeout } = gateway;
  if (hangTimeout === 0) return;
  const thread = new URL('../worker/sentinel-thread.js', import.meta.url);
  startSentinel({ thread, blockedMs: Math.min(MAX_BLOCKED_MS, hangTimeout * BLOCKED_SHARE) });
}

function once(act: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) act();
    isDone = true;
  };
}

/** One round; with `XOPC_NO_RESPAWN` each restart is another one in the same process. */
async function serveRounds(options: ServeOptions): Promise<void> {
  for (let next = options; ; ) {
    const served = await serve(next);
    if (served.t === 'drained') return;
    const { config, leaseEpoch } = served;
    next = { ...options, config, welcome: { ...options.welcome, leaseEpoch, role: 'serve' } };
  }
}

/**
 * After a crash nobody is there to mend a file that was broken meanwhile: the gateway goes on with the last one that served, and says so
 * (CFG-4). A first start, and a restart while another worker serves, fail on it instead.
 */
function loadOrFallBack(
  load: () => Config,
  { generation, peers, overrides }: ServeOptions['welcome'],
  { env, paths, log }: Pick<ServeOptions, 'env' | 'paths' | 'log'>,
): Config {
  try {
    return load();
  } catch (error) {
    const text = generation > 1 && peers.length === 0 ? readLastGood(paths) : undefined;
    if (!(error instanceof ConfigError) || text === undefined) throw error;
    log.error({ problems: error.problems }, 'The configuration has faults; going on with the last one that served');
    return readConfig(text, paths.configPath, env, overrides).config;
  }
}

/** The configuration for a role: in safe mode everything is off that may have made the workers crash (LOOP-2). Says what is odd in it. */
function loadFor(
  { overrides, role }: Pick<ServeOptions['welcome'], 'overrides' | 'role'>,
  { env, paths, log }: Pick<ServeOptions, 'env' | 'paths' | 'log'>,
): Config {
  const { config, warnings } = loadConfig(paths.configPath, env, overrides);
  log.level(config.logging.level);
  for (const { path, message } of warnings) log.warn(`Configuration: ${path} ${message}`);
  if (role !== 'safe') return config;
  log.warn('Safe mode: channels, cron and extensions are off');
  return { ...config, channels: withoutChannels(config.channels), cron: { ...config.cron, enabled: false } };
}

function withoutChannels({ telegram, webhook, weixin, ...rest }: Config['channels']): Config['channels'] {
  return {
    ...rest,
    telegram: { ...telegram, enabled: false },
    webhook: { ...webhook, enabled: false },
    weixin: { ...weixin, enabled: false },
  };
}

/** Rejects with the first error that nobody catches, so that its reason is in the log and not only on a terminal. */
function nextCrash(): Promise<never> {
  return new Promise((_resolve, reject) => {
    process.once('uncaughtException', reject);
  });
}

/** A configuration or state that a person must mend ends with its own code; anything else is a crash, and the supervisor tries again. */
async function reportFatal(
  error: unknown,
  channel: Channel<SupervisorMessage, WorkerMessage>,
  log: Logger,
): Promise<number> {
  const exitCode =
    error instanceof ExitError ? error.exitCode : error instanceof ConfigError ? EXIT.config : EXIT.failure;
  const hint = error instanceof ExitError ? error.hint : undefined;
  log.fatal({ err: error, exitCode }, 'The worker cannot go on');
  channel.send({ t: 'worker.fatal', exitCode, message: errorMessage(error), ...(hint === undefined ? {} : { hint }) });
  // The message is in the pipe, but not yet out of this process.
  await sleep(20);
  return exitCode;
}
