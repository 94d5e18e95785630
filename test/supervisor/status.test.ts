import { describe, expect, it } from 'vitest';
import type { Phase, WorkerExit } from '../../lib/control.ts';
import { VERSION } from '../../lib/version.ts';
import type { SupervisorState } from '../../supervisor/state-model.ts';
import { describePhase, describeStatus, type StatusSource } from '../../supervisor/status.ts';
import { liveWorkerOf } from './live-worker-samples.ts';
import { exited, greeted, ready, replay, restart, start, WAY_TO } from './state-replay.ts';

const IDENTITY: StatusSource['identity'] = {
  ...{ instanceId: 'instance-a', configPath: '/etc/xopc.json', stateDir: '/var/xopc' },
  ...{ hosts: ['127.0.0.1', '::1'], port: 18_790, service: 'systemd', wasPlanned: true },
};

const EXIT: WorkerExit = {
  ...{ generation: 1, pid: 7, at: '2026-03-04T05:06:07.000Z', uptimeMs: 5, code: 3, signal: null, isCrash: true },
  ...{ reason: 'exit code 3', firstErrorLine: 'Error: broken', crashLog: '/var/xopc/logs/crash.log' },
};

describe('the status', () => {
  it('tells who it is, where it serves, and since when', () => {
    const startedAt = new Date(Date.now() - 61_000);
    const status = describeStatus(sourceOf({ startedAt }));
    expect(status).toMatchObject({
      ...IDENTITY,
      pid: process.pid,
      version: VERSION,
      startedAt: startedAt.toISOString(),
    });
    expect(status.uptimeMs).toBeGreaterThanOrEqual(61_000);
    expect(status.uptimeMs).toBeLessThan(71_000);
  });

  it.each(Object.entries(WAY_TO))('tells the phase %s, and why and since when it is in it', (phase, events) => {
    const lastChange = { reason: 'the reason', at: new Date('2026-03-04T05:06:07.000Z') };
    const status = describeStatus(sourceOf({ state: replay(events).state, lastChange }));
    expect(status).toMatchObject({ phase, reason: 'the reason', since: '2026-03-04T05:06:07.000Z' });
  });

  it('lists each worker with its stage, its pid and what it said last', () => {
    const { state } = replay([...WAY_TO.running, restart]);
    const heartbeat = {
      ...{ at: '2026-03-04T05:06:08.000Z', rssBytes: 1, loopDelayMs: 2, requests: 3, turns: 4, streams: 5 },
      ...{ leaseEpoch: 6, outbox: 7, channels: [] },
    };
    const workers = [
      { ...liveWorkerOf(1, { pid: 101 }), heartbeat },
      { ...liveWorkerOf(2, { pid: undefined }), startedAt: Date.parse('2026-03-04T05:06:09.000Z') },
    ];
    const status = describeStatus(sourceOf({ state, workers }));
    expect(status.active).toBe(1);
    expect(status.workers).toEqual([
      { generation: 1, stage: 'ready', pid: 101, startedAt: '1970-01-01T00:00:01.000Z', heartbeat },
      { generation: 2, stage: 'forked', pid: null, startedAt: '2026-03-04T05:06:09.000Z', heartbeat: null },
    ]);
  });

  it('lists a worker that the state knows and nobody else, as one that could not be started', () => {
    const { state } = replay([start]);
    expect(describeStatus(sourceOf({ state, workers: [] })).workers).toMatchObject([
      { generation: 1, stage: 'forked', pid: null, heartbeat: null },
    ]);
  });

  it('counts the crashes of the last ten minutes only', () => {
    const { state } = replay([start, exited(1), exited(2)]);
    const aged: SupervisorState = { ...state, crashTimes: [0, 100_000, 650_000] };
    const recentAt = (now: number): number => describeStatus(sourceOf({ state: aged, now })).crashes.recent;
    expect([recentAt(599_999), recentAt(600_000), recentAt(700_000), recentAt(2_000_000)]).toEqual([3, 2, 1, 0]);
    expect(describeStatus(sourceOf({ state: aged })).crashes.limit).toBe(5);
  });

  it('tells of the last ends of workers, and why the last restart failed', () => {
    const { state } = replay([...WAY_TO.restarting, exited(2)]);
    const status = describeStatus(sourceOf({ state, lastExits: [EXIT] }));
    expect(status.lastExits).toEqual([EXIT]);
    expect(status.restartFailure).toBe('The new worker ended before it was ready: exit code 1.');
    const mended = replay([restart, greeted(3), ready(3)], state).state;
    expect(describeStatus(sourceOf({ state: mended })).restartFailure).toBeNull();
  });

  it('is made of what JSON can carry', () => {
    const status = describeStatus(sourceOf({ workers: [liveWorkerOf(1, { pid: 101 })], lastExits: [EXIT] }));
    expect(JSON.parse(JSON.stringify(status))).toEqual(status);
  });
});

describe('the line for a service manager', () => {
  it.each<[Phase, string]>([
    ['running', 'Serving on port 18790'],
    ['safe-mode', 'Safe mode on port 18790: channels, cron and extensions are off'],
    ['starting', 'starting'],
    ['restarting', 'restarting'],
    ['backoff', 'backoff'],
    ['draining', 'draining'],
    ['stopped', 'stopped'],
  ])('of the phase %s is "%s"', (phase, line) => {
    expect(describePhase(phase, 18_790)).toBe(line);
  });
});

function sourceOf(change: Partial<StatusSource> = {}): StatusSource {
  return {
    ...{ state: replay(WAY_TO.running).state, now: 0, workers: [], lastExits: [], identity: IDENTITY },
    ...{ lastChange: { reason: 'worker 1 is ready', at: new Date() }, startedAt: new Date() },
    ...change,
  };
}
