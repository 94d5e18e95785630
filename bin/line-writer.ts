import { errorCode } from '../lib/errors.ts';

/** Writes to standard output for as long as somebody reads it. */
export type LineWriter = {
  /** Resolves when the text is written, or when nobody reads any more; rejects when it cannot be written (a full disk). */
  write(text: string): Promise<void>;
  /** Aborted when the reader, such as `head`, has gone. */
  closed: AbortSignal;
};

/** Opens standard output for many lines: a slow reader slows us down instead of filling our memory. */
export function openLineWriter(): LineWriter {
  const closed = new AbortController();
  // The write itself reports it too; without a listener it would be thrown where nobody catches.
  process.stdout.on('error', (error) => {
    if (isClosedPipe(error)) closed.abort();
  });
  return {
    closed: closed.signal,
    write(text) {
      if (closed.signal.aborted) return Promise.resolve();
      return new Promise((resolve, reject) => {
        process.stdout.write(text, (error) => {
          if (error === null || error === undefined) return resolve();
          if (!isClosedPipe(error)) return reject(error);
          closed.abort();
          resolve();
        });
      });
    },
  };
}

/** EIO: the terminal is gone. */
function isClosedPipe(error: unknown): boolean {
  return ['EPIPE', 'EIO', 'ERR_STREAM_DESTROYED'].includes(errorCode(error) ?? '');
}
