import { setTimeout as sleep } from 'node:timers/promises';
import type { Channel, DrainMode, SupervisorMessage, WorkerMessage } from '../lib/ipc.ts';
import type { Lease } from './lease.ts';
import type { Server } from './server.ts';
import type { Services } from './services.ts';

export type FinishOptions = {
  services: Services;
  lease: Lease;
  server: Server;
  /** `replace` when another worker waits for the lease. */
  mode: DrainMode;
  requestsMs: number;
  turnsMs: number;
  channel: Channel<SupervisorMessage, WorkerMessage>;
};

/** What a send may still take when another worker waits for the lease, in milliseconds. */
const HAND_OVER_MS = 8_000;
const FLUSH_MS = 3_000;

/** Finishes what is under way. With another worker waiting, the lease goes first; else replies are delivered before it is given up (DRAIN-1). */
export async function finish(options: FinishOptions): Promise<void> {
  const { services, lease, server, mode, requestsMs, turnsMs, channel } = options;
  const { lanes, outbound } = services;
  const deadline = Date.now() + turnsMs;
  const turns = Promise.race([lanes.drain(), sleep(turnsMs)]);
  const release = async (graceMs: number): Promise<void> => {
    await lease.release(graceMs);
    if (lease.granted > 0) channel.send({ t: 'lease.released', epoch: lease.granted });
  };
  const isReplace = mode === 'replace';
  await lease.stopIntake();
  const released = isReplace ? release(HAND_OVER_MS) : undefined;
  const served = server.drain({
    mode,
    requestsMs,
    isExcused: ({ url }) => isReplace && waitsForTurn(url ?? ''),
    excusedMs: isReplace ? turnsMs : 0,
  });
  await Promise.all([turns, served, released]);
  if (isReplace) return;
  const flushBy = Math.min(Date.now() + FLUSH_MS, deadline);
  while (outbound.waiting > 0 && Date.now() < flushBy) await sleep(20);
  await release(500);
}

function waitsForTurn(url: string): boolean {
  return ['/api/agent', '/api/message/sync', '/v1/chat/completions'].some((path) => url.startsWith(path));
}
