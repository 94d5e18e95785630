import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError, loadConfig } from '../lib/config/load.ts';
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
import { collectMessages } from './mailbox.ts';
import { serve } from './serve.ts';

const WELCOME_MS = 10_000;

/** Runs the worker until it is drained. Returns the exit code; what needs a person is told to the supervisor first. */
export async function runWorker(): Promise<number> {
  const startedAt = performance.now();
  if (process.send === undefined) {
    process.stderr.write('This program is started by "xopc gateway", not by hand.\n');
    return EXIT.usage;
  }
  const channel = openWorkerChannel(process);
  const mailbox = collectMessages(channel);
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
  try {
    channel.send({ t: 'worker.hello', pid: process.pid, version: VERSION });
    const welcome = await waitForMessage(channel, 'sup.welcome', WELCOME_MS);
    const { config, warnings } = loadConfig(paths.configPath, env, welcome.overrides);
    log.level(config.logging.level);
    for (const { path, message } of warnings) log.warn(`Configuration: ${path} ${message}`);
    await Promise.race([
      nextCrash(),
      serve({ channel, mailbox, welcome, config, env, paths, redactor, log, startedAt }),
    ]);
    return EXIT.ok;
  } catch (error) {
    return reportFatal(error, channel, log);
  }
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
