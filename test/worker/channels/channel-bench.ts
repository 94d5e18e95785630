import { onTestFinished } from 'vitest';
import type { AccountStatus, ChannelPlugin, InboundMessage } from '../../../worker/channels/plugin.ts';
import {
  type ChannelFactory,
  createRegistry,
  defineChannel,
  type Registry,
  type RegistryOptions,
} from '../../../worker/channels/registry.ts';
import { createRecordingLog, type LogEntry } from '../recording-log.ts';
import { createScriptedChannel, type ScriptedChannel } from '../scripted-channel.ts';

/** A registry and what reached the gateway from it. */
export type Bench = {
  registry: Registry;
  entries: LogEntry[];
  received: InboundMessage[];
  statuses: AccountStatus[];
};

/** Waits that suit a test. */
const QUICK = { retryMinMs: 20, retryMaxMs: 80, startMs: 200, stopMs: 100 };

/** A registry whose channels are initialised; it stops with the test. */
export function openRegistry(factories: readonly ChannelFactory[], more: Partial<RegistryOptions> = {}): Bench {
  const { log, entries } = createRecordingLog();
  const received: InboundMessage[] = [];
  const statuses: AccountStatus[] = [];
  const registry = createRegistry({
    factories,
    defer: { mode: 'auto', ids: [], skipIds: [] },
    timing: QUICK,
    receive: async (_channel, _accountId, messages) => void received.push(...messages),
    readCursor: async () => undefined,
    onStatus: (_channel, status) => void statuses.push(status),
    log,
    ...more,
  });
  onTestFinished(() => registry.stop());
  registry.init();
  return { registry, entries, received, statuses };
}

/** A factory of one channel that is the same object in every generation. */
export function channel(id: string, more: Partial<ChannelPlugin> = {}, isDeferred = false): ChannelFactory {
  const plugin = createScriptedChannel({ id, label: id, deferConnectUntilAfterListen: isDeferred });
  return defineChannel(() => ({ ...plugin, ...more }));
}

/** A factory that remembers what it made; `more` is given the number of the object, which begins with 1. */
export function createRecordedFactory(
  id: string,
  more: (number: number) => Partial<ChannelPlugin> = () => ({}),
): ChannelFactory & { made: ScriptedChannel[] } {
  const made: ScriptedChannel[] = [];
  return {
    meta: createScriptedChannel({ id, label: id }).meta,
    made,
    create() {
      const plugin = Object.assign(createScriptedChannel({ id, label: id }), more(made.length + 1));
      made.push(plugin);
      return plugin;
    },
  };
}
