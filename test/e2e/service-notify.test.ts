import { readFileSync } from 'node:fs';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { missingForNotify, startNotifyReceiver, stopNotifyReceivers } from '../supervisor/notify-receiver.ts';
import { eventually } from './eventually.ts';
import { runXopc, startGateway, stopAll } from './gateway.ts';
import { createHome } from './home.ts';

afterEach(stopNotifyReceivers);
afterAll(stopAll);

const stateOf = (message: string): string => message.split('=')[0] ?? '';

describe.skipIf(missingForNotify() !== '')('a service manager that wants to be told', () => {
  it('hears of the start, the restart and the end, and signs of life in between', async () => {
    const { socket, messages } = await startNotifyReceiver();
    const seen = (state: string): number => messages.filter((message) => stateOf(message) === state).length;
    const env = { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '200000' };
    const gateway = await startGateway({ config: {}, env });
    await eventually('ready', () => seen('READY') === 1);
    expect(messages.find((message) => message.startsWith('READY=1'))).toContain(`STATUS=`);
    await eventually('two signs of life', () => messages.filter((text) => text.includes('WATCHDOG=1')).length >= 2);
    const first = gateway.workerPid();
    gateway.signal('SIGUSR1');
    await gateway.nextWorker(first);
    await eventually('ready again', () => seen('READY') === 2);
    await gateway.stop();
    const states = messages.map(stateOf).filter((state) => !['STATUS', 'WATCHDOG'].includes(state));
    expect(states).toEqual(['READY', 'RELOADING', 'READY', 'STOPPING']);
    expect(messages.join('\n')).not.toContain('MAINPID');
  });

  it('is the business of the supervisor only', async () => {
    const { socket } = await startNotifyReceiver();
    const env = { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '1000000', LISTEN_PID: '1', LISTEN_FDS: '1' };
    const gateway = await startGateway({ config: {}, env });
    expect(readFileSync(`/proc/${gateway.workerPid()}/environ`, 'utf8')).not.toMatch(/NOTIFY_SOCKET|WATCHDOG_|LISTEN_/);
    await gateway.stop();
  });

  it('never hears "ready" of a gateway that cannot start', async () => {
    const { socket, messages } = await startNotifyReceiver();
    const home = createHome({ gateway: { drainTimeout: 'soon' } });
    const { code } = await runXopc(home, ['gateway'], { NOTIFY_SOCKET: socket });
    expect(code).toBe(78);
    expect(messages.map(stateOf)).not.toContain('READY');
  });
});
