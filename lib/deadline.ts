/** The other side did not answer in time and the request was abandoned. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/**
 * Runs a step with a signal that aborts when the given one does or after a number of milliseconds, and leaves no listener
 * behind. When the time is up the error is NoAnswer.
 */
export async function withDeadline<T>(
  signal: AbortSignal,
  milliseconds: number,
  step: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const controller = new AbortController();
  let isExpired = false;
  const abort = () => controller.abort(signal.reason);
  const timer = setTimeout(() => {
    isExpired = true;
    controller.abort();
  }, milliseconds);
  // Not AbortSignal.any(): on Node 20 every call leaves an entry at a signal that lives as long as the process.
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await step(controller.signal);
  } catch (error) {
    // What the step throws when it is aborted is its own business; some lose the reason.
    throw isExpired ? new NoAnswer(`no answer within ${milliseconds} ms`, { cause: error }) : error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}
