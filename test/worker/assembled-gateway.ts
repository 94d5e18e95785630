import * as v from 'valibot';
import { type Config, type ConfigInput, configSchema } from '../../lib/config/schema.ts';
import { createLanes, type Lanes } from '../../worker/agent/lanes.ts';
import type { Provider } from '../../worker/agent/providers/provider.ts';
import { createRuns, type Runs } from '../../worker/agent/runs.ts';
import type { ChannelPlugin } from '../../worker/channels/plugin.ts';
import { createRegistry, type Registry } from '../../worker/channels/registry.ts';
import { createWebchatChannel } from '../../worker/channels/webchat.ts';
import { createEventHub, type EventHub, type GatewayEvent } from '../../worker/events.ts';
import type { AccountPolicy } from '../../worker/messages/admission.ts';
import { createDispatch } from '../../worker/messages/dispatch.ts';
import { createInbound, type Inbound } from '../../worker/messages/inbound.ts';
import { createOutbound, type Outbound } from '../../worker/messages/outbound.ts';
import type { InboxRow } from '../../worker/store/inbox.ts';
import type { Store } from '../../worker/store/index.ts';
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
  policy?: AccountPolicy;
};

export type AssembledGateway = {
  config: Config;
  store: Store;
  events: EventHub;
  /** Everything that was published. */
  seen: GatewayEvent[];
  runs: Runs;
  registry: Registry;
  outbound: Outbound;
  inbound: Inbound;
  lanes: Lanes<InboxRow>;
  channel: ScriptedChannel;
  provider: ScriptedProvider;
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
  const { store, owner = 'w1', policy = { dmPolicy: 'open', allowFrom: [] } } = options;
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
    plugins: options.plugins ?? [createWebchatChannel(), channel],
    defer: { mode: 'off', ids: [], skipIds: [] },
    receive: (id, accountId, messages, cursor) =>
      inbound.receive({ channel: id, accountId, messages, epoch, ...(cursor === undefined ? {} : { cursor }) }),
    readCursor: (id, accountId) => store.inbox.cursor(id, accountId),
    onStatus: () => undefined,
    log,
  });
  registry.init();
  const { ambiguous, replyTtl: ttlMs } = config.outbox;
  const outbound = createOutbound({ store, carrier: registry, events, ambiguous, ttlMs, log });
  const providers = new Map<string, Provider>([provider, ...(options.providers ?? [])].map((item) => [item.id, item]));
  const run = createDispatch({
    config,
    store,
    runs,
    events,
    outbound,
    providers,
    fallbackModel: async () => 'scripted/model',
    showTyping: (target, signal) => registry.showTyping(target, signal),
    owner,
    log,
  });
  const claim = (sessionKey: string) => store.inbox.claim(sessionKey, owner);
  const lanes = createLanes<InboxRow>({ maxConcurrent: config.agents.maxConcurrentTurns, claim, run, log });
  const inbound = createInbound({ config, store, lanes, outbound, events, owner, policyOf: () => policy, log });
  return {
    config,
    store,
    events,
    seen,
    runs,
    registry,
    outbound,
    inbound,
    lanes,
    channel,
    provider,
    logged,
    async start() {
      epoch = await store.leases.take(owner);
      await outbound.start(epoch);
      return epoch;
    },
  };
}
