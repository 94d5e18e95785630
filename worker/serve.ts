import { readEssentials } from '../lib/config/essentials.ts';
import type { Config } from '../lib/config/schema.ts';
import type { Environment } from '../lib/env.ts';
import { errorMessage } from '../lib/errors.ts';
import type { Channel, SupervisorMessage, WorkerMessage } from '../lib/ipc.ts';
import type { Logger, RootLogger } from '../lib/log.ts';
import { isLoopbackAddress } from '../lib/net.ts';
import type { Paths } from '../lib/paths.ts';
import type { Redactor } from '../lib/redact.ts';
import { createApp } from './app.ts';
import { listAccounts } from './channel-views.ts';
import { type CurrentConfig, keepConfigCurrent } from './config/keep-current.ts';
import { createLiveConfig } from './config/live-config.ts';
import { finish } from './finish.ts';
import type { HeartbeatSource } from './heartbeat.ts';
import { createLease, type Lease } from './lease.ts';
import { createLiveApp } from './live-app.ts';
import type { Mailbox } from './mailbox.ts';
import { listRoutes } from './routes/index.ts';
import { type Security, secureGateway } from './security.ts';
import { type BoundSocket, createServer, type Server } from './server.ts';
import { createServices, type Services, verifyServices } from './services.ts';

export type ServeOptions = {
  channel: Channel<SupervisorMessage, WorkerMessage>;
  mailbox: Mailbox;
  welcome: Extract<SupervisorMessage, { t: 'sup.welcome' }>;
  config: Config;
  env: Environment;
  paths: Paths;
  redactor: Redactor;
  heartbeat: HeartbeatSource;
  log: RootLogger;
  /** `performance.now()` at the worker's first own instruction. */
  startedAt: number;
  /** Called when the worker serves. */
  onServing(): void;
  /** Reads the configuration that a rebuild is to begin with. Throws when it cannot be used. */
  loadNext(): Config;
};

/** What follows when the worker has finished: nothing, or another round in the same process. */
export type Served = { t: 'drained' } | { t: 'rebuild'; config: Config; leaseEpoch: number | null };

/** Serves until the supervisor asks to drain or to rebuild: the worker's life from top to bottom. */
export async function serve(start: ServeOptions): Promise<Served> {
  const live = createLiveConfig(start.config);
  const options = { ...start, config: live.view };
  const { channel, mailbox, welcome, config, redactor, log } = options;
  const { generation, instanceId } = welcome;
  const owner = `${instanceId}/${generation}`;
  const lease: Lease = createLease({ owner, services: () => services, log });
  const services: Services = createServices({ ...options, instanceId, owner, currentEpoch: () => lease.epoch });
  services.registry.init();
  const { peers, leaseEpoch } = welcome.role === 'standby' ? await standBy(services, options) : welcome;
  // What workers had claimed that are gone is free; those of whom we are told later follow by `peer.exited`.
  await services.store.inbox.recover({
    survivors: [generation, ...peers].map((living) => `${instanceId}/${living}`),
  });
  if (leaseEpoch !== null) await lease.take(leaseEpoch);

  const draining = new AbortController();
  const streams = { open: 0 };
  const sockets = await mailbox.sockets(welcome.listeners);
  const hosts = sockets.map(({ host }) => host);
  const current = keepConfigCurrent({
    ...options,
    live,
    overrides: welcome.overrides,
    events: services.events,
    isLoopback: hosts.every(isLoopbackAddress),
    app: () => app,
    verifyServices: (next) => verifyServices(next, options.env),
    requestRestart: (reason) => void channel.send({ t: 'restart.request', reason }),
    tellOwner: (text) => services.alerts.tell('config', text),
  });
  const { credential, findings } = secureGateway({ ...options, overrides: welcome.overrides, hosts });
  const configFile = current.file;
  const routes = buildRoutes({ ...options, services, findings, draining: draining.signal, streams, configFile });
  const { gateway } = config;
  const app = createLiveApp(
    (asked) => createApp({ routes, credential: asked, gateway, redactor, log }).callback(),
    credential,
  );
  const server = createServer(app.listener, { maxConnections: gateway.maxConnections });
  await listen(options, server, sockets);

  options.heartbeat.follow(() => ({
    requests: server.requests,
    turns: services.runs.active,
    streams: streams.open,
    leaseEpoch: lease.granted,
    outbox: services.outbound.waiting,
    channels: listAccounts(services.registry.list()),
  }));
  const lookout = watchInbox(services, log);
  mailbox.onPeerExited((peer) => void takeOver(services, `${instanceId}/${peer}`, log));
  channel.send({ t: 'worker.ready', bootMs: Math.round(performance.now() - options.startedAt) });
  activate(options, lease, leaseEpoch).catch((error: unknown) =>
    log.error({ err: error }, 'The channels could not be activated'),
  );
  void services.warm().catch((error: unknown) => log.warn({ err: error }, 'Warming up failed'));
  options.onServing();
  const endFollowing = await followConfig(options, current);

  const { order, next } = await nextUsableOrder(options);
  const mode = order.t === 'worker.drain' ? order.mode : 'stop';
  log.info({ mode: next === undefined ? mode : 'rebuild' }, 'Draining');
  services.events.publish('gateway.draining', { mode });
  draining.abort();
  endFollowing();
  clearInterval(lookout);
  await finish({ services, lease, server, channel, mode, requestsMs: order.requestsMs, turnsMs: order.turnsMs });
  await releaseClaims(services, owner, log);
  services.store.close();
  // Nobody will hear their answers; in a process that is rebuilt in place they would go on for as long as the model does.
  services.runs.abortAll();
  log.info('Drained');
  if (next === undefined) return { t: 'drained' };
  return { t: 'rebuild', config: next, leaseEpoch: lease.granted > 0 ? lease.granted : null };
}

