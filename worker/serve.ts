import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../lib/config/schema.ts';
import type { Environment } from '../lib/env.ts';
import type { Channel, Heartbeat, SupervisorMessage, WorkerMessage } from '../lib/ipc.ts';
import type { Logger } from '../lib/log.ts';
import { isLoopbackAddress } from '../lib/net.ts';
import type { Paths } from '../lib/paths.ts';
import type { Redactor } from '../lib/redact.ts';
import { createApp } from './app.ts';
import { resolveCredential } from './credential.ts';
import { createLease, type Lease } from './lease.ts';
import type { Mailbox } from './mailbox.ts';
import { listRoutes } from './routes/index.ts';
import { type BoundSocket, createServer, type Server } from './server.ts';
import { createServices, type Services } from './services.ts';

export type ServeOptions = {
  channel: Channel<SupervisorMessage, WorkerMessage>;
  mailbox: Mailbox;
  welcome: Extract<SupervisorMessage, { t: 'sup.welcome' }>;
  config: Config;
  env: Environment;
  paths: Paths;
  redactor: Redactor;
  log: Logger;
  /** `performance.now()` at the worker's first own instruction. */
  startedAt: number;
};

/** Serves until the supervisor asks to drain: the worker's life from top to bottom. */
export async function serve(options: ServeOptions): Promise<void> {
  const { channel, mailbox, welcome, log } = options;
  const { generation, instanceId } = welcome;
  const owner = `${instanceId}/${generation}`;
  const lease: Lease = createLease({ owner, services: () => services, log });
  const services: Services = createServices({ ...options, owner, currentEpoch: () => lease.epoch });
  services.registry.init();
  // What workers had claimed that are gone is free; those of whom we are told later follow by `peer.exited`.
  await services.store.inbox.recover({
    survivors: [generation, ...welcome.peers].map((living) => `${instanceId}/${living}`),
  });
  if (welcome.leaseEpoch !== null) await lease.take(welcome.leaseEpoch);

  const draining = new AbortController();
  const streams = { open: 0 };
  const sockets = await mailbox.sockets(welcome.listeners);
  const server = createServer(
    createApp({
      ...credentialOf(options, sockets),
      routes: buildRoutes(options, services, draining.signal, streams),
      log,
    }).callback(),
  );
  await listen(options, server, sockets);

  const heartbeat = startHeartbeat(channel, () => ({
    requests: server.requests,
    turns: services.runs.active,
    streams: streams.open,
    leaseEpoch: lease.granted,
  }));
  const lookout = watchInbox(services, log);
  mailbox.onPeerExited((peer) => void takeOver(services, `${instanceId}/${peer}`, log));
  channel.send({ t: 'worker.ready', bootMs: Math.round(performance.now() - options.startedAt) });
  activate(options, lease).catch((error: unknown) => log.error({ err: error }, 'The channels could not be activated'));
  void services.warm().catch((error: unknown) => log.warn({ err: error }, 'Warming up failed'));

  const drain = await mailbox.drainAsked;
  log.info({ mode: drain.mode }, 'Draining');
  services.events.publish('gateway.draining', { mode: drain.mode });
  draining.abort();
  clearInterval(lookout);
  await finish({ services, lease, server, drain, channel });
  await releaseClaims(services, owner, log);
  clearInterval(heartbeat);
  services.store.close();
  log.info('Drained');
}

function credentialOf(
  { config, env, paths, welcome, redactor }: ServeOptions,
  sockets: readonly BoundSocket[],
): { credential: ReturnType<typeof resolveCredential> } {
  const isLoopback = sockets.every(({ host }) => isLoopbackAddress(host));
  const credential = resolveCredential({ config, env, overrides: welcome.overrides, paths, isLoopback });
  if (credential.mode !== 'none') redactor.add(credential.secret);
  return { credential };
}

function buildRoutes(
  options: ServeOptions,
  services: Services,
  draining: AbortSignal,
  streams: { open: number },
): ReturnType<typeof listRoutes> {
  const { config, welcome } = options;
  const { registry, store, events } = services;
  const isDegraded = (): boolean =>
    registry.list().some(({ accounts }) => accounts.some(({ state }) => state === 'down'));
  const details = async (): Promise<Record<string, unknown>> => ({
    pid: process.pid,
    channels: registry.list(),
    queues: { inbox: await store.inbox.count(), outbox: services.outbound.waiting },
  });
  return listRoutes({
    ...services,
    config,
    health: {
      instanceId: welcome.instanceId,
      generation: welcome.generation,
      isReady: () => !draining.aborted,
      isDegraded,
      details,
    },
    streams: {
      events,
      maxConnections: config.gateway.maxSseConnections,
      draining,
      openStreams: () => streams.open,
      countStream() {
        streams.open += 1;
        return () => {
          streams.open -= 1;
        };
      },
    },
  });
}

