import type { Essentials } from '../lib/config/essentials.ts';
import type { Environment } from '../lib/env.ts';
import { errorMessage } from '../lib/errors.ts';
import type { Heartbeat, WorkerMessage, WorkerOverrides } from '../lib/ipc.ts';
import type { Logger } from '../lib/log.ts';
import { forkWorker, type WorkerProcess } from './child.ts';
import type { LockUpdate } from './lock.ts';
import type { GatewaySignal } from './signals.ts';
import type { Listener } from './socket.ts';
import { reduce } from './state.ts';
import {
  initialState,
  type SupervisorEffect,
  type SupervisorEvent,
  type SupervisorState,
  type Timer,
  type WorkerFailure,
} from './state-model.ts';
import { watchTerminal } from './terminal.ts';
import { failureFrom, listenFailure } from './worker-failure.ts';

export type RunLoopOptions = {
  instanceId: string;
  workerEntry: string;
  env: Environment;
  overrides: WorkerOverrides;
  launcher: readonly string[];
  listeners: readonly Listener[];
  log: Logger;
  /** The settings as the file has them now. */
  readEssentials(): Essentials;
  /** Tells whoever reads the lock file what the supervisor is doing. */
  publish(change: LockUpdate): void;
  onActivated(worker: { generation: number; pid: number; bootMs: number }): void;
};

export type Outcome = { exitCode: number; failure: WorkerFailure | null };

/** Carries out what `reduce` decides: forks, sends, kills, timers; and turns what happens to workers into its events. */
export class RunLoop {
  /** Resolves when the last worker is gone. */
  readonly done: Promise<Outcome>;
  readonly #options: RunLoopOptions;
  readonly #workers = new Map<number, LiveWorker>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #state: SupervisorState = initialState();
  readonly #terminal = watchTerminal();
  #finish: (outcome: Outcome) => void = () => undefined;

  constructor(options: RunLoopOptions) {
    this.#options = options;
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  /** Forks the first worker, unless a stop came before. */
  start(): void {
    this.#dispatch({ t: 'start' });
  }

  /** Acts on a signal to the supervisor (SPEC 3.3). */
  onSignal(signal: GatewaySignal): void {
    switch (signal) {
      case 'SIGTERM':
      case 'SIGINT':
        this.#requestStop(signal);
        return;
      case 'SIGUSR1':
        this.#requestRestart('SIGUSR1');
        return;
      case 'SIGUSR2':
        this.#options.log.info(this.#report(), 'Diagnostic report.');
        return;
      case 'SIGHUP':
        if (this.#terminal.isLost()) {
          this.#options.log.info('The terminal was closed.');
          this.#requestStop('SIGTERM');
          return;
        }
        this.#options.log.info('SIGHUP ignored: restart with SIGUSR1 to read the configuration again.');
        return;
      default:
        signal satisfies never;
    }
  }

  #requestStop(signal: 'SIGTERM' | 'SIGINT'): void {
    const { drainTimeoutMs } = this.#options.readEssentials();
    this.#dispatch({ t: 'stop.requested', signal, drainTimeoutMs });
  }

