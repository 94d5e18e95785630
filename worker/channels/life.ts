import { setTimeout as sleep } from 'node:timers/promises';
import { errorMessage } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import { beginGeneration, type ChannelFactory, type Generation, type Intake } from './generation.ts';
import { type AccountStatus, type ChannelPlugin, type ChannelState, Unreachable } from './plugin.ts';

export type ChannelSummary = {
  id: string;
  label: string;
  /** The worst of its accounts; `down` while it cannot be initialised or started. */
  state: ChannelState;
  /** Epoch milliseconds since when the channel itself, whatever its accounts are, is as it is. */
  since: number;
  lastError?: string;
  accounts: readonly AccountStatus[];
  /** How often it was restarted. */
  restarts: number;
  /** Number of the plugin object that is used now. */
  generation: number;
};

/** Milliseconds: between attempts to connect, for the first one, and for a stop. */
export type LifeTiming = { retryMinMs: number; retryMaxMs: number; startMs: number; stopMs: number };

/** The waits of a gateway at work. */
export const LIFE_TIMING: LifeTiming = { retryMinMs: 1_000, retryMaxMs: 60_000, startMs: 5_000, stopMs: 3_000 };

export type LifeOptions = { factory: ChannelFactory; intake: Intake; timing: LifeTiming; log: Logger };

/** How a channel without accounts is. */
type OwnState = 'idle' | 'starting' | 'up' | 'down';

/** The life of one channel over all its generations. None of its failures leaves it (SPEC 7.1). */
export class ChannelLife {
  readonly meta: ChannelPlugin['meta'];
  readonly #options: LifeOptions;
  #current: Generation | undefined;
  #state: OwnState = 'idle';
  #since = Date.now();
  #lastError: unknown;
  #restarts = 0;
  #restarting: Promise<void> | undefined;
  /** Between the end of one generation and the next one. */
  #isChanging = false;
  #isStarted = false;
  #isStopped = false;
  /** Ends the wait for the next attempt. */
  #wake: () => void = () => undefined;

  constructor(options: LifeOptions) {
    this.meta = options.factory.meta;
    this.#options = options;
  }

  /** True between start and stop. */
  get isRunning(): boolean {
    return this.#isStarted && !this.#isStopped;
  }

  /** The plugin that messages go through now; undefined when there is none. */
  get plugin(): ChannelPlugin | undefined {
    return this.#isChanging ? undefined : this.#current?.plugin;
  }

  /** Why there is no plugin now. */
  explainAbsence(): Unreachable {
    const { id } = this.meta;
    if (this.#isChanging) return new Unreachable(`The channel ${id} is being restarted`);
    return new Unreachable(`The channel ${id} cannot be used: ${errorMessage(this.#lastError)}`);
  }

  init(): void {
    const { error } = this.#begin();
    if (error === undefined) return;
    this.#options.log.error(
      { err: error, channel: this.meta.id },
      `The channel cannot be used: ${errorMessage(error)}`,
    );
  }

