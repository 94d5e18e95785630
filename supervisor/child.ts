import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import type { Environment } from '../lib/env.ts';
import { errorMessage } from '../lib/errors.ts';
import { openSupervisorChannel, type SupervisorMessage, type WorkerMessage } from '../lib/ipc.ts';
import type { Listener } from './socket.ts';

/** One forked worker process. */
export type WorkerProcess = {
  readonly generation: number;
  /** Undefined when the process could not be started. */
  readonly pid: number | undefined;
  /** False when the worker is gone or does not read its messages. */
  send(message: SupervisorMessage): boolean;
  /** Hands over the sockets, one message each. */
  sendListeners(listeners: readonly Listener[]): void;
  /** Ends the worker and everything it started, at once. */
  kill(): void;
};

export type ForkOptions = {
  generation: number;
  entry: string;
  env: Environment;
  /** Command and arguments to put before node, as `findLauncher` returns them. */
  launcher: readonly string[];
  /** How long the worker may take to say hello before it is killed; default 10 s. */
  helloMs?: number;
  /** Where its standard error goes; by default where ours goes. */
  errorFd?: number;
  onMessage(message: WorkerMessage): void;
  /** Called once, after the last message. */
  onExit(end: WorkerEnd): void;
};

/** How a worker ended. `cause` is the exit code, the signal or the error in words. */
export type WorkerEnd = { code: number | null; signal: string | null; cause: string };

const HELLO_MS = 10_000;
/** How long the pipe may take to empty after the process has ended. */
const CLOSE_MS = 500;
/** How long a worker that closed its pipe may live on: nobody can tell it anything any more. */
const DISCONNECTED_MS = 2_000;

/** Forks a worker in its own process group, with nothing but its entry in the command line. A command that is missing is an exit, not a throw. */
export function forkWorker(options: ForkOptions): WorkerProcess {
  const [command = process.execPath, ...args] = [...options.launcher, process.execPath, options.entry];
  // Own group: Ctrl+C reaches the supervisor only, and what the worker started can be ended with it.
  // No pipes for output: a full one would block or bloat the worker.
  const child = spawn(command, args, {
    detached: true,
    stdio: ['ignore', 'inherit', options.errorFd ?? 'inherit', 'ipc'],
    env: { ...options.env },
    windowsHide: true,
  });
  const channel = openSupervisorChannel(child);
  const kill = (): void => {
    // Afterwards its pid may be somebody else's.
    if (!hasExited(child)) killGroup(child);
  };
  const helloMs = options.helloMs ?? HELLO_MS;
  let isSilent = false;
  const helloTimer = setTimeout(() => {
    isSilent = true;
    kill();
  }, helloMs);
  channel.onMessage((message) => {
    if (message.t === 'worker.hello') clearTimeout(helloTimer);
    options.onMessage(message);
  });
  watchExit(child, (end) => {
    clearTimeout(helloTimer);
    options.onExit(isSilent ? { ...end, cause: `no hello within ${helloMs} ms` } : end);
  });
  return {
    generation: options.generation,
    pid: child.pid,
    // Node calls a child connected that could not even be started.
    send: (message) => child.pid !== undefined && channel.send(message),
    sendListeners(listeners) {
      for (const { host, port, handle } of listeners) channel.send({ t: 'listener.take', host, port }, handle);
    },
    kill,
  };
}

/**
 * The command that makes the kernel kill a worker whose supervisor died, even one whose event loop is blocked (ORPH-1):
 * `setpriv --pdeathsig KILL` on Linux. Empty where it is missing or cannot do that (busybox has one that cannot).
 */
export function findLauncher(env: Environment): readonly string[] {
  if (process.platform !== 'linux') return [];
  const launcher = ['setpriv', '--pdeathsig', 'KILL'];
  const [command = '', ...args] = launcher;
  const trial = spawnSync(command, [...args, 'true'], { env: { ...env }, stdio: 'ignore', timeout: 2_000 });
  return trial.status === 0 ? launcher : [];
}

/** Reports the end once, after the messages that were still in the pipe (`close`), but not much later than the process's end. */
function watchExit(child: ChildProcess, report: (end: WorkerEnd) => void): void {
  let isReported = false;
  let isCutOff = false;
  let timer: NodeJS.Timeout | undefined;
  const reportOnce = (end: WorkerEnd): void => {
    clearTimeout(timer);
    if (!isReported) report(end);
    isReported = true;
  };
  const describe = (code: number | null, signal: NodeJS.Signals | null): WorkerEnd => {
    if (signal === null) return { code, signal, cause: `exit code ${code}` };
    return { code, signal, cause: isCutOff ? `${signal}, as it had closed its pipe to the supervisor` : signal };
  };
  child.on('error', (error) => {
    // Also emitted for a message or signal that failed; only without a process is it the end.
    if (child.pid === undefined) reportOnce(failedStart(error));
  });
  child.on('disconnect', () => {
    if (hasExited(child)) return;
    timer = setTimeout(() => {
      isCutOff = true;
      killGroup(child);
    }, DISCONNECTED_MS);
  });
  child.on('exit', (code, signal) => {
    // A group outlives its leader while it has members: this ends the tools that the worker left behind.
    killGroup(child);
    clearTimeout(timer);
    timer = setTimeout(() => reportOnce(describe(code, signal)), CLOSE_MS);
  });
  child.on('close', (code, signal) => reportOnce(describe(code, signal)));
}

/** The end of a worker that never was one: out of memory or processes, or a command that is missing. */
export function failedStart(error: unknown): WorkerEnd {
  return { code: null, signal: null, cause: `cannot be started: ${errorMessage(error)}` };
}

function hasExited({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The group is empty, or the system (Windows) has none. Node does nothing for a child that has exited.
    child.kill('SIGKILL');
  }
}