  #requestRestart(reason: string): void {
    if (this.#options.readEssentials().allowsRestart) {
      this.#options.log.info({ reason }, 'Restart requested.');
      this.#dispatch({ t: 'restart.requested', reason });
      return;
    }
    this.#options.log.warn({ reason }, 'Restart refused: commands.restart is false in the configuration.');
  }

  #dispatch(event: SupervisorEvent): void {
    const { state, effects } = reduce(this.#state, event);
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: SupervisorEffect): void {
    const { log } = this.#options;
    switch (effect.t) {
      case 'fork':
        this.#fork(effect.generation);
        return;
      case 'welcome':
        this.#welcome(effect.generation, effect.leaseEpoch);
        return;
      case 'send':
        this.#workers.get(effect.generation)?.child.send(effect.message);
        return;
      case 'kill':
        log.warn({ generation: effect.generation, reason: effect.reason }, 'Killing a worker.');
        this.#workers.get(effect.generation)?.child.kill();
        return;
      case 'timer.set':
        this.#setTimer(effect.timer, effect.ms);
        return;
      case 'activated':
        this.#activated(effect.generation);
        return;
      case 'transition':
        log.info({ from: effect.from, to: effect.to, reason: effect.reason }, 'State changed.');
        this.#options.publish({ phase: effect.to });
        return;
      case 'log':
        log[effect.level](effect.fields ?? {}, effect.message);
        return;
      case 'finish':
        for (const timer of this.#timers.values()) clearTimeout(timer);
        this.#finish({ exitCode: effect.exitCode, failure: effect.failure });
        return;
      default:
        effect satisfies never;
    }
  }

  #fork(generation: number): void {
    const { workerEntry: entry, env, launcher } = this.#options;
    try {
      const child = forkWorker({
        generation,
        entry,
        env,
        launcher,
        onMessage: (message) => this.#onMessage(generation, message),
        onExit: (code, cause) => this.#onExit(generation, code, cause),
      });
      this.#workers.set(generation, { child, bootMs: 0, heartbeat: null });
    } catch (error) {
      // Out of memory or processes: an exit like any other, but not before this event is dealt with.
      setImmediate(() => this.#onExit(generation, null, `cannot be started: ${errorMessage(error)}`));
    }
  }

  #onExit(generation: number, code: number | null, cause: string): void {
    this.#workers.delete(generation);
    for (const [key, timer] of this.#timers) {
      if (key.endsWith(`:${generation}`)) clearTimeout(timer);
    }
    this.#dispatch({ t: 'worker.exited', generation, code, cause });
  }

  #onMessage(generation: number, message: WorkerMessage): void {
    const worker = this.#workers.get(generation);
    if (worker === undefined) return;
    switch (message.t) {
      case 'worker.hello':
        this.#dispatch({ t: 'worker.greeted', generation });
        return;
      case 'worker.listening':
        this.#options.log.debug({ generation, hosts: message.hosts, port: message.port }, 'Worker listens.');
        return;
      case 'worker.listen-failed':
        this.#dispatch({ t: 'worker.failed', generation, failure: listenFailure(message, this.#port()) });
        return;
      case 'worker.ready':
        worker.bootMs = message.bootMs;
        this.#dispatch({ t: 'worker.ready', generation });
        return;
      case 'worker.heartbeat':
        worker.heartbeat = { at: new Date().toISOString(), ...message };
        return;
      case 'lease.released':
        this.#dispatch({ t: 'lease.released', generation, epoch: message.epoch });
        return;
      case 'restart.request':
        this.#requestRestart(message.reason);
        return;
      case 'worker.fatal':
        this.#dispatch({ t: 'worker.failed', generation, failure: failureFrom(message) });
        return;
      default:
        message satisfies never;
    }
  }

  #port(): number {
    return this.#options.listeners[0]?.port ?? 0;
  }

  #welcome(generation: number, leaseEpoch: number | null): void {
    const { instanceId, overrides, listeners } = this.#options;
    const worker = this.#workers.get(generation)?.child;
    const peers = [...this.#workers.keys()].filter((other) => other !== generation);
    const count = listeners.length;
    worker?.send({ t: 'sup.welcome', generation, instanceId, overrides, listeners: count, peers, leaseEpoch });
    worker?.sendListeners(listeners);
  }

  #activated(generation: number): void {
    const worker = this.#workers.get(generation);
    if (worker?.child.pid === undefined) return;
    this.#options.publish({ workerPid: worker.child.pid });
    this.#options.onActivated({ generation, pid: worker.child.pid, bootMs: worker.bootMs });
  }

  #setTimer(timer: Timer, ms: number): void {
    const key = 'generation' in timer ? `${timer.t}:${timer.generation}` : timer.t;
    clearTimeout(this.#timers.get(key));
    const handle = setTimeout(() => {
      this.#timers.delete(key);
      this.#dispatch({ t: 'timer.fired', timer });
    }, ms);
    this.#timers.set(key, handle);
  }

  #report(): Record<string, unknown> {
    const workers = [...this.#workers].map(([generation, worker]) => {
      return { generation, pid: worker.child.pid, heartbeat: worker.heartbeat };
    });
    return { state: this.#state, workers, uptimeSeconds: Math.round(process.uptime()), memory: process.memoryUsage() };
  }
}

type LiveWorker = {
  child: WorkerProcess;
  bootMs: number;
  heartbeat: (Heartbeat & { at: string }) | null;
};
