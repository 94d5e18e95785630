import type { Environment } from '../lib/env.ts';
import type { Heartbeat, SupervisorMessage, WorkerMessage, WorkerOverrides, WorkerRole } from '../lib/ipc.ts';
import type { Logger } from '../lib/log.ts';
import { failedStart, forkWorker, type WorkerEnd, type WorkerProcess } from './child.ts';
import type { Listener } from './socket.ts';
import { openWorkerOutput, type WorkerOutput } from './worker-output.ts';

export type LiveWorkersOptions = {
  instanceId: string;
  workerEntry: string;
  responderEntry: string;
  env: Environment;
  overrides: WorkerOverrides;
  launcher: readonly string[];
  listeners: readonly Listener[];
  logsDir: string;
  log: Logger;
  onMessage(worker: LiveWorker, message: WorkerMessage): void;
  /** Called once per worker, when nothing of it is left but its output. */
  onExit(worker: LiveWorker, end: WorkerEnd): void;
  onResponderExit(): void;
};

/** One worker process, and what is known of it besides its stage. */
export type LiveWorker = {
  readonly generation: number;
  readonly role: WorkerRole;
  readonly pid: number | undefined;
  readonly startedAt: number;
  readonly output: WorkerOutput;
  bootMs: number;
  heartbeat: (Heartbeat & { at: string }) | null;
  /** Why we killed it; null when we did not. */
  killReason: string | null;
  /** What it said itself about its end. */
  fatalMessage: string | null;
};

/** How long a responder that was told to end may take for it, twice of what it allows itself. */
const RESPONDER_FLUSH_MS = 1_000;

/** The processes that the supervisor has started and that have not ended: workers, and the responder. */
export class LiveWorkers {
  readonly #options: LiveWorkersOptions;
  readonly #workers = new Map<number, LiveWorker & { process: WorkerProcess | undefined }>();
  #responder: WorkerProcess | undefined;
  /** The responders that were told to end; they may be suspended, or stuck. */
  readonly #leaving = new Set<WorkerProcess>();

  constructor(options: LiveWorkersOptions) {
    this.#options = options;
  }

  get(generation: number): LiveWorker | undefined {
    return this.#workers.get(generation);
  }

  list(): LiveWorker[] {
    return [...this.#workers.values()];
  }

  /** Starts a worker. That it cannot be started is an exit like any other, but never before this returns. */
  fork(generation: number, role: WorkerRole): void {
    const { logsDir, workerEntry: entry } = this.#options;
    const worker = {
      ...{ generation, role, pid: undefined, process: undefined, startedAt: Date.now() },
      output: openWorkerOutput(logsDir, generation),
      ...{ bootMs: 0, heartbeat: null, killReason: null, fatalMessage: null },
    };
    this.#workers.set(generation, worker);
    const end = (how: WorkerEnd): void => this.#onExit(generation, how);
    try {
      const process = forkWorker({
        ...this.#forkOptions(generation, entry),
        errorFd: worker.output.fd,
        onMessage: (message) => this.#onMessage(generation, message),
        onExit: end,
      });
      this.#workers.set(generation, { ...worker, process, pid: process.pid });
    } catch (error) {
      setImmediate(() => end(failedStart(error)));
    }
  }

  welcome(generation: number, leaseEpoch: number | null): void {
    const worker = this.#workers.get(generation);
    if (worker === undefined) return;
    const { instanceId, overrides, listeners } = this.#options;
    this.send(generation, {
      ...{ t: 'sup.welcome', generation, instanceId, overrides, leaseEpoch },
      ...{ role: worker.role, listeners: listeners.length, peers: this.#peersOf(generation) },
    });
    worker.process?.sendListeners(listeners);
  }

  promote(generation: number, leaseEpoch: number | null): void {
    this.send(generation, { t: 'worker.promote', peers: this.#peersOf(generation), leaseEpoch });
  }

  /** Asks a worker to rebuild itself; it closed the sockets it had, so it gets them again. */
  rebuild(generation: number, limits: { requestsMs: number; turnsMs: number }): void {
    this.send(generation, { t: 'worker.rebuild', ...limits });
    this.#workers.get(generation)?.process?.sendListeners(this.#options.listeners);
  }

  send(generation: number, message: SupervisorMessage): void {
    this.#workers.get(generation)?.process?.send(message);
  }

  kill(generation: number, reason: string): void {
    const worker = this.#workers.get(generation);
    if (worker === undefined) return;
    this.#options.log.warn({ generation, reason }, 'Killing a worker.');
    worker.killReason ??= reason;
    worker.process?.kill();
  }

  /** Lets a process of its own answer 503 until `stopResponder`. */
  startResponder(): void {
    const { responderEntry, listeners, log } = this.#options;
    log.warn('No worker can serve: callers are answered 503 until one can.');
    const onExit = ({ cause }: WorkerEnd): void => {
      if (this.#responder !== responder) return;
      this.#responder = undefined;
      log.warn({ cause }, 'The process that answers 503 is gone.');
      this.#options.onResponderExit();
    };
    const responder = this.#forkResponder(responderEntry, onExit);
    this.#responder = responder;
    responder?.sendListeners(listeners);
  }

  /** Lets it give its last answers; one that does not end then is killed. */
  stopResponder(): void {
    const responder = this.#responder;
    this.#responder = undefined;
    if (responder === undefined) return;
    this.#leaving.add(responder);
    responder.send({ t: 'worker.drain', mode: 'replace', requestsMs: 0, turnsMs: 0 });
    setTimeout(() => this.#endResponder(responder), RESPONDER_FLUSH_MS).unref();
  }

  /** Kills what was only told to end: nobody will be here to see that it does. */
  close(): void {
    for (const responder of this.#leaving) this.#endResponder(responder);
  }

  #endResponder(responder: WorkerProcess): void {
    this.#leaving.delete(responder);
    responder.kill();
  }

  #forkResponder(entry: string, onExit: (end: WorkerEnd) => void): WorkerProcess | undefined {
    try {
      return forkWorker({ ...this.#forkOptions(0, entry), onMessage: () => undefined, onExit });
    } catch (error) {
      setImmediate(() => onExit(failedStart(error)));
      return undefined;
    }
  }

  #forkOptions(
    generation: number,
    entry: string,
  ): { generation: number; entry: string; env: Environment; launcher: readonly string[] } {
    const { env, launcher, instanceId } = this.#options;
    // Whatever a worker starts inherits it, and is recognised by it: by the next start, and by our own commands (ORPH-2, DRAIN-3).
    return { generation, entry, launcher, env: { ...env, XOPC_INSTANCE: instanceId } };
  }

  #peersOf(generation: number): number[] {
    return [...this.#workers.keys()].filter((other) => other !== generation);
  }

  #onMessage(generation: number, message: WorkerMessage): void {
    const worker = this.#workers.get(generation);
    if (worker !== undefined) this.#options.onMessage(worker, message);
  }

  #onExit(generation: number, end: WorkerEnd): void {
    const worker = this.#workers.get(generation);
    if (worker === undefined) return;
    this.#workers.delete(generation);
    this.#options.onExit(worker, end);
  }
}
