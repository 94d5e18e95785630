import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import type { Environment } from '../lib/env.ts';
import { errorCode, errorMessage } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';

/** Tells the service manager how the gateway is (sd_notify(3)). No call waits or throws. */
export type Notifier = {
  /** The manager restarts us when `watchdog` is not called for this long, in milliseconds; null when it does not watch. */
  readonly watchdogMs: number | null;
  /** We serve: after the start, and after each `reloading`. */
  ready(status: string): void;
  reloading(): void;
  /** We are about to end. Resolves when everything is said, or after 1 s: await it before the exit. May be called twice. */
  stopping(): Promise<void>;
  /** One line for `systemctl status`. */
  status(text: string): void;
  watchdog(): void;
};

export type NotifierOptions = {
  /** How long one message may take; default 5 s. */
  timeoutMs?: number;
};

const PROGRAM = 'systemd-notify';
const TIMEOUT_MS = 5_000;
const FLUSH_MS = 1_000;
const RETRY_MS = 100;
const MAX_ATTEMPTS = 3;

/** Opens the way to the manager that `NOTIFY_SOCKET` names. Without one every call does nothing. */
export function openNotifier(env: Environment, log: Logger, options: NotifierOptions = {}): Notifier {
  return env['NOTIFY_SOCKET'] === undefined ? SILENT : new SystemdNotifier(env, log, options);
}

/** The environment without what a service manager says to us alone (sd_notify(3), sd_listen_fds(3)): a worker that had it could speak for us. */
export function withoutServiceVariables(env: Environment): Environment {
  const isOurs = (name: string): boolean => name === 'NOTIFY_SOCKET' || /^(WATCHDOG|LISTEN)_/.test(name);
  return Object.fromEntries(Object.entries(env).filter(([name]) => !isOurs(name)));
}

const SILENT: Notifier = {
  watchdogMs: null,
  ready: () => undefined,
  reloading: () => undefined,
  stopping: () => Promise.resolve(),
  status: () => undefined,
  watchdog: () => undefined,
};

type Batch = { state: string[] | null; status: string | null; lines: string[] };
type Failure = { reason: string; isMissing: boolean };

/** Sends through the program `systemd-notify`, one run at a time: Node has no datagram sockets of the Unix kind. */
class SystemdNotifier implements Notifier {
  readonly watchdogMs: number | null;
  readonly #env: Record<string, string | undefined>;
  readonly #log: Logger;
  readonly #timeoutMs: number;
  /** Each is said, in this order. Of a status and a sign of life only the newest counts. */
  readonly #states: string[][] = [];
  #status: string | null = null;
  #isAlive = false;
  #attempts = 0;
  #isBusy = false;
  #isMissing = false;
  #isStopping = false;
  #hasWarned = false;
  #waiting: (() => void)[] = [];

  constructor(env: Environment, log: Logger, { timeoutMs = TIMEOUT_MS }: NotifierOptions) {
    this.watchdogMs = readWatchdogMs(env);
    // Nothing else of ours is that program's business. It leaves the main process alone as long as --pid is not given.
    this.#env = { PATH: env['PATH'], NOTIFY_SOCKET: env['NOTIFY_SOCKET'] };
    this.#log = log;
    this.#timeoutMs = timeoutMs;
  }

  ready(status: string): void {
    this.#states.push(['READY=1']);
    this.status(status);
  }

  reloading(): void {
    // The manager wants to know when, by the clock that Node calls hrtime.
    this.#states.push(['RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1_000n}`]);
    this.#sendNext();
  }

  async stopping(): Promise<void> {
    if (!this.#isStopping) this.#states.push(['STOPPING=1']);
    this.#isStopping = true;
    const isSaid = new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#sendNext();
    await Promise.race([isSaid, delay(FLUSH_MS)]);
  }

  status(text: string): void {
    // A line break would begin another statement.
    this.#status = text.replace(/\p{Cc}+/gu, ' ');
    this.#sendNext();
  }

  watchdog(): void {
    this.#isAlive = true;
    this.#sendNext();
  }

  #sendNext(): void {
    if (this.#isBusy) return;
    const batch = this.#takeBatch();
    if (batch.lines.length > 0 && !this.#isMissing) {
      this.#isBusy = true;
      const run = { lines: batch.lines, env: this.#env, timeoutMs: this.#timeoutMs };
      runProgram(run, (failure) => this.#onEnd(batch, failure));
      return;
    }
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #takeBatch(): Batch {
    const state = this.#states.shift() ?? null;
    const status = this.#status;
    const lines = [
      ...(state ?? []),
      ...(status === null ? [] : [`STATUS=${status}`]),
      ...(this.#isAlive ? ['WATCHDOG=1'] : []),
    ];
    this.#status = null;
    this.#isAlive = false;
    return { state, status, lines };
  }

  #onEnd(batch: Batch, failure: Failure | null): void {
    this.#isBusy = false;
    if (failure === null) this.#hasWarned = false;
    else this.#warn(failure);
    if (failure === null || batch.state === null || this.#isMissing || this.#attempts + 1 >= MAX_ATTEMPTS) {
      this.#attempts = 0;
      this.#sendNext();
      return;
    }
    // Without its READY the manager would end us: a state is said again, before those that came after it.
    this.#attempts += 1;
    this.#states.unshift(batch.state);
    this.#status ??= batch.status;
    this.#isBusy = true;
    setTimeout(() => {
      this.#isBusy = false;
      this.#sendNext();
    }, RETRY_MS);
  }

  #warn({ reason, isMissing }: Failure): void {
    this.#isMissing = isMissing;
    if (isMissing) this.#states.length = 0;
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    const advice = isMissing ? ` Install ${PROGRAM}, or use Type=simple without WatchdogSec in the unit.` : '';
    this.#log.warn({ reason }, `The service manager cannot be told how the gateway is.${advice}`);
  }
}

function readWatchdogMs(env: Environment): number | null {
  const { WATCHDOG_USEC: period, WATCHDOG_PID: pid } = env;
  if (period === undefined || !/^[1-9]\d*$/.test(period)) return null;
  if (pid !== undefined && pid !== String(process.pid)) return null;
  return Math.floor(Number(period) / 1_000);
}

type Run = { lines: readonly string[]; env: Record<string, string | undefined>; timeoutMs: number };

/** Runs the program once and reports its end, never before it returns. A run that takes too long is killed. */
function runProgram({ lines, env, timeoutMs }: Run, report: (failure: Failure | null) => void): void {
  let isReported = false;
  const reportOnce = (failure: Failure | null): void => {
    if (!isReported) report(failure);
    isReported = true;
  };
  const onError = (error: unknown): void =>
    reportOnce({ reason: errorMessage(error), isMissing: errorCode(error) === 'ENOENT' });
  try {
    const child = spawn(PROGRAM, lines, { env, stdio: 'ignore', timeout: timeoutMs, killSignal: 'SIGKILL' });
    child.once('error', onError);
    child.once('close', (code, signal) => {
      const reason = signal === null ? `exit code ${code}` : `no end within ${timeoutMs} ms`;
      reportOnce(code === 0 ? null : { reason: `${PROGRAM}: ${reason}`, isMissing: false });
    });
  } catch (error) {
    // No memory for another process.
    setImmediate(onError, error);
  }
}
