import { randomUUID } from 'node:crypto';
import { type Essentials, readEssentials } from '../lib/config/essentials.ts';
import { type Environment, isEnabled, serviceMarker } from '../lib/env.ts';
import type { WorkerOverrides } from '../lib/ipc.ts';
import type { Logger } from '../lib/log.ts';
import { planBind } from '../lib/net.ts';
import type { Paths } from '../lib/paths.ts';
import type { Redactor } from '../lib/redact.ts';
import { findLauncher } from './child.ts';
import { acquireInstanceLocks } from './instance-locks.ts';
import type { Lock } from './lock.ts';
import { warnAsPidOne } from './pid-one.ts';
import { serve } from './serve.ts';
import { catchSignals } from './signals.ts';
import { bindListeners, closeListeners, type Listener } from './socket.ts';
import { takeActivatedListeners } from './socket-activation.ts';

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
  /** The programs that become the worker and the one that answers 503: absolute paths. */
  workerEntry: string;
  responderEntry: string;
  /** Ends whoever listens on the port, as `--force` asks. */
  isForced: boolean;
  redactor: Redactor;
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
  // It ends us as it would without this; but where a service has no standard error that anybody reads, the log has it too.
  const onFault = (error: Error): void => options.log.fatal({ err: error }, 'The supervisor has a fault and ends.');
  process.on('uncaughtExceptionMonitor', onFault);
  process.title = 'xopc-supervisor';
  const readCurrent = essentialsReader(options);
  const { paths, isForced, log } = options;
  try {
    warnAsPidOne(log);
    const activated = takeActivatedListeners(options.env);
    if (isForced && activated === null) await freePort(readCurrent().port, log);
    const instanceId = randomUUID();
    const locks = await acquireInstanceLocks({ paths, instanceId, isForced });
    return await holding(locks, async () => {
      if (locks.replaced !== null) await reap(locks.replaced.instanceId, log);
      const listeners = activated ?? (await openListeners(options, readCurrent()));
      try {
        return await serve({
          ...options,
          ...{ signals, instanceId, locks, listeners, readEssentials: readCurrent },
          isInPlace: isEnabled(options.env, 'XOPC_NO_RESPAWN'),
          service: serviceMarker(options.env) ?? null,
          launcher: findLauncher(options.env),
        });
      } finally {
        closeListeners(listeners);
      }
    });
  } finally {
    process.off('uncaughtExceptionMonitor', onFault);
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
      log.warn(
        { path: paths.configPath, err: error },
        'The configuration cannot be read; the last settings stay in force.',
      );
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

/** What a gateway that was killed left running: it would hold sessions, files and processor time for ever (ORPH-2). */
async function reap(instanceId: string, log: Logger): Promise<void> {
  const { reapSurvivors } = await import('./reaper.ts');
  for (const { pid, command } of await reapSurvivors(instanceId)) {
    log.warn({ ended: pid, command }, 'Ended a process that the last gateway left behind.');
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

async function openListeners({ env, log, paths }: SupervisorOptions, { bind, port }: Essentials): Promise<Listener[]> {
  const plan = planBind(bind.mode, bind.customHost, env);
  if (plan.warning !== undefined) log.warn(plan.warning);
  return bindListeners({
    hosts: plan.hosts,
    port,
    locksDir: paths.locksDir,
    onSkipped: (host, reason) => log.warn({ host, port, reason }, 'Not listening on this address.'),
  });
}
