import { setTimeout as sleep } from 'node:timers/promises';
import { errorMessage } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import {
  type AccountStatus,
  type ChannelContext,
  type ChannelPlugin,
  type EditTarget,
  type OutboundMessage,
  type Peer,
  type Posted,
  type Streaming,
  Unreachable,
} from './plugin.ts';

export type DeferSettings = { mode: 'auto' | 'off' | 'explicit'; ids: readonly string[]; skipIds: readonly string[] };

export type RegistryOptions = {
  plugins: readonly ChannelPlugin[];
  defer: DeferSettings;
  receive(channel: string, ...args: Parameters<ChannelContext['receive']>): Promise<void>;
  readCursor(channel: string, accountId: string): Promise<string | undefined>;
  onStatus(channel: string, status: AccountStatus): void;
  log: Logger;
};

export type ChannelSummary = { id: string; label: string; accounts: readonly AccountStatus[] };

export type Registry = {
  /** Initialises every channel; one that fails is left out. */
  init(): void;
  /** Starts the channels that do not wait for the HTTP port, or those that do. Failures are isolated and retried for ever. */
  start(phase: 'before-listen' | 'after-listen'): Promise<void>;
  stop(): Promise<void>;
  has(channel: string): boolean;
  textLimit(channel: string): number;
  isIdempotent(channel: string): boolean | undefined;
  send(channel: string, message: OutboundMessage, signal: AbortSignal): Promise<Posted>;
  /** Changes a message that was sent; undefined when the channel cannot. */
  edit(channel: string, target: EditTarget, signal: AbortSignal): Promise<'edited' | 'gone'> | undefined;
  /** How a channel shows an answer while it grows; undefined when it does not. */
  streaming(channel: string, accountId: string, peerKind: Peer['kind']): Streaming | undefined;
  /** Shows "typing" in a chat until the signal aborts; never fails. */
  showTyping(
    target: { channel: string; accountId: string; chatId: string; threadId?: string },
    signal: AbortSignal,
  ): void;
  list(): ChannelSummary[];
  /** Ids that wait for the HTTP port, and why these (manual: structured log of the channel start). */
  deferral: { mode: DeferSettings['mode']; source: 'meta' | 'explicit' | 'off'; ids: readonly string[] };
};

const TYPING_EVERY_MS = 4_000;
const STOP_BUDGET_MS = 3_000;
const DEFAULT_TEXT_LIMIT = 4_000;

