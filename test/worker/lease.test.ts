import { describe, expect, it, onTestFinished } from 'vitest';
import { createRegistry, defineChannel } from '../../worker/channels/registry.ts';
import { createLease, type Lease } from '../../worker/lease.ts';
import type { Services } from '../../worker/services.ts';
import { type AssembledGateway, assembleGateway } from './assembled-gateway.ts';
import { createRecordingLog, type LogEntry } from './recording-log.ts';
import { createScriptedChannel } from './scripted-channel.ts';
import { enqueueOne, inboxRow, openTemporaryStore } from './temporary-store.ts';

type Bench = {
  lease: Lease;
  gateway: AssembledGateway;
  started: string[];
  entries: LogEntry[];
  clocks: { ms: number };
};

/** A worker's lease around real services with a channel, which starts before or after the port listens. */
function createBench(isDeferred: boolean): Bench {
  const started: string[] = [];
  const gateway = assembleGateway({ store: openTemporaryStore().store });
  const channel = createScriptedChannel({ id: 'other', deferConnectUntilAfterListen: isDeferred });
  const { log, entries } = createRecordingLog();
  const registry = createRegistry({
    factories: [
      defineChannel(() => ({
        ...channel,
        start: async () => void started.push('channel'),
        reprobe: () => void started.push('reprobed'),
      })),
    ],
    defer: { mode: 'auto', ids: [], skipIds: [] },
    receive: async () => undefined,
    readCursor: async () => undefined,
    onStatus: () => undefined,
    log,
  });
  registry.init();
  const services = { ...gateway, registry } as unknown as Services;
  const clocks = { ms: 0 };
  const lease = createLease({
    owner: 'w1',
    services: () => services,
    log,
    clocks: { everyMs: 5, now: () => clocks.ms, monotonic: () => 0 },
  });
  onTestFinished(async () => {
    await lease.stopIntake();
    await lease.release(0);
  });
  return { lease, gateway, started, entries, clocks };
}

describe('the lease of a worker', () => {
  it('is not held at first; taken, it starts the channels and delivers what waited', async () => {
    const { lease, gateway, started, entries } = createBench(false);
    expect([lease.epoch, lease.granted]).toEqual([0, 0]);
    await enqueueOne(gateway.store, 'waited', { chatId: '1' });
    await gateway.store.inbox.receive({ rows: [inboxRow('r', '2', { text: 'asked' })] });
    await lease.take(5);
    expect([lease.epoch, lease.granted]).toEqual([1, 5]);
    expect(started).toEqual(['channel']);
    await expect.poll(() => gateway.channel.textsOf('1')).toEqual(['waited']);
    await expect.poll(() => gateway.channel.textsOf('2')).toEqual(['echo: asked']);
    expect(entries.find(({ fields }) => fields['stage'] === 'phase1')?.fields).toMatchObject({
      phase: 'gateway.channel_startup',
      channelConnectDeferMode: 'auto',
      channelConnectDeferSource: 'meta',
      deferredChannelIds: [],
      channelInitMs: expect.any(Number),
      deferPlanMs: expect.any(Number),
      channelPhase1StartMs: expect.any(Number),
      replayOutboundMs: expect.any(Number),
    });
  });

  it('delivers only after the port listens when a channel waits for that', async () => {
    const { lease, gateway, started, entries } = createBench(true);
    await enqueueOne(gateway.store, 'waited', { chatId: '1' });
    await lease.take(1);
    expect([started, gateway.channel.sent]).toEqual([[], []]);
    expect(entries.find(({ fields }) => fields['stage'] === 'phase1')).toMatchObject({
      message: expect.stringContaining('phase-1 complete'),
      fields: { replayOutboundMs: null, channelConnectDeferSource: 'meta', deferredChannelIds: ['other'] },
    });
    await lease.activate();
    expect(started).toEqual(['channel']);
    await expect.poll(() => gateway.channel.textsOf('1')).toEqual(['waited']);
    expect(entries.find(({ fields }) => fields['stage'] === 'phase2')).toMatchObject({
      message: expect.stringContaining('phase-2 complete'),
      fields: {
        phase: 'gateway.channel_startup',
        channelConnectDeferMode: 'auto',
        channelConnectDeferSource: 'meta',
        deferredChannelIds: ['other'],
        channelPhase2DeferredMs: expect.any(Number),
        replayOutboundMs: expect.any(Number),
        onHttpListeningTotalMs: expect.any(Number),
      },
    });
  });

  it('has the channels checked when the clock jumps, until the intake stops', async () => {
    const { lease, started, entries, clocks } = createBench(false);
    clocks.ms += 3_600_000;
    await lease.take(1);
    expect(started).toEqual(['channel']);
    clocks.ms += 3_600_000;
    await expect.poll(() => started).toEqual(['channel', 'reprobed']);
    expect(entries.find(({ fields }) => fields['jumpMs'] === 3_600_000)?.level).toBe('warn');
    await lease.stopIntake();
    clocks.ms += 3_600_000;
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(started).toEqual(['channel', 'reprobed']);
  });

  it('that comes after the worker began to end starts nothing', async () => {
    const { lease, gateway, started } = createBench(false);
    await enqueueOne(gateway.store, 'waited', { chatId: '1' });
    await lease.stopIntake();
    await lease.take(1);
    await lease.activate();
    expect([lease.epoch, lease.granted, started]).toEqual([0, 1, []]);
    expect((await gateway.store.outbox.pendingAfter(0)).rows).toHaveLength(1);
  });
});
