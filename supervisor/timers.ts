import { spread } from './backoff.ts';
import type { Timer } from './state-model.ts';

/** The timers that the reducer asked for, one per kind and generation. */
export class Timers {
  readonly #running = new Map<string, { handle: NodeJS.Timeout; timer: Timer }>();
  readonly #onFired: (timer: Timer) => void;

  constructor(onFired: (timer: Timer) => void) {
    this.#onFired = onFired;
  }

  /** Starts a timer, in place of one of the same kind and generation. */
  set(timer: Timer, ms: number): void {
    const key = 'generation' in timer ? `${timer.t}:${timer.generation}` : timer.t;
    clearTimeout(this.#running.get(key)?.handle);
    const fire = (): void => {
      this.#running.delete(key);
      this.#onFired(timer);
    };
    this.#running.set(key, { timer, handle: setTimeout(fire, timer.t === 'respawn' ? spread(ms) : ms) });
  }

  /** Forgets all timers, or those of one generation. */
  clear(generation?: number): void {
    for (const [key, { handle, timer }] of this.#running) {
      if (generation !== undefined && !('generation' in timer && timer.generation === generation)) continue;
      clearTimeout(handle);
      this.#running.delete(key);
    }
  }
}
