/** Aborts when nothing happened for a while, or when the caller's own signal does. */
type IdleTimer = {
  signal: AbortSignal;
  /** Something happened: the time starts again. */
  touch(): void;
  isExpired(): boolean;
  /** Stops the clock. What has not come to its own end is aborted; a finished request keeps its connection for the next one. */
  end(isComplete: boolean): void;
};

/** Starts the clock of a request; `end` must be called. */
export function createIdleTimer(milliseconds: number, parent: AbortSignal): IdleTimer {
  const controller = new AbortController();
  let isExpired = false;
  const timer = setTimeout(() => {
    isExpired = true;
    controller.abort();
  }, milliseconds);
  const abort = () => controller.abort(parent.reason);
  parent.addEventListener('abort', abort, { once: true });
  return {
    signal: controller.signal,
    touch: () => void timer.refresh(),
    isExpired: () => isExpired,
    end(isComplete) {
      clearTimeout(timer);
      parent.removeEventListener('abort', abort);
      if (!isComplete) controller.abort();
    },
  };
}