  /** Connects. Resolves after the first attempt, whatever came of it, or its budget; the next ones follow for ever. */
  async start(): Promise<void> {
    if (this.#isStarted || this.#isStopped) return;
    this.#isStarted = true;
    await this.#connect();
  }

  /** Puts a fresh generation in place of the current one; calls that come meanwhile share it. Resolves as `start` does. */
  restart(): Promise<void> {
    this.#restarting ??= this.#replace().finally(() => {
      this.#restarting = undefined;
    });
    return this.#restarting;
  }

  /** Messages can still be sent afterwards, as far as the plugin can. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#current?.end(this.#options.timing.stopMs);
    this.#enter('idle');
  }

  /** Has the transport proven anew, and connects at once when that was to be tried later (LIVE-3). */
  reprobe(): void {
    this.#wake();
    try {
      this.plugin?.reprobe?.();
    } catch (error) {
      this.#options.log.warn({ err: error, channel: this.meta.id }, 'A channel could not be checked anew');
    }
  }

  summarise(): ChannelSummary {
    const { id, label } = this.meta;
    const accounts = this.#current?.plugin?.status?.() ?? [];
    return {
      id,
      label,
      state: this.#isOwnState(accounts) ? this.#state : worstOf(accounts),
      since: this.#since,
      ...(this.#state === 'down' ? { lastError: errorMessage(this.#lastError) } : {}),
      accounts,
      restarts: this.#restarts,
      generation: this.#current?.number ?? 0,
    };
  }

  #isOwnState(accounts: readonly AccountStatus[]): boolean {
    return this.#isChanging || this.#state === 'down' || accounts.length === 0;
  }

  #begin(): Generation {
    const { factory, intake, log } = this.#options;
    const number = (this.#current?.number ?? 0) + 1;
    // One that could not be initialised may still hold its context.
    void this.#current?.end(0);
    const generation = beginGeneration({
      number,
      factory,
      intake,
      log: log.child({ channel: this.meta.id, generation: number }),
    });
    this.#current = generation;
    if (generation.plugin === undefined) this.#fail(generation.error);
    return generation;
  }

  #fail(error: unknown): void {
    this.#enter('down');
    this.#lastError = error;
  }

  #enter(state: OwnState): void {
    if (state !== this.#state) this.#since = Date.now();
    this.#state = state;
  }

  async #connect(): Promise<void> {
    const generation = this.#current ?? this.#begin();
    const first = this.#tryOnce(generation, 1);
    void first.then((retryMs) => this.#keepTrying(generation, retryMs));
    // A channel that cannot connect keeps trying in the background; nobody waits for it.
    await Promise.race([first, sleep(this.#options.timing.startMs, undefined, { ref: false })]);
  }

  /** Milliseconds until the next attempt; undefined when there is none. */
  async #tryOnce(generation: Generation, attempt: number): Promise<number | undefined> {
    if (generation.plugin !== undefined && this.#state !== 'down') this.#enter('starting');
    try {
      await generation.connect();
      if (!generation.signal.aborted) this.#enter('up');
      return undefined;
    } catch (error) {
      if (generation.signal.aborted) return undefined;
      this.#fail(error);
      const retryMs = retryDelayMs(attempt, this.#options.timing);
      const fields = { err: error, channel: this.meta.id, generation: generation.number, attempt, retryMs };
      this.#options.log.error(fields, 'A channel could not start; trying again');
      return retryMs;
    }
  }

  async #keepTrying(failed: Generation, firstRetryMs: number | undefined): Promise<void> {
    let generation = failed;
    let retryMs = firstRetryMs;
    for (let attempt = 2; retryMs !== undefined; attempt += 1) {
      await this.#pause(retryMs, generation.signal);
      if (generation.signal.aborted) return;
      if (generation.plugin === undefined) generation = this.#begin();
      retryMs = await this.#tryOnce(generation, attempt);
    }
  }

  async #pause(milliseconds: number, signal: AbortSignal): Promise<void> {
    const waiting = new AbortController();
    const wake = (): void => waiting.abort();
    this.#wake = wake;
    signal.addEventListener('abort', wake, { once: true });
    await sleep(milliseconds, undefined, { signal: waiting.signal }).catch(() => undefined);
    signal.removeEventListener('abort', wake);
  }

  async #replace(): Promise<void> {
    this.#isChanging = true;
    this.#enter('starting');
    await this.#current?.end(this.#options.timing.stopMs);
    this.#isChanging = false;
    if (this.#isStopped) return;
    this.#restarts += 1;
    const { number } = this.#begin();
    this.#options.log.info({ channel: this.meta.id, generation: number }, 'Restarting a channel');
    await this.#connect();
  }
}

/** 1, 2, 4 … 60 seconds, each ±10 % (upstream-facts 4.5). */
export function retryDelayMs(
  attempt: number,
  { retryMinMs, retryMaxMs }: Pick<LifeTiming, 'retryMinMs' | 'retryMaxMs'>,
): number {
  const plain = Math.min(retryMinMs * 2 ** (attempt - 1), retryMaxMs);
  return Math.round(plain * (0.9 + Math.random() * 0.2));
}

const BADNESS = {
  up: 0,
  idle: 1,
  starting: 2,
  degraded: 3,
  conflict: 4,
  'login-needed': 5,
  down: 6,
} as const satisfies Record<ChannelState, number>;

function worstOf(accounts: readonly AccountStatus[]): ChannelState {
  return accounts.reduce<ChannelState>((worst, { state }) => (BADNESS[state] > BADNESS[worst] ? state : worst), 'up');
}