/** Holds the channels of this worker: their life, and the way to them by id (SPEC 7.1). */
export function createRegistry(options: RegistryOptions): Registry {
  const { log } = options;
  const plugins = new Map(options.plugins.map((plugin) => [plugin.meta.id, plugin]));
  const deferral = planDeferral(options.plugins, options.defer);
  const deferred = new Set(deferral.ids);
  const stopping = new AbortController();

  async function connect(plugin: ChannelPlugin): Promise<void> {
    for (let waitMs = 1_000; !stopping.signal.aborted; waitMs = Math.min(waitMs * 2, 60_000)) {
      try {
        return await plugin.start(stopping.signal);
      } catch (error) {
        log.error({ err: error, channel: plugin.meta.id, retryMs: waitMs }, 'A channel could not start; trying again');
        await sleep(waitMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      }
    }
  }

  return {
    init() {
      for (const plugin of options.plugins) {
        if (!initPlugin(plugin, options)) plugins.delete(plugin.meta.id);
      }
    },
    async start(phase) {
      const chosen = [...plugins.values()].filter(
        (plugin) => deferred.has(plugin.meta.id) === (phase === 'after-listen'),
      );
      // A channel that cannot connect keeps trying in the background; the others do not wait for it.
      await Promise.all(
        chosen.map((plugin) => Promise.race([connect(plugin), sleep(START_BUDGET_MS, undefined, { ref: false })])),
      );
    },
    async stop() {
      stopping.abort();
      const stops = [...plugins.values()].map((plugin) =>
        attempt(
          async () => plugin.stop?.(),
          (error) => log.warn({ err: error, channel: plugin.meta.id }, 'A channel did not stop cleanly'),
        ),
      );
      // A stop that hangs is abandoned; the lease keeps what it may still do from counting (LIVE-4).
      await Promise.race([Promise.all(stops), sleep(STOP_BUDGET_MS, undefined, { ref: false })]);
    },
    has: (channel) => plugins.has(channel),
    textLimit: (channel) => plugins.get(channel)?.meta.textLimit ?? DEFAULT_TEXT_LIMIT,
    isIdempotent: (channel) => plugins.get(channel)?.meta.isIdempotent,
    async send(channel, message, signal) {
      const plugin = plugins.get(channel);
      if (plugin === undefined) throw new Unreachable(`The channel ${channel} is not enabled`);
      return plugin.send(message, signal);
    },
    edit: (channel, target, signal) => plugins.get(channel)?.edit?.(target, signal),
    streaming: (channel, accountId, peerKind) => plugins.get(channel)?.streaming?.(accountId, peerKind),
    showTyping(target, signal) {
      const plugin = plugins.get(target.channel);
      if (plugin?.showTyping !== undefined) void keepTyping(plugin, target, signal);
    },
    list: () =>
      [...plugins.values()].map((plugin) => ({
        id: plugin.meta.id,
        label: plugin.meta.label,
        accounts: plugin.status?.() ?? [],
      })),
    deferral,
  };
}

/** How long a phase waits for a channel before it goes on without it. */
const START_BUDGET_MS = 5_000;

/** Which channels wait for the HTTP port (manual "channel start order", upstream-facts 4.3). */
export function planDeferral(
  plugins: readonly ChannelPlugin[],
  { mode, ids, skipIds }: DeferSettings,
): Registry['deferral'] {
  const trim = (values: readonly string[]): string[] => [
    ...new Set(values.map((value) => value.trim()).filter((value) => value !== '')),
  ];
  const skipped = new Set(trim(skipIds));
  const keep = (values: readonly string[]): string[] => values.filter((value) => !skipped.has(value));
  switch (mode) {
    case 'off':
      return { mode, source: 'off', ids: [] };
    case 'explicit':
      return { mode, source: 'explicit', ids: keep(trim(ids)) };
    case 'auto':
      return {
        mode,
        source: 'meta',
        ids: keep(plugins.filter((plugin) => plugin.meta.deferConnectUntilAfterListen).map((plugin) => plugin.meta.id)),
      };
  }
}

function initPlugin(plugin: ChannelPlugin, options: RegistryOptions): boolean {
  const { id } = plugin.meta;
  const log = options.log.child({ channel: id });
  try {
    plugin.init({
      log,
      receive: (accountId, messages, cursor) => options.receive(id, accountId, messages, cursor),
      readCursor: (accountId) => options.readCursor(id, accountId),
      onStatus: (status) => options.onStatus(id, status),
    });
    return true;
  } catch (error) {
    log.error({ err: error }, `The channel cannot be used: ${errorMessage(error)}`);
    return false;
  }
}

async function keepTyping(
  plugin: ChannelPlugin,
  { accountId, chatId, threadId }: { accountId: string; chatId: string; threadId?: string },
  signal: AbortSignal,
): Promise<void> {
  const target = { accountId, chatId, ...(threadId === undefined ? {} : { threadId }) };
  while (!signal.aborted) {
    // Decoration: the next one may succeed, and the answer does not depend on it.
    await attempt(
      async () => plugin.showTyping?.(target, signal),
      () => undefined,
    );
    await sleep(TYPING_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** Runs what may fail without harm, whether it throws at once or later. */
async function attempt(action: () => Promise<void>, onFailure: (error: unknown) => void): Promise<void> {
  try {
    await action();
  } catch (error) {
    onFailure(error);
  }
}
