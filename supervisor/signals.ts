import inspector from 'node:inspector';

/** The signals that mean something on every system; the others exist on POSIX only. */
const STOP_SIGNALS = ['SIGTERM', 'SIGINT'] as const;
const POSIX_SIGNALS = ['SIGUSR1', 'SIGUSR2', 'SIGHUP'] as const;

export type GatewaySignal = (typeof STOP_SIGNALS)[number] | (typeof POSIX_SIGNALS)[number];

export type Signals = {
  /** Sends every signal to `listener`, first those that came before. */
  connect(listener: (signal: GatewaySignal) => void): void;
  /** Gives the signals their default meaning back. */
  close(): void;
};

/**
 * Catches the signals from now on and keeps them until somebody listens: they may come before the supervisor is ready, and
 * an unhandled SIGUSR1 opens Node's debugger. One that it has opened already is closed (SPEC 3.3).
 */
export function catchSignals(): Signals {
  let listener: ((signal: GatewaySignal) => void) | undefined;
  const waiting: GatewaySignal[] = [];
  const caught = process.platform === 'win32' ? STOP_SIGNALS : [...STOP_SIGNALS, ...POSIX_SIGNALS];
  const receive = (signal: GatewaySignal): void => {
    if (listener === undefined) waiting.push(signal);
    else listener(signal);
  };
  const handlers = caught.map((signal) => ({ signal, handle: () => receive(signal) }));
  for (const { signal, handle } of handlers) process.on(signal, handle);
  if (inspector.url() !== undefined) inspector.close();
  return {
    connect(next) {
      listener = next;
      for (const signal of waiting.splice(0)) next(signal);
    },
    close() {
      for (const { signal, handle } of handlers) process.off(signal, handle);
    },
  };
}
