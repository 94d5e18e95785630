import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { type Announcer, createAnnouncer } from '../../supervisor/announcer.ts';
import type { Notifier } from '../../supervisor/notify.ts';
import { openMemoryLog } from './memory-log.ts';
import { type LogRecord, until } from './running-supervisor.ts';

const INSTANCE = 'instance-a';

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

describe('a gateway that serves', () => {
  it('is ready once its port has answered, with a line that says where', async () => {
    const { port } = await openHealth();
    const { announcer, said } = openAnnouncer(port);
    announcer.onPhase('running');
    await until(() => said.length > 0, 'it is said');
    expect(said).toEqual([`ready: Serving on port ${port}`]);
  });

  it('is ready in safe mode, too, and says what is off', async () => {
    const { port } = await openHealth();
    const { announcer, said } = openAnnouncer(port);
    announcer.onPhase('safe-mode');
    await until(() => said.length > 0, 'it is said');
    expect(said).toEqual([`ready: Safe mode on port ${port}: channels, cron and extensions are off`]);
  });

  it('is not ready while another program answers on its port; that is tried again and logged', async () => {
    const health = await openHealth('instance-b');
    const { announcer, said, records } = openAnnouncer(health.port);
    announcer.onPhase('running');
    await until(() => records.length > 0, 'it is logged');
    expect(records[0]).toMatchObject({ level: 40, failure: 'another program answered' });
    expect(said).toEqual([]);
    health.instanceId = INSTANCE;
    await until(() => said.length > 0, 'it is said in the end');
    expect(said).toEqual([`ready: Serving on port ${health.port}`]);
  });

  it('is tried no longer when it does not serve any more', async () => {
    const health = await openHealth('instance-b');
    const { announcer, said, records } = openAnnouncer(health.port);
    announcer.onPhase('running');
    await until(() => records.length > 0, 'it is logged');
    announcer.onPhase('draining');
    health.instanceId = INSTANCE;
    await sleep(700);
    expect(said).toEqual(['stopping']);
    expect(records).toHaveLength(1);
  });

  it('is not called ready by an answer that comes after it began to stop', async () => {
    const health = await openHealth(INSTANCE, 150);
    const { announcer, said } = openAnnouncer(health.port);
    announcer.onPhase('running');
    await until(() => health.asked === 1, 'it is asked');
    announcer.onPhase('draining');
    await sleep(250);
    expect(said).toEqual(['stopping']);
  });
});

describe('a restart', () => {
  it('is a reload to the manager, and ready after it', async () => {
    const { port } = await openHealth();
    const { announcer, said } = openAnnouncer(port);
    announcer.onPhase('running');
    await until(() => said.length === 1, 'it is ready');
    announcer.onPhase('restarting');
    announcer.onPhase('running');
    await until(() => said.length === 3, 'it is ready again');
    expect(said.map((text) => text.split(':')[0])).toEqual(['ready', 'reloading', 'ready']);
  });

  it('before anybody was served is none', () => {
    const { announcer, said } = openAnnouncer(1);
    announcer.onPhase('restarting');
    expect(said).toEqual(['status: restarting']);
  });
});

describe('other phases', () => {
  it('are told in a word', () => {
    const { announcer, said } = openAnnouncer(1);
    announcer.onPhase('backoff');
    announcer.onPhase('starting');
    announcer.onPhase('stopped');
    expect(said).toEqual(['status: backoff', 'status: starting', 'status: stopped']);
  });
});

describe('the end', () => {
  it('is said with its reason when the gateway fails', async () => {
    const { announcer, said } = openAnnouncer(1);
    await announcer.close('gateway.port: must be a number');
    expect(said).toEqual(['status: gateway.port: must be a number', 'stopping']);
  });

  it('needs no reason when it was stopped', async () => {
    const { announcer, said } = openAnnouncer(1);
    await announcer.close(undefined);
    expect(said).toEqual(['stopping']);
  });

  it('is waited for, so that the manager hears of it before the process is gone', async () => {
    const { announcer, said } = openAnnouncer(1, { stoppingMs: 50 });
    const startedAt = performance.now();
    await announcer.close(undefined);
    expect(performance.now() - startedAt).toBeGreaterThan(45);
    expect(said).toEqual(['stopping']);
  });
});

describe('the watchdog', () => {
  it('is fed twice in the time it is given, whatever the phase, and no longer after the end', async () => {
    const { announcer, said } = openAnnouncer(1, { watchdogMs: 40 });
    await until(() => said.length >= 3, 'it is fed');
    expect(new Set(said)).toEqual(new Set(['watchdog']));
    await announcer.close(undefined);
    const { length } = said;
    await sleep(80);
    expect(said).toHaveLength(length);
  });

  it('is left alone when the manager does not watch', async () => {
    const { said } = openAnnouncer(1);
    await sleep(50);
    expect(said).toEqual([]);
  });
});

type Health = { port: number; instanceId: string; asked: number };

/** A port that answers as a gateway of that instance does. */
async function openHealth(instanceId = INSTANCE, delayMs = 0): Promise<Health> {
  const health: Health = { port: 0, instanceId, asked: 0 };
  const server = createServer((_request, response) => {
    health.asked += 1;
    setTimeout(() => response.end(JSON.stringify({ status: 'healthy', instanceId: health.instanceId })), delayMs);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  health.port = (server.address() as AddressInfo).port;
  return health;
}

/** The announcer with a manager that writes down what it is told. */
function openAnnouncer(
  port: number,
  { watchdogMs = null, stoppingMs = 0 }: { watchdogMs?: number | null; stoppingMs?: number } = {},
): { announcer: Announcer; said: string[]; records: LogRecord[] } {
  const said: string[] = [];
  const notifier: Notifier = {
    watchdogMs,
    ready: (text) => void said.push(`ready: ${text}`),
    reloading: () => void said.push('reloading'),
    status: (text) => void said.push(`status: ${text}`),
    watchdog: () => void said.push('watchdog'),
    async stopping() {
      await sleep(stoppingMs);
      said.push('stopping');
    },
  };
  const { log, records } = openMemoryLog();
  const identity = {
    ...{ instanceId: INSTANCE, hosts: ['127.0.0.1'], port, service: null, wasPlanned: false },
    ...{ configPath: '/etc/xopc.json', stateDir: '/var/xopc' },
  };
  const announcer = createAnnouncer({ notifier, identity, log });
  onTestFinished(() => announcer.close(undefined));
  return { announcer, said, records };
}
