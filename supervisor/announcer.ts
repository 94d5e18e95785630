import { setTimeout as sleep } from 'node:timers/promises';
import type { Phase } from '../lib/control.ts';
import type { Logger } from '../lib/log.ts';
import type { Notifier } from './notify.ts';
import { probe } from './probe.ts';
import { describePhase, type StatusSource } from './status.ts';

/** Tells the service manager what the gateway does (sd_notify(3), SPEC 3.6). */
export type Announcer = {
  onPhase(phase: Phase): void;
  /** Says why the gateway ends, if it fails, and that it does. */
  close(failure: string | undefined): Promise<void>;
};

const RETRY_MS = 500;

/**
 * Creates the announcer. Ready is only said of a gateway whose port answered; the watchdog is fed from this process's own
 * loop, since a worker that hangs is our business and no reason to end us.
 */
export function createAnnouncer(options: {
  notifier: Notifier;
  identity: StatusSource['identity'];
  log: Logger;
}): Announcer {
  const { notifier, identity, log } = options;
  const { port, instanceId } = identity;
  const [host = '127.0.0.1'] = identity.hosts;
  const watchdog =
    notifier.watchdogMs === null ? undefined : setInterval(() => notifier.watchdog(), notifier.watchdogMs / 2);
  let hasServed = false;
  let current: Phase = 'starting';

  async function announceReady(phase: Phase): Promise<void> {
    // Until another phase takes its place: without an answer the manager would end us in the end.
    while (current === phase) {
      const failure = await probe({ host, port, instanceId });
      // What it says of a phase that is over would contradict what was said since.
      if (current !== phase) return;
      if (failure === undefined) {
        notifier.ready(describePhase(phase, port));
        return;
      }
      log.warn({ host, port, failure }, 'The port does not answer yet although a worker listens.');
      await sleep(RETRY_MS);
    }
  }

  return {
    onPhase(phase) {
      current = phase;
      if (phase === 'running' || phase === 'safe-mode') {
        hasServed = true;
        void announceReady(phase);
        return;
      }
      if (phase === 'draining') void notifier.stopping();
      else if (phase === 'restarting' && hasServed) notifier.reloading();
      else notifier.status(describePhase(phase, port));
    },
    async close(failure) {
      clearInterval(watchdog);
      if (failure !== undefined) notifier.status(failure);
      await notifier.stopping();
    },
  };
}
