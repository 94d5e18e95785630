import inspector from 'node:inspector';
import { afterEach, describe, expect, it } from 'vitest';
import { catchSignals, type GatewaySignal, type Signals } from '../../supervisor/signals.ts';
import { until } from './running-supervisor.ts';

let signals: Signals | undefined;

afterEach(() => signals?.close());

describe.runIf(process.platform !== 'win32')('catchSignals', () => {
  it('keeps what comes before anybody listens, in order', async () => {
    signals = catchSignals();
    process.kill(process.pid, 'SIGUSR2');
    await new Promise((resolve) => setTimeout(resolve, 20));
    process.kill(process.pid, 'SIGHUP');
    await new Promise((resolve) => setTimeout(resolve, 20));
    const seen: GatewaySignal[] = [];
    signals.connect((signal) => seen.push(signal));
    expect(seen).toEqual(['SIGUSR2', 'SIGHUP']);
    process.kill(process.pid, 'SIGUSR1');
    await until(() => seen.length === 3, 'the third signal');
    expect(seen[2]).toBe('SIGUSR1');
    expect(inspector.url()).toBeUndefined();
  });

  it('closes a debugger that an earlier SIGUSR1 has opened', () => {
    inspector.open(0);
    signals = catchSignals();
    expect(inspector.url()).toBeUndefined();
  });

  it('leaves no handler behind', () => {
    const before = process.listenerCount('SIGTERM');
    catchSignals().close();
    expect(process.listenerCount('SIGTERM')).toBe(before);
  });
});
