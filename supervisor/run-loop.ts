import type { Essentials } from '../lib/config/essentials.ts';
import type { Phase, SupervisorStatus } from '../lib/control.ts';
import { ExitError } from '../lib/errors.ts';
import { EXIT } from '../lib/exit.ts';
import type { WorkerMessage } from '../lib/ipc.ts';
import type { Logger } from '../lib/log.ts';
import { monotonicMs } from '../lib/monotonic.ts';
import type { WorkerEnd } from './child.ts';
import type { ExitJournal } from './exits.ts';
import { describeHang } from './hang-report.ts';
import { type LiveWorker, LiveWorkers, type LiveWorkersOptions } from './live-workers.ts';
import type { GatewaySignal } from './signals.ts';
import { reduce } from './state.ts';
import { findWorker } from './state-draft.ts';
import {
  initialState,
  LIMITS,
  type Settings,
  type SupervisorEffect,
  type SupervisorEvent,
  type SupervisorState,
  type WorkerFailure,
} from './state-model.ts';
import { describeStatus, type StatusSource } from './status.ts';
import { watchTerminal } from './terminal.ts';
import { Timers } from './timers.ts';
import { readMessage } from './worker-messages.ts';
import { limitsOf, TICK_MS, WorkerWatch } from './worker-watch.ts';

/** Carried out of `RunLoop` to whoever must know. */
type Change = { reason: string; phase?: Phase; workerPid?: number };

export type RunLoopOptions = {
  workers: Omit<LiveWorkersOptions, 'onMessage' | 'onExit' | 'onResponderExit'>;
  identity: StatusSource['identity'];
  /** `XOPC_NO_RESPAWN`: a restart rebuilds the worker in its own process. */
  isInPlace: boolean;
  journal: ExitJournal;
  log: Logger;
  /** The settings as the file has them now. */
  readEssentials(): Essentials;
  /** Called for each change of the phase, and for each worker that begins to serve. */
  onChange(change: Change): void;
  onActivated(worker: { generation: number; pid: number; bootMs: number }): void;
  /** Called each second. */
  onTick(): void;
};

export type Outcome = { exitCode: number; failure: WorkerFailure | null };

/** Carries out what `reduce` decides: forks, sends, kills, timers; and turns what happens to workers into its events. */
export class RunLoop {
  /** Resolves when the last worker is gone. */
  readonly done: Promise<Outcome>;
  readonly #options: RunLoopOptions;
  readonly #workers: LiveWorkers;
  readonly #watch: WorkerWatch;
  readonly #timers = new Timers((timer) => this.#dispatch({ t: 'timer.fired', timer }));
  readonly #terminal = watchTerminal();
  readonly #startedAt = new Date();
  #state: SupervisorState = initialState();
  #lastChange = { reason: 'the gateway was started', at: new Date() };
  #tick: NodeJS.Timeout | undefined;
  #finish: (outcome: Outcome) => void = () => undefined;

