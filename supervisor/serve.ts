import { dirname } from 'node:path';
import type { Essentials } from '../lib/config/essentials.ts';
import type { Phase } from '../lib/control.ts';
import { ExitError, errorMessage } from '../lib/errors.ts';
import { modifiedAtMs } from '../lib/fs.ts';
import type { Logger } from '../lib/log.ts';
import { createAnnouncer } from './announcer.ts';
import { type ControlSocket, openControlSocket } from './control.ts';
import { createControlHandler } from './control-handler.ts';
import { openExitJournal } from './exits.ts';
import { clearFatal } from './fatal.ts';
import type { SupervisorOptions } from './index.ts';
import { consumeAtStart, consumeRestartIntent } from './intent.ts';
import { sweepLeftovers } from './leftovers.ts';
import type { Lock, LockUpdate } from './lock.ts';
import { openNotifier, withoutServiceVariables } from './notify.ts';
import { watchPort } from './probe.ts';
import { RunLoop, type RunLoopOptions } from './run-loop.ts';
import type { GatewaySignal, Signals } from './signals.ts';
import type { Listener } from './socket.ts';
import type { StatusSource } from './status.ts';
import { sweepWorkerOutput } from './worker-output.ts';

export type ServeOptions = SupervisorOptions & {
  signals: Signals;
  instanceId: string;
  locks: Lock;
  listeners: readonly Listener[];
  isInPlace: boolean;
  service: string | null;
  launcher: readonly string[];
  readEssentials(): Essentials;
};

/** Runs workers until the gateway is stopped; the caller holds the locks and the port. Returns and throws as `runSupervisor` does. */
export async function serve(options: ServeOptions): Promise<number> {
  const { paths, log, signals, instanceId } = options;
  const identity = identify(options);
  const publish = (change: LockUpdate): void => publishTo(options, change);
  publish({ port: identity.port });
  sweepWorkerOutput(paths.logsDir);
  const { locksDir, runDir, logsDir, backupsDir, configPath } = paths;
  sweepLeftovers([locksDir, runDir, logsDir, backupsDir, dirname(configPath)]);
  const notifier = openNotifier(options.env, log);
  const announcer = createAnnouncer({ notifier, identity, log });
  const everySecond = createSecondHand(options, {
    leaveSafeMode: () => loop.restart('the configuration was changed', false),
  });
  const loop: RunLoop = new RunLoop({
    ...loopOptions(options, identity),
    onChange({ reason: _reason, ...change }) {
      publish(change);
      if (change.phase !== undefined) announcer.onPhase(change.phase);
    },
    onTick: () => everySecond(loop.phase),
  });
  const control = await openControl(options, loop);
  // A stop that came while we took the lock is dealt with first, and then nothing is forked.
  signals.connect((signal) => loop.onSignal(signal, explain(signal, options)));
  const [host = '127.0.0.1'] = identity.hosts;
  const endProbe = watchPort({ host, port: identity.port, instanceId }, (reason) => loop.onUnreachable(reason));
  loop.start();
  const { exitCode, failure } = await loop.done;
  endProbe();
  control?.close();
  await announcer.close(failure?.message);
  if (failure === null) return exitCode;
  throw new ExitError(failure.exitCode, failure.message, failure.hint === undefined ? {} : { hint: failure.hint });
}

function identify({ paths, instanceId, listeners, locks, service }: ServeOptions): StatusSource['identity'] {
  const { replaced } = locks;
  const wasPlanned = consumeAtStart(paths.restartIntentFile, { replaced, now: Date.now() }) !== null;
  return {
    ...{ instanceId, service, wasPlanned, configPath: paths.configPath, stateDir: paths.stateDir },
    hosts: listeners.map(({ host }) => host),
    port: listeners[0]?.port ?? 0,
  };
}

function loopOptions(
  options: ServeOptions,
  identity: StatusSource['identity'],
): Omit<RunLoopOptions, 'onChange' | 'onTick'> {
  const { paths, env, log, redactor, isInPlace, listeners, instanceId, overrides, launcher } = options;
  const { workerEntry, responderEntry, readEssentials } = options;
  const { logsDir, logFile } = paths;
  return {
    ...{ identity, isInPlace, log, readEssentials },
    workers: {
      ...{ instanceId, workerEntry, responderEntry, overrides, launcher, listeners, log, logsDir },
      env: withoutServiceVariables(env),
    },
    journal: openExitJournal({ file: paths.lastExitsFile, logsDir, logFile, redactor, log }),
    onActivated({ pid, ...worker }) {
      forgetFatal(paths.fatalFile, log);
      const { hosts, port } = identity;
      options.onReady({ hosts, port, supervisorPid: process.pid, workerPid: pid, ...worker });
    },
  };
}

/** What it says is not true any more; that it cannot be removed must not stop a gateway that serves. */
function forgetFatal(file: string, log: Logger): void {
  try {
    clearFatal(file);
  } catch (error) {
    log.warn({ file, reason: errorMessage(error) }, 'The reason why an earlier start failed cannot be removed.');
  }
}

/** Without it the gateway serves all the same; the commands then go by the lock file and by signals. */
async function openControl(options: ServeOptions, loop: RunLoop): Promise<ControlSocket | undefined> {
  const { paths, log } = options;
  try {
    return await openControlSocket({ path: paths.controlSocket, handle: createControlHandler(options, loop), log });
  } catch (error) {
    log.error({ err: error }, 'There is no control socket: the commands know less of this gateway.');
    return undefined;
  }
}

/** How a signal is called in the log; a SIGUSR1 that our own command announced is that command (LOOP-4). */
function explain(signal: GatewaySignal, { paths, instanceId }: ServeOptions): string {
  if (signal !== 'SIGUSR1') return signal;
  const intent = consumeRestartIntent(paths.restartIntentFile, { pid: process.pid, instanceId, now: Date.now() });
  return intent === null ? signal : 'xopc gateway restart';
}

/** How often the lock file says that its owner lives, in seconds (LOCK-1, LOCK-3). */
const TOUCH_EVERY_S = 10;

/** What is done each second: the lock is kept fresh, and in safe mode a change of the configuration is a reason to try again. */
function createSecondHand(
  { locks, paths, log }: ServeOptions,
  { leaveSafeMode }: { leaveSafeMode(): void },
): (phase: Phase) => void {
  let seconds = 0;
  let seenAt = modifiedAtMs(paths.configPath);
  return (phase) => {
    seconds += 1;
    if (seconds % TOUCH_EVERY_S === 0) locks.touch();
    const changedAt = modifiedAtMs(paths.configPath);
    const isChanged = changedAt !== seenAt;
    seenAt = changedAt;
    if (!isChanged || phase !== 'safe-mode') return;
    try {
      leaveSafeMode();
    } catch (error) {
      log.warn({ reason: errorMessage(error) }, 'Safe mode goes on.');
    }
  };
}

/** The lock file only informs; that it cannot be written (a full disk) must not stop a gateway that serves. */
function publishTo({ locks, paths, log }: ServeOptions, change: LockUpdate): void {
  const { lockFile: file } = paths;
  try {
    if (!locks.update(change)) log.error({ file }, 'The lock file is no longer ours: somebody removed or replaced it.');
  } catch (error) {
    log.warn({ file, reason: errorMessage(error) }, 'The lock file cannot be updated.');
  }
}
