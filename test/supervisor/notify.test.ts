import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { readTextIfExists } from '../../lib/fs.ts';
import { type Notifier, openNotifier, withoutServiceVariables } from '../../supervisor/notify.ts';
import { temporaryDirectory } from '../lib/temporary-directory.ts';
import { openMemoryLog } from './memory-log.ts';
import { missingForNotify, startNotifyReceiver, stopNotifyReceivers } from './notify-receiver.ts';
import { isRunning, until } from './running-supervisor.ts';

afterEach(stopNotifyReceivers);

describe.skipIf(missingForNotify() !== '')(
  'the notifier, with the real systemd-notify and a socket as systemd has it',
  () => {
    it('says ready with a status, and nothing about the main process', async () => {
      const { notifier, messages } = await openReceived();
      notifier.ready('2 channels connect');
      await until(() => messages.length === 1, 'the message');
      expect(messages).toEqual(['READY=1\nSTATUS=2 channels connect']);
    });

    it('says reloading with the time of the monotonic clock, and each state in its order', async () => {
      const { notifier, messages } = await openReceived();
      const before = process.hrtime.bigint() / 1_000n;
      notifier.ready('first');
      notifier.reloading();
      notifier.ready('second');
      await notifier.stopping();
      expect(messages.map((message) => message.split('=')[0])).toEqual(['READY', 'RELOADING', 'READY', 'STOPPING']);
      const at = BigInt(/^RELOADING=1\nMONOTONIC_USEC=(\d+)/.exec(messages[1] ?? '')?.[1] ?? 0);
      expect(at >= before && at <= process.hrtime.bigint() / 1_000n).toBe(true);
    });

    it('sends only the newest status and one sign of life when many wait', async () => {
      const { notifier, messages } = await openReceived();
      for (let number = 1; number <= 20; number += 1) {
        notifier.status(`number ${number}`);
        notifier.watchdog();
      }
      await notifier.stopping();
      expect(messages).toEqual(['STATUS=number 1', 'STOPPING=1\nSTATUS=number 20\nWATCHDOG=1']);
    });

    it('keeps a status on one line, so that it can say nothing else', async () => {
      const { notifier, messages } = await openReceived();
      notifier.status('broken:\n MAINPID=1\u0000 “Ünïcode” -- $HOME');
      await until(() => messages.length === 1, 'the message');
      expect(messages).toEqual(['STATUS=broken:  MAINPID=1  “Ünïcode” -- $HOME']);
    });

    it('is through with the last message when stopping() resolves, and says once that it stops', async () => {
      const { notifier, messages } = await openReceived();
      void notifier.stopping();
      notifier.status('2 turns left');
      await notifier.stopping();
      expect(messages).toEqual(['STOPPING=1', 'STATUS=2 turns left']);
    });
  },
);

