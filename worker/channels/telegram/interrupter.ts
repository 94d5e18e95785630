/** Ends one step of a loop early, without ending the loop. */
export type Interrupter = {
  /** Aborts the signal of the step that runs now. */
  fire(): void;
  /** Runs a step with a signal that also aborts when the given one does; true when it was interrupted. */
  run(signal: AbortSignal, step: (signal: AbortSignal) => Promise<void>): Promise<boolean>;
};

/** Creates an interrupter for a loop, which runs one step at a time. */
export function createInterrupter(): Interrupter {
  let current: AbortController | undefined;
  return {
    fire: () => current?.abort(),
    async run(signal, step) {
      const controller = new AbortController();
      const abort = (): void => controller.abort(signal.reason);
      signal.addEventListener('abort', abort, { once: true });
      if (signal.aborted) abort();
      current = controller;
      try {
        await step(controller.signal);
        return controller.signal.aborted;
      } finally {
        current = undefined;
        signal.removeEventListener('abort', abort);
      }
    },
  };
}
