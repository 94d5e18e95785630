import { reduce } from '../../supervisor/state.ts';
import {
  initialState,
  type Settings,
  type SupervisorEffect,
  type SupervisorEvent,
  type SupervisorState,
  type Timer,
} from '../../supervisor/state-model.ts';

/** Something that may happen next. */
export type Happening = { name: string; event: SupervisorEvent; at?: number };

type Running = { generation: number; isKilled: boolean; mayRelease: number | null };

/**
 * A world around the reducer: processes and timers that behave as the effects ask. It offers what can happen next and records
 * what must never happen.
 */
export class World {
  state: SupervisorState = initialState();
  now = 0;
  readonly faults: string[] = [];
  readonly history: string[] = [];
  finishedWith: number | null = null;
  readonly #settings: Settings;
  readonly #running = new Map<number, Running>();
  readonly #timers = new Map<string, { timer: Timer; due: number }>();
  #grantedEpoch = 0;
  #lastFork = 0;
  #hasResponder = false;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.apply({ name: 'start', event: { t: 'start', settings } });
  }

  get hasResponder(): boolean {
    return this.#hasResponder;
  }

  get generations(): number[] {
    return [...this.#running.keys()];
  }

  hasTimer(t: Timer['t'], generation?: number): boolean {
    return [...this.#timers.values()].some(
      ({ timer }) =>
        timer.t === t && (generation === undefined || !('generation' in timer) || timer.generation === generation),
    );
  }

  isKilled(generation: number): boolean {
    return this.#running.get(generation)?.isKilled === true;
  }

  /** What a well-meaning world does: workers boot, drain and end as they are told; killed ones end. */
  duties(): Happening[] {
    return [...this.#running.values()].flatMap((worker) => this.#dutiesOf(worker));
  }

  /** The timer that fires next; undefined when none runs. */
  nextTimer(): Happening | undefined {
    const [first] = [...this.#timers.values()].sort((left, right) => left.due - right.due);
    if (first === undefined) return undefined;
    return { name: `timer ${first.timer.t}`, event: { t: 'timer.fired', timer: first.timer }, at: first.due };
  }

  /** What else may happen at any moment, however unlikely. */
  accidents(): Happening[] {
    const { generations } = this;
    const about = generations.flatMap((generation): Happening[] => [
      { name: `exit ${generation}`, event: { t: 'worker.exited', generation, code: null, cause: 'SIGKILL' } },
      { name: `final ${generation}`, event: { t: 'worker.exited', generation, code: 78, cause: 'exit code 78' } },
      { name: `suspect ${generation}`, event: { t: 'worker.suspect', generation, silentMs: 5_000 } },
      { name: `hung ${generation}`, event: { t: 'worker.hung', generation, silentMs: 15_000 } },
      { name: `bloated ${generation}`, event: { t: 'worker.bloated', generation, reason: 'too big' } },
      { name: `unreachable ${generation}`, event: { t: 'worker.unreachable', generation, reason: 'no answer' } },
      { name: `busy port ${generation}`, event: failed(generation, 69) },
      { name: `refusal ${generation}`, event: { t: 'worker.rebuild-refused', generation, message: 'no' } },
    ]);
    const responder: Happening[] = this.#hasResponder
      ? [{ name: 'responder exits', event: { t: 'responder.exited' } }]
      : [];
    return [...about, ...responder, ...this.#wishes()];
  }

  /** Orders of a person. */
  stop(): Happening {
    return { name: 'stop', event: { t: 'stop.requested', signal: 'SIGTERM', drainTimeoutMs: 25_000 } };
  }

  apply({ name, event, at }: Happening): void {
    this.history.push(name);
    this.now = Math.max(this.now, at ?? this.now);
    if (event.t === 'timer.fired') this.#timers.delete(keyOf(event.timer));
    if (event.t === 'worker.exited') this.#forget(event.generation);
    if (event.t === 'responder.exited') this.#hasResponder = false;
    if (event.t === 'lease.released') this.#noteRelease(event.generation);
    const { state, effects } = reduce(this.state, event, this.now);
    this.state = state;
    for (const effect of effects) this.#perform(effect);
  }

  #wishes(): Happening[] {
    const settings = this.#settings;
    return [false, true].map((isForced) => ({
      name: isForced ? 'forced restart' : 'restart',
      event: { t: 'restart.requested', reason: 'a wish', isForced, settings },
    }));
  }

  #dutiesOf({ generation, isKilled, mayRelease }: Running): Happening[] {
    const slot = this.state.workers.find((worker) => worker.generation === generation);
    if (slot === undefined) return [];
    const exit: Happening = {
      name: `end ${generation}`,
      event: { t: 'worker.exited', generation, code: 0, cause: 'exit code 0' },
    };
    if (isKilled) return [exit];
    switch (slot.stage) {
      case 'forked':
        return [{ name: `hello ${generation}`, event: { t: 'worker.greeted', generation } }];
      case 'booting':
        return slot.role === 'standby'
          ? [{ name: `warm ${generation}`, event: { t: 'worker.warm', generation } }]
          : [{ name: `ready ${generation}`, event: { t: 'worker.ready', generation } }];
      case 'draining':
        if (mayRelease === null) return [exit];
        return [{ name: `release ${generation}`, event: { t: 'lease.released', generation, epoch: mayRelease } }, exit];
      case 'warm':
      case 'ready':
        return [];
      default:
        return slot.stage satisfies never;
    }
  }

  #perform(effect: SupervisorEffect): void {
    switch (effect.t) {
      case 'fork':
        if (effect.generation <= this.#lastFork) this.#fault(`generation ${effect.generation} is forked again`);
        this.#lastFork = effect.generation;
        this.#running.set(effect.generation, { generation: effect.generation, isKilled: false, mayRelease: null });
        return;
      case 'welcome':
      case 'promote':
        if (effect.leaseEpoch !== null) this.#grant(effect.generation, effect.leaseEpoch);
        return;
      case 'send':
        if (effect.message.t === 'lease.grant') this.#grant(effect.generation, effect.message.epoch);
        return;
      case 'kill':
        this.#kill(effect.generation);
        return;
      case 'timer.set':
        this.#timers.set(keyOf(effect.timer), { timer: effect.timer, due: this.now + effect.ms });
        return;
      case 'responder.start':
        if (this.#hasResponder) this.#fault('two responders');
        this.#hasResponder = true;
        return;
      case 'responder.stop':
        this.#hasResponder = false;
        return;
      case 'finish':
        // Only those that cannot even be killed are left behind.
        if (this.#running.size > 0 && this.history.at(-1) !== 'timer give-up') this.#fault('ends before its workers');
        if (this.finishedWith !== null) this.#fault('ends twice');
        this.finishedWith = effect.exitCode;
        this.#timers.clear();
        return;
      case 'rebuild':
      case 'dump':
      case 'activated':
      case 'transition':
      case 'log':
        return;
      default:
        effect satisfies never;
    }
  }

  /** The heart of it: nobody is given the lease while another one may act by it. */
  #grant(generation: number, epoch: number): void {
    const worker = this.#running.get(generation);
    if (worker === undefined) {
      this.#fault(`worker ${generation} gets the lease and is gone`);
      return;
    }
    if (epoch <= this.#grantedEpoch) this.#fault(`epoch ${epoch} comes after ${this.#grantedEpoch}`);
    const others = [...this.#running.values()].filter((other) => other !== worker && other.mayRelease !== null);
    if (others.length > 0) this.#fault(`worker ${generation} gets the lease that ${others[0]?.generation} has`);
    this.#grantedEpoch = epoch;
    worker.mayRelease = epoch;
  }

  #kill(generation: number): void {
    const worker = this.#running.get(generation);
    if (worker === undefined) this.#fault(`worker ${generation} is killed and is gone`);
    else worker.isKilled = true;
  }

  #noteRelease(generation: number): void {
    const worker = this.#running.get(generation);
    if (worker !== undefined) worker.mayRelease = null;
  }

  #forget(generation: number): void {
    this.#running.delete(generation);
    // As the run loop does.
    for (const [key, { timer }] of this.#timers) {
      if ('generation' in timer && timer.generation === generation) this.#timers.delete(key);
    }
  }

  #fault(what: string): void {
    this.faults.push(`${what} (after ${this.history.slice(-12).join(', ')})`);
  }
}

function failed(generation: number, exitCode: number): SupervisorEvent {
  return { t: 'worker.failed', generation, failure: { exitCode, message: 'the reason' } };
}

function keyOf(timer: Timer): string {
  return 'generation' in timer ? `${timer.t} ${timer.generation}` : timer.t;
}