  constructor(options: RunLoopOptions) {
    this.#options = options;
    this.#workers = new LiveWorkers({
      ...options.workers,
      onMessage: (worker, message) => this.#onMessage(worker, message),
      onExit: (worker, end) => this.#onExit(worker, end),
      onResponderExit: () => this.#dispatch({ t: 'responder.exited' }),
    });
    this.#watch = new WorkerWatch(limitsOf(options.readEssentials()));
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  /** Forks the first worker, unless a stop came before. */
  start(): void {
    if (this.#state.phase === 'stopped') return;
    this.#tick = setInterval(() => this.#onTick(), TICK_MS);
    this.#dispatch({ t: 'start', settings: this.#readSettings() });
  }

  /** What it is doing, for whoever asks. */
  status(): SupervisorStatus {
    return describeStatus({
      state: this.#state,
      now: monotonicMs(),
      lastChange: this.#lastChange,
      startedAt: this.#startedAt,
      workers: this.#workers.list(),
      lastExits: this.#options.journal.list(),
      identity: this.#options.identity,
    });
  }

  get phase(): Phase {
    return this.#state.phase;
  }

  /** Generation that boots to take over; null when none does. */
  get candidate(): number | null {
    return this.#state.candidate;
  }

  /** Acts on a signal to the supervisor (SPEC 3.3); `name` is what the log shall call it. */
  onSignal(signal: GatewaySignal, name: string = signal): void {
    switch (signal) {
      case 'SIGTERM':
      case 'SIGINT':
        this.stop(signal);
        return;
      case 'SIGUSR1':
        this.#tryRestart(name);
        return;
      case 'SIGUSR2':
        this.report();
        return;
      case 'SIGHUP':
        if (this.#terminal.isLost()) {
          this.#options.log.info('The terminal was closed.');
          this.stop('SIGTERM');
          return;
        }
        this.#tryRestart('SIGHUP: the configuration is read again');
        return;
      default:
        signal satisfies never;
    }
  }

  /** Drains and ends; called a second time it ends at once. */
  stop(signal: 'SIGTERM' | 'SIGINT'): void {
    const { drainTimeoutMs } = this.#options.readEssentials();
    this.#dispatch({ t: 'stop.requested', signal, drainTimeoutMs });
  }

  /** Replaces the worker, or rebuilds it where `XOPC_NO_RESPAWN` says so. Throws an `ExitError` when the configuration forbids it. */
  restart(reason: string, isForced: boolean): void {
    if (!this.#options.readEssentials().allowsRestart) {
      this.#options.log.warn({ reason }, 'Restart refused: commands.restart is false in the configuration.');
      throw new ExitError(EXIT.failure, 'Restarting is switched off: commands.restart is false in the configuration.', {
        hint: 'Set commands.restart to true, or stop and start the gateway.',
      });
    }
    this.#options.log.info({ reason }, 'Restart requested.');
    this.#watch.setLimits(limitsOf(this.#options.readEssentials()));
    this.#dispatch({ t: 'restart.requested', reason, isForced, settings: this.#readSettings() });
  }

  /** Writes a diagnostic report to the log, and asks the workers for theirs. Returns our part. */
  report(): Record<string, unknown> {
    const facts = { state: this.#state, status: this.status(), memory: process.memoryUsage() };
    this.#options.log.info(facts, 'Diagnostic report.');
    for (const { generation } of this.#workers.list()) this.#workers.send(generation, { t: 'worker.report' });
    return facts;
  }

  /** A worker serves as far as it says, but its port does not answer. */
  onUnreachable(reason: string): void {
    const generation = this.#state.active;
    if (generation !== null) this.#dispatch({ t: 'worker.unreachable', generation, reason });
  }

  /** A signal has nobody to answer to: that a restart is refused was logged. */
  #tryRestart(reason: string): void {
    try {
      this.restart(reason, false);
    } catch (error) {
      if (!(error instanceof ExitError)) throw error;
    }
  }

  #readSettings(): Settings {
    const { hasStandby, crashLimit } = this.#options.readEssentials();
    return { hasStandby, crashLimit, isInPlace: this.#options.isInPlace };
  }

  #dispatch(event: SupervisorEvent): void {
    const { state, effects } = reduce(this.#state, event, monotonicMs());
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: SupervisorEffect): void {
    const { log, onChange } = this.#options;
    switch (effect.t) {
      case 'fork':
        this.#workers.fork(effect.generation, effect.role);
        return;
      case 'welcome':
        this.#workers.welcome(effect.generation, effect.leaseEpoch);
        return;
      case 'promote':
        this.#workers.promote(effect.generation, effect.leaseEpoch);
        return;
      case 'rebuild':
        this.#workers.rebuild(effect.generation, { requestsMs: LIMITS.requestsMs, turnsMs: effect.turnsMs });
        return;
      case 'send':
        this.#workers.send(effect.generation, effect.message);
        return;
      case 'kill':
        this.#workers.kill(effect.generation, effect.reason);
        return;
      case 'dump':
        this.#dump(effect);
        return;
      case 'timer.set':
        this.#timers.set(effect.timer, effect.ms);
        return;
      case 'responder.start':
        this.#workers.startResponder();
        return;
      case 'responder.stop':
        this.#workers.stopResponder();
        return;
      case 'activated':
        this.#activated(effect.generation);
        return;
      case 'transition':
        log.info({ from: effect.from, to: effect.to, reason: effect.reason }, 'State changed.');
        this.#lastChange = { reason: effect.reason, at: new Date() };
        onChange({ phase: effect.to, reason: effect.reason });
        return;
      case 'log':
        log[effect.level](effect.fields ?? {}, effect.message);
        return;
      case 'finish':
        clearInterval(this.#tick);
        this.#timers.clear();
        this.#workers.close();
        this.#finish({ exitCode: effect.exitCode, failure: effect.failure });
        return;
      default:
        effect satisfies never;
    }
  }

  #onMessage(worker: LiveWorker, message: WorkerMessage): void {
    if (message.t === 'restart.request') {
      this.#tryRestart(message.reason);
      return;
    }
    const event = readMessage(worker, message, this.#options.identity.port);
    if (event !== null) this.#dispatch(event);
    this.#hear(worker);
  }

  /** Whatever it says, it lives. One that boots may be busy for long in one step; that it gets ready in time is watched otherwise. */
  #hear({ generation, heartbeat }: LiveWorker): void {
    const stage = findWorker(this.#state, generation)?.stage;
    if (stage === 'forked' || stage === 'booting') this.#watch.forget(generation);
    else this.#watch.hear(generation, monotonicMs(), heartbeat?.rssBytes);
  }

  #onExit(worker: LiveWorker, end: WorkerEnd): void {
    const { generation, killReason } = worker;
    this.#watch.forget(generation);
    this.#timers.clear(generation);
    const slot = findWorker(this.#state, generation);
    const isCrash = slot !== undefined && (slot.isHung || slot.stage !== 'draining');
    const cause = killReason === null ? end.cause : `${end.cause}, ${killReason}`;
    this.#dispatch({ t: 'worker.exited', generation, code: end.code, cause });
    // Looking through the logs takes a moment, in which the next worker boots already.
    this.#options.journal.record({
      ...{ generation, pid: worker.pid ?? null, startedAtMs: worker.startedAt, isCrash, reason: cause },
      ...{ code: end.code, signal: end.signal, fatalMessage: worker.fatalMessage, output: worker.output },
    });
  }

  #activated(generation: number): void {
    const worker = this.#workers.get(generation);
    if (worker?.pid === undefined) return;
    this.#options.onChange({ workerPid: worker.pid, reason: `worker ${generation} is ready` });
    this.#options.onActivated({ generation, pid: worker.pid, bootMs: worker.bootMs });
  }

  #onTick(): void {
    for (const finding of this.#watch.tick(monotonicMs())) this.#dispatch(finding);
    for (const { output } of this.#workers.list()) output.trim();
    this.#options.onTick();
  }

  #dump({ generation, silentMs, isHung }: Extract<SupervisorEffect, { t: 'dump' }>): void {
    const facts = { generation, silentMs, ...describeHang(this.#workers.get(generation)) };
    if (isHung) this.#options.log.error(facts, 'The main loop of a worker hangs.');
    else this.#options.log.warn(facts, 'The main loop of a worker is silent.');
  }
}
