import { GatewayError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import { monotonicMs } from '../../lib/monotonic.ts';
import { type Deferral, type DeferSettings, planDeferral } from './deferral.ts';
import type { ChannelFactory, Intake } from './generation.ts';
import { ChannelLife, type ChannelSummary, LIFE_TIMING, type LifeTiming } from './life.ts';
import {
  type ChannelPlugin,
  type EditTarget,
  type FileSupport,
  type HttpPush,
  type LoginDesk,
  type OutboundMessage,
  type Peer,
  type Posted,
  type Quoting,
  Rejected,
  type Streaming,
  Unreachable,
} from './plugin.ts';
import { keepTyping, type TypingTarget } from './typing.ts';

export type { ChannelFactory } from './generation.ts';
export type { ChannelSummary } from './life.ts';

export type RegistryOptions = Intake & {
  factories: readonly ChannelFactory[];
  defer: DeferSettings;
  timing?: Partial<LifeTiming>;
  log: Logger;
};

export type Registry = {
  /** Initialises every channel; one that fails is listed as down and tried again when the channels start. */
  init(): void;
  /** Starts the channels that do not wait for the HTTP port, or those that do. Failures are isolated and retried for ever. */
  start(phase: 'before-listen' | 'after-listen'): Promise<void>;
  /**
   * Stops one channel and starts a fresh instance of it, also when the old one does not stop. Throws CHANNEL_NOT_FOUND, and
   * NOT_READY while the channels of this worker do not run.
   */
  restart(channel: string): Promise<void>;
  /** The clock jumped or the network changed: every channel proves its transport anew (LIVE-3). */
  reprobe(): void;
  stop(): Promise<void>;
  has(channel: string): boolean;
  /** Longest text of one part, in UTF-16 units: as an account wishes, and `reserve` less than the platform takes. */
  textLimit(target: { channel: string; accountId: string }, reserve: number): number;
  /** What may be sent besides text; undefined when the channel sends no files. */
  fileSupport(channel: string): FileSupport | undefined;
  isIdempotent(channel: string): boolean | undefined;
  isLocal(channel: string): boolean;
  /** Whether the platform takes messages only in a window that the peer opens by writing. */
  hasWindows(channel: string): boolean;
  send(channel: string, message: OutboundMessage, signal: AbortSignal): Promise<Posted>;
  /** Changes a message that was sent; undefined when the channel cannot. */
  edit(channel: string, target: EditTarget, signal: AbortSignal): Promise<'edited' | 'gone'> | undefined;
  /** How a channel shows an answer while it grows; undefined when it does not. */
  streaming(channel: string, accountId: string, peerKind: Peer['kind']): Streaming | undefined;
  /** Which parts of an answer quote the message that they answer. */
  quoting(channel: string, accountId: string, peerKind: Peer['kind']): Quoting;
  /** Books the next message to a chat and returns how long it has to wait for the platform's pace, in milliseconds. */
  bookSend(channel: string, target: { accountId: string; chatId: string }): number;
  /** Fetches a file that came in. Throws Rejected when it can never be had, Unreachable when the channel is not there now. */
  fetchFile(
    channel: string,
    file: { accountId: string; ref: string },
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>>;
  /** Whether the platform of a channel pushes messages in a way of its own. */
  takesHttp(channel: string): boolean;
  /**
   * Hands over what a platform pushed and returns the JSON to answer with. Throws CHANNEL_NOT_FOUND when no such channel takes
   * any, and NOT_READY while the channel cannot.
   */
  receiveHttp(channel: string, request: HttpPush): Promise<Record<string, unknown>>;
  /** Where accounts of a channel are logged in. Throws CHANNEL_NOT_FOUND when it has no such place, NOT_READY while it restarts. */
  login(channel: string): LoginDesk;
  /** Shows "typing" in a chat until the signal aborts; never fails. */
  showTyping(target: { channel: string } & TypingTarget, signal: AbortSignal): void;
  list(): ChannelSummary[];
  /** Ids that wait for the HTTP port, and why these. */
  deferral: Deferral;
  /** Milliseconds that planning and `init` took. */
  readonly spent: { deferPlanMs: number; channelInitMs: number };
};

type Lives = ReadonlyMap<string, ChannelLife>;

const DEFAULT_TEXT_LIMIT = 4_000;

/** Makes a factory of a function that creates a plugin. */
export function defineChannel(create: () => ChannelPlugin): ChannelFactory {
  return { meta: create().meta, create };
}

/** Holds the channels of this worker: their life, and the way to them by id (SPEC 7.1). */
export function createRegistry(options: RegistryOptions): Registry {
  const { factories, log } = options;
  const timing = { ...LIFE_TIMING, ...options.timing };
  const planned = measure(() => planDeferral(factories, options.defer));
  const deferral = planned.result;
  const spent = { deferPlanMs: planned.ms, channelInitMs: 0 };
  const lives: Lives = new Map(
    factories.map((factory) => [factory.meta.id, new ChannelLife({ factory, intake: options, timing, log })]),
  );
  const all = [...lives.values()];
  return {
    init() {
      spent.channelInitMs = measure(() => {
        for (const life of all) life.init();
      }).ms;
    },
    async start(phase) {
      const isChosen = ({ meta }: ChannelLife): boolean =>
        deferral.ids.includes(meta.id) === (phase === 'after-listen');
      await Promise.all(all.filter(isChosen).map((life) => life.start()));
    },
    restart: (channel) => restartOne(lives, channel),
    reprobe() {
      for (const life of all) life.reprobe();
    },
    async stop() {
      await Promise.all(all.map((life) => life.stop()));
    },
    ...openWays(lives),
    list: () => all.map((life) => life.summarise()),
    deferral,
    spent,
  };
}

function measure<T>(step: () => T): { result: T; ms: number } {
  const startedAt = monotonicMs();
  const result = step();
  return { result, ms: Math.round(monotonicMs() - startedAt) };
}

async function restartOne(lives: Lives, channel: string): Promise<void> {
  const life = lives.get(channel);
  if (life === undefined) {
    const known = [...lives.keys()].join(', ');
    throw new GatewayError('CHANNEL_NOT_FOUND', `There is no channel "${channel}" (known: ${known}).`);
  }
  if (!life.isRunning) {
    throw new GatewayError(
      'NOT_READY',
      `The channel "${channel}" does not run in this worker: it is starting or ending. Try again in some seconds.`,
    );
  }
  await life.restart();
}

type Ways = Pick<
  Registry,
  | 'has'
  | 'textLimit'
  | 'fileSupport'
  | 'isIdempotent'
  | 'isLocal'
  | 'hasWindows'
  | 'send'
  | 'edit'
  | 'fetchFile'
  | 'takesHttp'
  | 'receiveHttp'
  | 'login'
  | 'streaming'
  | 'quoting'
  | 'bookSend'
  | 'showTyping'
>;

/** The ways of messages: always through the current generation. */
function openWays(lives: Lives): Ways {
  const find = (channel: string): ChannelPlugin | undefined => lives.get(channel)?.plugin;
  return {
    has: (channel) => lives.has(channel),
    textLimit({ channel, accountId }, reserve) {
      const allowed = (lives.get(channel)?.meta.textLimit ?? DEFAULT_TEXT_LIMIT) - reserve;
      return Math.min(allowed, find(channel)?.chunkLimit?.(accountId) ?? allowed);
    },
    fileSupport: (channel) => lives.get(channel)?.meta.files,
    isIdempotent: (channel) => lives.get(channel)?.meta.isIdempotent,
    isLocal: (channel) => lives.get(channel)?.meta.isLocal === true,
    hasWindows: (channel) => lives.get(channel)?.meta.hasWindows === true,
    send: async (channel, message, signal) => requirePlugin(lives, channel).send(message, signal),
    edit(channel, target, signal) {
      const life = lives.get(channel);
      if (life === undefined) return undefined;
      // One that is absent for a moment must not look like one that cannot edit.
      if (life.plugin === undefined) return Promise.reject(life.explainAbsence());
      return life.plugin.edit?.(target, signal);
    },
    streaming: (channel, accountId, peerKind) => find(channel)?.streaming?.(accountId, peerKind),
    quoting: (channel, accountId, peerKind) =>
      find(channel)?.quoting?.(accountId, peerKind) ?? (peerKind === 'direct' ? 'off' : 'first'),
    bookSend: (channel, target) => find(channel)?.bookSend?.(target) ?? 0,
    async fetchFile(channel, { accountId, ref }, signal) {
      const plugin = requirePlugin(lives, channel);
      if (plugin.fetchFile === undefined) throw new Rejected(`The channel ${channel} hands out no files`);
      return plugin.fetchFile(accountId, ref, signal);
    },
    takesHttp: (channel) => find(channel)?.receiveHttp !== undefined,
    async receiveHttp(channel, request) {
      const life = lives.get(channel);
      if (life !== undefined && life.plugin === undefined)
        throw new GatewayError('NOT_READY', 'The channel cannot take messages at the moment.');
      if (life?.plugin?.receiveHttp === undefined)
        throw new GatewayError('CHANNEL_NOT_FOUND', 'There is no channel of this name that takes webhooks.');
      return life.plugin.receiveHttp(request);
    },
    login(channel) {
      const life = lives.get(channel);
      if (life !== undefined && life.plugin === undefined)
        throw new GatewayError('NOT_READY', `The channel "${channel}" is being restarted. Try again in a moment.`);
      if (life?.plugin?.login === undefined)
        throw new GatewayError('CHANNEL_NOT_FOUND', `There is no channel "${channel}" that is logged in by a person.`);
      return life.plugin.login;
    },
    showTyping(target, signal) {
      if (lives.has(target.channel)) void keepTyping(() => find(target.channel), target, signal);
    },
  };
}

function requirePlugin(lives: Lives, channel: string): ChannelPlugin {
  const life = lives.get(channel);
  if (life === undefined) throw new Unreachable(`The channel ${channel} is not enabled`);
  if (life.plugin === undefined) throw life.explainAbsence();
  return life.plugin;
}

/** Throws CHANNEL_NOT_FOUND, with those that are there, when a channel is not. */
export function assertChannel(registry: Registry, channel: string): void {
  if (registry.has(channel)) return;
  const known = registry
    .list()
    .map(({ id }) => id)
    .join(', ');
  throw new GatewayError(
    'CHANNEL_NOT_FOUND',
    `The channel "${channel}" does not exist or is not enabled (enabled: ${known}).`,
  );
}
