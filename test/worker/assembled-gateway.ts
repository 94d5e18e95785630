import * as v from 'valibot';
import type { AccountPolicy } from '../../lib/account-policy.ts';
import { type Config, type ConfigInput, configSchema } from '../../lib/config/schema.ts';
import type { Logger } from '../../lib/log.ts';
import type { FallbackModel } from '../../worker/agent/fallback-model.ts';
import type { Provider } from '../../worker/agent/providers/provider.ts';
import { createRuns, type Runs } from '../../worker/agent/runs.ts';
import type { ChannelPlugin } from '../../worker/channels/plugin.ts';
import { assertChannel, createRegistry, defineChannel, type Registry } from '../../worker/channels/registry.ts';
import { createWebchatChannel } from '../../worker/channels/webchat.ts';
import { type CronService, createCronService } from '../../worker/cron/index.ts';
import { createEventHub, type EventHub, type GatewayEvent } from '../../worker/events.ts';
import { createMessagePath, type MessagePath } from '../../worker/messages/path.ts';
import type { Store } from '../../worker/store/index.ts';
import { OPEN } from './policies.ts';
import { createRecordingLog, type LogEntry } from './recording-log.ts';
import { createScriptedChannel, type ScriptedChannel } from './scripted-channel.ts';
import { createScriptedProvider, type ScriptedProvider } from './scripted-provider.ts';

export type AssembledOptions = {
  store: Store;
  config?: ConfigInput;
  channel?: ScriptedChannel;
  plugins?: readonly ChannelPlugin[];
  providers?: readonly Provider[];
  owner?: string;
  /** What differs from letting everybody in. */
  policy?: Partial<AccountPolicy>;
  filesDir?: string;
  workspaceDir?: string;
};

export type AssembledGateway = MessagePath &
  CronService & {
    config: Config;
    store: Store;
    events: EventHub;
    /** Everything that was published. */
    seen: GatewayEvent[];
    runs: Runs;
    registry: Registry;
    channel: ScriptedChannel;
    provider: ScriptedProvider;
    providers: ReadonlyMap<string, Provider>;
    fallbackModel: FallbackModel;
    log: Logger;
    logged: LogEntry[];
    /** Takes the lease and delivers. Returns its epoch. */
    start(): Promise<number>;
  };

/** A complete configuration out of what matters to a test. */
export function createConfig(input: ConfigInput = {}): Config {
  return v.parse(configSchema, input);
}

/** The parts of a worker that carry messages, put together as the product does, around a channel and a provider of the test. */
export function assembleGateway(options: AssembledOptions): AssembledGateway {
  const { store, owner = 'w1' } = options;
  const policy = { ...OPEN, ...options.policy };
  const config = createConfig({ agents: { defaults: { model: 'scripted/model' } }, ...options.config });
  const { log, entries: logged } = createRecordingLog();
  const events = createEventHub();
  const seen: GatewayEvent[] = [];
  events.subscribe((event) => seen.push(event));
  const runs = createRuns();
  const channel = options.channel ?? createScriptedChannel();
  const provider = createScriptedProvider();
  let epoch = 0;
  const registry: Registry = createRegistry({
    factories: (options.plugins ?? [createWebchatChannel(), channel]).map((plugin) => defineChannel(() => plugin)),
    defer: { mode: 'off', ids: [], skipIds: [] },
    async receive(id, accountId, messages, cursor) {
      await path.inbound.receive({
        channel: id,
        accountId,
        messages,
        ...(cursor === undefined ? {} : { cursor, epoch }),
      });
    },
    readCursor: (id, accountId) => store.inbox.cursor(id, accountId),
    onStatus: () => undefined,
    log,
  });
  registry.init();
  const providers = new Map<string, Provider>([provider, ...(options.providers ?? [])].map((item) => [item.id, item]));
  const path: MessagePath = createMessagePath({
    config,
    store,
    events,
    runs,
    carrier: registry,
    providers,
    fallbackModel: async () => 'scripted/model',
    policyOf: () => policy,
    filesDir: options.filesDir ?? '/nonexistent',
    owner,
    log,
  });
  const cron = createCronService({
    ...path,
    config,
    store,
    events,
    runs,
    workspaceDir: options.workspaceDir ?? '/nonexistent',
    assertChannel: (id) => assertChannel(registry, id),
    log,
  });
  return {
    config,
    store,
    events,
    seen,
    runs,
    registry,
    ...path,
    ...cron,
    channel,
    provider,
    providers,
    fallbackModel: { find: async () => 'scripted/model' },
    log,
    logged,
    async start() {
      epoch = await store.leases.take(owner);
      await path.outbound.start(epoch);
      return epoch;
    },
  };
}
