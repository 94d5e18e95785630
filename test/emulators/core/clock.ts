interface Timer {
  readonly dueAt: number;
  readonly run: () => void;
  handle: NodeJS.Timeout | undefined;
}

/** The emulator's time in milliseconds: real time plus whatever a test has jumped forward; timers follow the jumps. */
export class EmulatorClock {
  #offsetMs = 0;
  readonly #timers = new Set<Timer>();

  /** Milliseconds since the epoch, as this emulator sees them. */
  now(): number {
    return Date.now() + this.#offsetMs;
  }

  /** Jumps forward and fires, in order, every timer that became due. */
  advance(ms: number): void {
    this.#offsetMs += ms;
    const now = this.now();
    const timers = [...this.#timers].sort((a, b) => a.dueAt - b.dueAt);
    for (const timer of timers) {
      clearTimeout(timer.handle);
      if (timer.dueAt <= now) {
        this.#fire(timer);
        continue;
      }
      timer.handle = setTimeout(() => this.#fire(timer), timer.dueAt - now);
    }
  }

  /** Calls `run` once after `ms`; the returned function cancels it. */
  after(ms: number, run: () => void): () => void {
    const timer: Timer = { dueAt: this.now() + ms, run, handle: undefined };
    timer.handle = setTimeout(() => this.#fire(timer), ms);
    this.#timers.add(timer);
    return () => {
      clearTimeout(timer.handle);
      this.#timers.delete(timer);
    };
  }

  /** Resolves after `ms`, or at once when the signal aborts. */
  wait(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms <= 0 || signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const stop = (): void => {
        cancel();
        resolve();
      };
      const cancel = this.after(ms, () => {
        signal?.removeEventListener('abort', stop);
        resolve();
      });
      signal?.addEventListener('abort', stop, { once: true });
    });
  }

  #fire(timer: Timer): void {
    if (!this.#timers.delete(timer)) return;
    timer.run();
  }
}