async function listen({ channel }: ServeOptions, server: Server, sockets: readonly BoundSocket[]): Promise<void> {
  try {
    const { hosts, port } = await server.listen(sockets);
    channel.send({ t: 'worker.listening', hosts, port });
  } catch (error) {
    const [first] = sockets;
    channel.send({ t: 'worker.listen-failed', host: first?.host ?? '', reason: String(error) });
    throw error;
  }
}

async function activate({ mailbox, welcome }: ServeOptions, lease: Lease): Promise<void> {
  if (welcome.leaseEpoch === null) await lease.take((await mailbox.leaseGranted).epoch);
  await lease.activate();
}

async function takeOver({ store, inbound }: Services, owner: string, log: Logger): Promise<void> {
  try {
    const freed = await store.inbox.recover({ owner });
    if (freed > 0) log.info({ freed }, 'Took over the unfinished turns of a worker that ended');
    await inbound.wakeAll();
  } catch (error) {
    log.error({ err: error }, 'Unfinished turns of a worker that ended could not be taken over');
  }
}

/** What did not finish in time is worked on by the next worker; being interrupted in order is not the message's fault (RESUME-1). */
async function releaseClaims({ store }: Services, owner: string, log: Logger): Promise<void> {
  try {
    const left = await store.inbox.release(owner);
    if (left > 0) log.info({ left }, 'Unfinished turns are left to the next worker');
  } catch (error) {
    log.warn({ err: error }, 'Unfinished turns could not be handed over; the next worker finds them by itself');
  }
}

const LOOK_MS = 1_000;

/** Finds messages that another worker took in and may no longer work on, because it is draining. */
function watchInbox({ inbound }: Services, log: Logger): NodeJS.Timeout {
  const look = (): void =>
    void inbound
      .wakeAll()
      .catch((error: unknown) => log.error({ err: error }, 'The inbox cannot be read; trying again'));
  return setInterval(look, LOOK_MS);
}

const BEAT_MS = 1_000;

/** Reports from the main loop each second: a loop that does not turn is silent. */
function startHeartbeat(
  channel: ServeOptions['channel'],
  read: () => Omit<Heartbeat, 'rssBytes' | 'loopDelayMs'>,
): NodeJS.Timeout {
  let expectedAt = performance.now() + BEAT_MS;
  return setInterval(() => {
    const now = performance.now();
    const loopDelayMs = Math.max(0, Math.round(now - expectedAt));
    expectedAt = now + BEAT_MS;
    channel.send({ t: 'worker.heartbeat', rssBytes: process.memoryUsage.rss(), loopDelayMs, ...read() });
  }, BEAT_MS);
}

type FinishOptions = {
  services: Services;
  lease: Lease;
  server: Server;
  drain: Extract<SupervisorMessage, { t: 'worker.drain' }>;
  channel: ServeOptions['channel'];
};

/** What a send may still take when another worker waits for the lease, in milliseconds. */
const HAND_OVER_MS = 8_000;
const FLUSH_MS = 3_000;

/** Finishes what is under way. With another worker waiting, the lease goes first; else replies are delivered before it is given up (DRAIN-1). */
async function finish({ services, lease, server, drain, channel }: FinishOptions): Promise<void> {
  const { lanes, outbound } = services;
  const deadline = Date.now() + drain.turnsMs;
  const turns = Promise.race([lanes.drain(), sleep(drain.turnsMs)]);
  const release = async (graceMs: number): Promise<void> => {
    await lease.release(graceMs);
    if (lease.granted > 0) channel.send({ t: 'lease.released', epoch: lease.granted });
  };
  const isReplace = drain.mode === 'replace';
  await lease.stopIntake();
  const released = isReplace ? release(HAND_OVER_MS) : undefined;
  const served = server.drain({
    mode: drain.mode,
    requestsMs: drain.requestsMs,
    isExcused: ({ url }) => isReplace && waitsForTurn(url ?? ''),
    excusedMs: isReplace ? drain.turnsMs : 0,
  });
  await Promise.all([turns, served, released]);
  if (isReplace) return;
  const flushBy = Math.min(Date.now() + FLUSH_MS, deadline);
  while (outbound.waiting > 0 && Date.now() < flushBy) await sleep(20);
  await release(500);
}

function waitsForTurn(url: string): boolean {
  return url.startsWith('/api/agent') || url.startsWith('/api/message/sync');
}