describe('the notifier', () => {
  it('does nothing without a socket, whatever else the environment says', async () => {
    const { path, calls } = fakeProgram('exit 0');
    const { log, records } = openMemoryLog();
    const notifier = openNotifier({ PATH: path, WATCHDOG_USEC: '10000000' }, log);
    callAll(notifier);
    await notifier.stopping();
    expect([notifier.watchdogMs, calls(), records]).toEqual([null, [], []]);
  });

  it('warns once when systemd-notify is missing, and is silent from then on', async () => {
    const { log, records } = openMemoryLog();
    const notifier = openNotifier({ PATH: temporaryDirectory(), NOTIFY_SOCKET: '/nowhere' }, log);
    callAll(notifier);
    await notifier.stopping();
    callAll(notifier);
    await notifier.stopping();
    expect(records).toMatchObject([{ level: 40, msg: expect.stringContaining('Install systemd-notify') }]);
  });

  it('runs one systemd-notify at a time and gives it nothing of ours but the socket', async () => {
    const { path, calls, directory } = fakeProgram(
      'mkdir "$0.running" || echo "two at a time" >> "$0.calls"; sleep 0.02; rmdir "$0.running"; env > "$0.env"',
    );
    const env = { PATH: path, NOTIFY_SOCKET: '/run/notify', XOPC_GATEWAY_TOKEN: 'canary-of-the-token' };
    const notifier = openNotifier(env, openMemoryLog().log);
    callAll(notifier);
    await notifier.stopping();
    expect(calls()).toHaveLength(3);
    expect(calls().join()).not.toContain('two at a time');
    const seen = readFileSync(join(directory, 'systemd-notify.env'), 'utf8');
    expect(seen).toContain('NOTIFY_SOCKET=/run/notify');
    expect(seen).not.toContain('canary');
  });

  it('kills a systemd-notify that hangs, and says the state again', async () => {
    const { path, calls, directory } = fakeProgram('[ -e "$0.pid" ] && exit 0; echo $$ > "$0.pid"; exec sleep 60');
    const { log, records } = openMemoryLog();
    const notifier = openNotifier({ PATH: path, NOTIFY_SOCKET: '/run/notify' }, log, { timeoutMs: 200 });
    notifier.ready('serving');
    await until(() => calls().length === 2, 'the second try');
    expect(calls()).toEqual(['READY=1 STATUS=serving', 'READY=1 STATUS=serving']);
    expect(isRunning(Number(readFileSync(join(directory, 'systemd-notify.pid'), 'utf8')))).toBe(false);
    expect(records).toMatchObject([{ level: 40, reason: 'systemd-notify: no end within 200 ms' }]);
  });

  it('gives a state up after three failures, tells of them once, and goes on with the next', async () => {
    const { path, calls } = fakeProgram('exit 1');
    const { log, records } = openMemoryLog();
    const notifier = openNotifier({ PATH: path, NOTIFY_SOCKET: '/run/notify' }, log);
    notifier.reloading();
    notifier.ready('serving');
    await until(() => calls().length === 6, 'three tries of each');
    expect(calls().filter((call) => call.startsWith('READY=1'))).toHaveLength(3);
    expect(calls().findLastIndex((call) => call.startsWith('RELOADING=1'))).toBe(2);
    expect(records).toMatchObject([{ reason: 'systemd-notify: exit code 1' }]);
  });

  it('does not hold up the end for more than a second', async () => {
    const { path } = fakeProgram('exec sleep 3');
    const notifier = openNotifier({ PATH: path, NOTIFY_SOCKET: '/run/notify' }, openMemoryLog().log);
    const startedAt = performance.now();
    await notifier.stopping();
    expect(performance.now() - startedAt).toBeLessThan(2_500);
  });
});

describe('the watchdog', () => {
  it.each([
    ['10000000', undefined, 10_000],
    ['10000000', String(process.pid), 10_000],
    ['1500', undefined, 1],
    ['10000000', '1', null],
    ['0', undefined, null],
    ['soon', undefined, null],
    [undefined, undefined, null],
  ])('with WATCHDOG_USEC %s and WATCHDOG_PID %s bites after %s ms', (period, pid, expected) => {
    const env = { NOTIFY_SOCKET: '/run/notify', WATCHDOG_USEC: period, WATCHDOG_PID: pid };
    expect(openNotifier(env, openMemoryLog().log).watchdogMs).toBe(expected);
  });
});

describe('withoutServiceVariables', () => {
  it('takes away what lets a process speak for the service or take its sockets, and nothing else', () => {
    const kept = {
      PATH: '/bin',
      XOPC_SERVICE_MARKER: 'systemd',
      INVOCATION_ID: 'x',
      LISTENING: 'y',
      MY_WATCHDOG_PID: '1',
    };
    const taken = {
      NOTIFY_SOCKET: '/run/notify',
      WATCHDOG_USEC: '1',
      WATCHDOG_PID: '2',
      LISTEN_PID: '3',
      LISTEN_FDS: '1',
      LISTEN_FDNAMES: 'http',
    };
    expect(withoutServiceVariables({ ...kept, ...taken })).toEqual(kept);
  });
});

function callAll(notifier: Notifier): void {
  notifier.ready('a');
  notifier.reloading();
  notifier.status('b');
  notifier.watchdog();
}

async function openReceived(): Promise<{ notifier: Notifier; messages: string[] }> {
  const { socket, messages } = await startNotifyReceiver();
  const notifier = openNotifier({ PATH: process.env['PATH'], NOTIFY_SOCKET: socket }, openMemoryLog().log);
  return { notifier, messages };
}

/** A systemd-notify of our own, which writes down what it was told and then does this. */
function fakeProgram(script: string): { path: string; directory: string; calls(): string[] } {
  const directory = temporaryDirectory();
  const file = join(directory, 'systemd-notify');
  writeFileSync(file, `#!/bin/sh\necho "$@" >> "$0.calls"\n${script}\n`);
  chmodSync(file, 0o755);
  return {
    directory,
    path: `${directory}:${process.env['PATH']}`,
    calls: () => (readTextIfExists(`${file}.calls`) ?? '').split('\n').filter((line) => line !== ''),
  };
}
