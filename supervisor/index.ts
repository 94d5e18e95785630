import { randomUUID } from 'node:crypto';
import { type Essentials, readEssentials } from '../lib/config/essentials.ts';
import type { Environment } from '../lib/env.ts';
import { ExitError, errorMessage } from '../lib/errors.ts';
import type { WorkerOverrides } from '../lib/ipc.ts';
import type { Logger } from '../lib/log.ts';
import { planBind } from '../lib/net.ts';
import type { Paths } from '../lib/paths.ts';
import { findLauncher } from './child.ts';
import { acquireInstanceLocks } from './instance-locks.ts';
import type { Lock, LockUpdate } from './lock.ts';
import { RunLoop, type RunLoopOptions } from './run-loop.ts';
import { catchSignals, type Signals } from './signals.ts';
import { bindListeners, closeListeners, type Listener } from './socket.ts';

/** What a person may be told when a worker begins to serve. */
export type ReadyInfo = {
  hosts: string[];
  port: number;
  supervisorPid: number;
  workerPid: number;
  generation: number;
  bootMs: number;
};

export type SupervisorOptions = {
  paths: Paths;
  env: Environment;
  overrides: WorkerOverrides;
  /** The program that becomes the worker: an absolute path. */
  workerEntry: string;
  /** Ends whoever listens on the port, as `--force` asks. */
  isForced: boolean;
  log: Logger;
  /** Called for each worker that becomes active. */
  onReady(info: ReadyInfo): void;
};

/**
 * Runs the gateway until it is stopped and returns the exit code: 0, or 130 and 143 when it was forced. Rejects with an
 * `ExitError` for what needs a person: 69 port busy, 75 already running, 76 and 78 as the worker says.
 */
export async function runSupervisor(options: SupervisorOptions): Promise<number> {
  const signals = catchSignals();
  process.title = 'xopc-supervisor';
  const readCurrent = essentialsReader(options);
  try {
    if (options.isForced) await freePort(readCurrent().port, options.log);
    const instanceId = randomUUID();
    const locks = await acquireInstanceLocks({ paths: options.paths, instanceId, isForced: options.isForced });
    return await holding(locks, async () => {
      const listeners = await openListeners(options, readCurrent());
      try {
        return await serve({ options, signals, instanceId, locks, listeners, readEssentials: readCurrent });
      } finally {
        closeListeners(listeners);
      }
    });
  } finally {
    signals.close();
  }
}

/** Reads the settings afresh each time. A file that cannot be read must not keep a signal from its effect: then the last ones count. */
function essentialsReader({ paths, env, overrides, log }: SupervisorOptions): () => Essentials {
  const read = (): Essentials => readEssentials(paths.configPath, env, overrides);
  let last = read();
  return () => {
    try {
      last = read();
    } catch (error) {
      log.warn({ err: error }, 'The configuration cannot be read; the last settings stay in force.');
    }
    return last;
  };
}

async function freePort(port: number, log: Logger): Promise<void> {
  if (port === 0) return;
  const { endListeners } = await import('./port.ts');
  for (const { pid, command } of await endListeners(port)) {
    log.warn({ ended: pid, command, port }, 'Ended the process that held the port.');
  }
}

async function holding(locks: Lock, work: () => Promise<number>): Promise<number> {
  const release = (): void => locks.release();
  // Also when something throws where nobody catches, so that the next start finds no stale lock.
  process.once('exit', release);
  try {
    return await work();
  } finally {
    release();
    process.off('exit', release);
  }
}

async function openListeners({ env, log }: SupervisorOptions, { bind, port }: Essentials): Promise<Listener[]> {
  const plan = planBind(bind.mode, bind.customHost, env);
  if (plan.warning !== undefined) log.warn(plan.warning);
  return bindListeners({
    hosts: plan.hosts,
    port,
    onSkipped: (host, reason) => log.warn({ host, port, reason }, 'Not listening on this address.'),
  });
}

type ServeOptions = Pick<RunLoopOptions, 'instanceId' | 'listeners' | 'readEssentials'> & {
  options: SupervisorOptions;
  signals: Signals;
  locks: Lock;
};

async function serve({ options, signals, locks, ...rest }: ServeOptions): Promise<number> {
  const { env, log, overrides, workerEntry } = options;
  const port = rest.listeners[0]?.port ?? 0;
  const hosts = rest.listeners.map(({ host }) => host);
  const publish = (change: LockUpdate): void => publishTo(locks, change, log);
  publish({ port });
  const loop = new RunLoop({
    ...rest,
    ...{ env, log, overrides, workerEntry, publish },
    launcher: findLauncher(env),
    onActivated: ({ pid, ...worker }) =>
      options.onReady({ hosts, port, supervisorPid: process.pid, workerPid: pid, ...worker }),
  });
  // A stop that came while we took the lock is dealt with first, and then nothing is forked.
  signals.connect((signal) => loop.onSignal(signal));
  loop.start();
  const { exitCode, failure } = await loop.done;
  if (failure === null) return exitCode;
  throw new ExitError(failure.exitCode, failure.message, failure.hint === undefined ? {} : { hint: failure.hint });
}

/** The lock file only informs; that it cannot be written (a full disk) must not stop a gateway that serves. */
function publishTo(locks: Lock, change: LockUpdate, log: Logger): void {
  try {
    if (!locks.update(change)) log.error('The lock file is no longer ours: somebody removed or replaced it.');
  } catch (error) {
    log.warn({ reason: errorMessage(error) }, 'The lock file cannot be updated.');
  }
}
