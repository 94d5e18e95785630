export type Slots = {
  /** Runs `action` when one of the slots is free; rejects with the signal's reason when it aborts before. */
  use<T>(signal: AbortSignal, action: () => Promise<T>): Promise<T>;
};

/** Lets so many actions run at the same time, the others in the order they came. */
export function createSlots(count: number): Slots {
  const waiting = new Set<() => void>();
  let free = count;

  async function take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (free > 0) {
      free -= 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const abort = (): void => {
        waiting.delete(begin);
        reject(signal.reason);
      };
      const begin = (): void => {
        signal.removeEventListener('abort', abort);
        resolve();
      };
      waiting.add(begin);
      signal.addEventListener('abort', abort, { once: true });
    });
  }

  function give(): void {
    const [next] = waiting;
    if (next === undefined) {
      free += 1;
      return;
    }
    waiting.delete(next);
    next();
  }

  return {
    async use(signal, action) {
      await take(signal);
      try {
        return await action();
      } finally {
        give();
      }
    },
  };
}
