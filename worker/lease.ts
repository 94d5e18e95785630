import type { Logger } from '../lib/log.ts';
import { type Clocks, watchClock } from './clock-jump.ts';
import type { Services } from './services.ts';

export type Lease = {
  /** The store's epoch; 0 while it is not held. */
  readonly epoch: number;
  /** The supervisor's number of the grant; 0 while it is not held. */
  readonly granted: number;
  /** Takes the lease that the supervisor granted and starts what does not wait for the HTTP port. Does nothing once the intake was stopped. */
  take(granted: number): Promise<void>;
  /** Starts the rest, once the port listens. */
  activate(): Promise<void>;
  /** Stops the intake of channels. */
  stopIntake(): Promise<void>;
  /** Stops delivering; waits for what is being sent for at most `graceMs`. */
  release(graceMs: number): Promise<void>;
};

const PRUNE_EVERY_MS = 3_600_000;

/** What must run in one worker only: channels, jobs, the outbox and housekeeping (SPEC 3.4, manual "channel start order"). */
export function createLease(options: { owner: string; services: () => Services; log: Logger; clocks?: Clocks }): Lease {
  const { owner, log } = options;
  let epoch = 0;
  let granted = 0;
  let prune: NodeJS.Timeout | undefined;
  let endWatch: () => void = () => undefined;
  let isReleased = false;

  function reprobe(jumpMs: number): void {
    log.warn({ jumpMs }, 'The clock jumped or this process stood still; every channel is checked anew');
    const { registry, scheduler } = options.services();
    registry.reprobe();
    scheduler.followClock(jumpMs);
  }

  async function startOutbox(services: Services): Promise<number | null> {
    if (isReleased) return null;
    const startedAt = performance.now();
    await services.outbound.start(epoch);
    await services.inbound.wakeAll();
    return since(startedAt);
  }

  return {
    get epoch() {
      return epoch;
    },
    get granted() {
      return granted;
    },
    async take(grant) {
      granted = grant;
      if (isReleased) return;
      endWatch = watchClock({ ...options.clocks, onJump: reprobe });
      const services = options.services();
      const { registry } = services;
      epoch = await services.store.leases.take(owner);
      const startedAt = performance.now();
      await registry.start('before-listen');
      const channelPhase1StartMs = since(startedAt);
      const replayOutboundMs = registry.deferral.ids.length === 0 ? await startOutbox(services) : null;
      log.info(
        { ...startupFields(services), stage: 'phase1', ...registry.spent, channelPhase1StartMs, replayOutboundMs },
        'Channel start: phase-1 complete',
      );
    },
    async activate() {
      const services = options.services();
      if (isReleased) return;
      const startedAt = performance.now();
      await services.registry.start('after-listen');
      const channelPhase2DeferredMs = since(startedAt);
      const replayOutboundMs = services.registry.deferral.ids.length === 0 ? null : await startOutbox(services);
      log.info(
        {
          ...startupFields(services),
          stage: 'phase2',
          channelPhase2DeferredMs,
          replayOutboundMs,
          onHttpListeningTotalMs: since(startedAt),
        },
        'Channel start: phase-2 complete',
      );
      // The worker may have begun to end meanwhile.
      if (isReleased) return;
      const clean = (): void =>
        void services.store
          .prune()
          .then(() => services.files.prune())
          .then(() => services.attachments.prune())
          .then(() => services.pruneJobs())
          .catch((error: unknown) => log.error({ err: error }, 'What is old could not be removed'));
      clean();
      prune = setInterval(clean, PRUNE_EVERY_MS);
      await services.scheduler.start(epoch);
    },
    async stopIntake() {
      isReleased = true;
      endWatch();
      clearInterval(prune);
      const { registry, scheduler } = options.services();
      await Promise.all([scheduler.stop(), registry.stop()]);
    },
    release: (graceMs) => options.services().outbound.stop(graceMs),
  };
}

function startupFields({ registry }: Services): Record<string, unknown> {
  const { mode, source, ids } = registry.deferral;
  return {
    phase: 'gateway.channel_startup',
    channelConnectDeferMode: mode,
    channelConnectDeferSource: source,
    deferredChannelIds: ids,
  };
}

function since(startedAt: number): number {
  return Math.round(performance.now() - startedAt);
}