/** Everything is loaded and the database is open; what is missing is done in milliseconds. */
async function standBy(
  services: Services,
  { channel, mailbox, log }: ServeOptions,
): Promise<{ peers: number[]; leaseEpoch: number | null }> {
  await services.warm();
  channel.send({ t: 'worker.warm' });
  log.info('Standing by');
  return mailbox.promoted;
}

type Order = Awaited<ReturnType<Mailbox['nextOrder']>>;

/** The next order that can be followed: a rebuild only with a configuration that is right. */
async function nextUsableOrder({
  mailbox,
  channel,
  log,
  loadNext,
}: ServeOptions): Promise<{ order: Order; next?: Config }> {
  for (;;) {
    const order = await mailbox.nextOrder();
    if (order.t === 'worker.drain') return { order };
    try {
      return { order, next: loadNext() };
    } catch (error) {
      log.error({ err: error }, 'Not rebuilding: the configuration cannot be used');
      channel.send({ t: 'worker.rebuild-refused', message: errorMessage(error) });
    }
  }
}

type RouteParts = ServeOptions & {
  configFile: CurrentConfig['file'];
  services: Services;
  findings: Security['findings'];
  draining: AbortSignal;
  streams: { open: number };
};

/** States of a channel in which somebody is not heard. */
const UNSERVED: ReadonlySet<string> = new Set(['down', 'conflict', 'login-needed']);

/** In safe mode the supervisor follows the file: any change is a reason to try again. */
function followConfig({ welcome, log }: ServeOptions, current: CurrentConfig): Promise<() => void> {
  if (welcome.role === 'safe') return Promise.resolve(() => undefined);
  return current.follow().catch((error: unknown) => {
    log.error({ err: error }, 'Changes of the configuration are not followed; send SIGHUP after them');
    return () => undefined;
  });
}

function buildRoutes(options: RouteParts): ReturnType<typeof listRoutes> {
  const { config, welcome, services, findings, draining, streams, configFile } = options;
  const { registry, store, events } = services;
  const isDegraded = (): boolean => registry.list().some(({ state }) => UNSERVED.has(state));
  const details = async (): Promise<Record<string, unknown>> => ({
    pid: process.pid,
    channels: registry.list(),
    queues: { inbox: await store.inbox.count(), outbox: services.outbound.waiting },
    outbox: await store.outbox.stats(),
    findings,
    config: describeConfig(configFile),
  });
  return listRoutes({
    ...services,
    config,
    logs: { logFile: options.paths.logFile, redact: (line) => options.redactor.redact(line) },
    configFile,
    health: {
      instanceId: welcome.instanceId,
      generation: welcome.generation,
      isReady: () => !draining.aborted,
      isDegraded,
      details,
    },
    restart: {
      isAllowed: () => allowsRestart(options),
      request: (reason) => void options.channel.send({ t: 'restart.request', reason }),
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

/** As the file has it now, which is what the supervisor goes by; one that cannot be read leaves it as it was. */
function allowsRestart({ config, paths, env, log }: ServeOptions): boolean {
  try {
    return readEssentials(paths.configPath, env).allowsRestart;
  } catch (error) {
    log.warn({ err: error }, 'The configuration cannot be read; the last settings stay in force.');
    return config.commands.restart;
  }
}

/** Whether the file is what runs, and what is missing if not. */
function describeConfig(file: CurrentConfig['file']): Record<string, unknown> {
  const { revision, pending, problems } = file.read();
  return { revision, pending, problems };
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

async function activate({ mailbox }: ServeOptions, lease: Lease, leaseEpoch: number | null): Promise<void> {
  if (leaseEpoch === null) await lease.take((await mailbox.leaseGranted).epoch);
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
