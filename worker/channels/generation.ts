import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../lib/log.ts';
import type { AccountStatus, ChannelContext, ChannelPlugin } from './plugin.ts';

/** Makes plugin objects of one channel; `create` has no effect outside the object. */
export type ChannelFactory = { meta: ChannelPlugin['meta']; create(): ChannelPlugin };

/** Where a channel's reports go. */
export type Intake = {
  receive(channel: string, ...args: Parameters<ChannelContext['receive']>): Promise<void>;
  readCursor(channel: string, accountId: string): Promise<string | undefined>;
  onStatus(channel: string, status: AccountStatus): void;
};

/** One plugin object, from its creation to its end. */
export type Generation = {
  readonly number: number;
  /** Undefined when it could not be created or initialised; `error` tells why. */
  readonly plugin: ChannelPlugin | undefined;
  readonly error: unknown;
  /** Aborts when the generation ends. */
  readonly signal: AbortSignal;
  /** Connects once; rejects when that fails. */
  connect(): Promise<void>;
  /** Stops the plugin, or abandons it after a number of milliseconds. What it reports from then on is refused (LIVE-4). */
  end(budgetMs: number): Promise<void>;
};

export type GenerationOptions = { number: number; factory: ChannelFactory; intake: Intake; log: Logger };

/** Creates and initialises a plugin object that can be told apart from the ones before and after it. Never throws. */
export function beginGeneration({ number, factory, intake, log }: GenerationOptions): Generation {
  const controller = new AbortController();
  const { signal } = controller;
  let isReplaced = false;
  let connecting: Promise<unknown> | undefined;
  let ending: Promise<void> | undefined;
  const { plugin, error } = createPlugin(
    factory,
    createContext({ factory, intake, log, isReplaced: () => isReplaced }),
  );

  async function finish(budgetMs: number): Promise<void> {
    controller.abort();
    const ended = Promise.all([stopPlugin(plugin, log), connecting]).then(() => true);
    const isEnded = await Promise.race([ended, sleep(budgetMs, false, { ref: false })]);
    isReplaced = true;
    if (!isEnded) log.warn({ budgetMs }, 'A channel did not stop in time and was abandoned; its reports are refused');
  }

  return {
    number,
    plugin,
    error,
    signal,
    async connect() {
      if (plugin === undefined) throw error;
      const attempt = startPlugin(plugin, signal);
      connecting = attempt.catch(() => undefined);
      await attempt;
    },
    end(budgetMs) {
      ending ??= finish(budgetMs);
      return ending;
    },
  };
}

function createContext({
  factory: { meta },
  intake,
  log,
  isReplaced,
}: Omit<GenerationOptions, 'number'> & { isReplaced(): boolean }): ChannelContext {
  return {
    log,
    async receive(accountId, messages, cursor) {
      if (isReplaced()) throw new Error('this instance of the channel was replaced');
      await intake.receive(meta.id, accountId, messages, cursor);
    },
    readCursor: (accountId) => intake.readCursor(meta.id, accountId),
    onStatus(status) {
      if (!isReplaced()) intake.onStatus(meta.id, status);
    },
  };
}

function createPlugin(
  factory: ChannelFactory,
  context: ChannelContext,
): { plugin: ChannelPlugin | undefined; error?: unknown } {
  try {
    const plugin = factory.create();
    plugin.init(context);
    return { plugin };
  } catch (error) {
    return { plugin: undefined, error };
  }
}

async function startPlugin(plugin: ChannelPlugin, signal: AbortSignal): Promise<void> {
  await plugin.start(signal);
}

async function stopPlugin(plugin: ChannelPlugin | undefined, log: Logger): Promise<void> {
  try {
    await plugin?.stop?.();
  } catch (error) {
    log.warn({ err: error }, 'A channel did not stop cleanly');
  }
}
