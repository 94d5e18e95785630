import type { ChannelContext, ChannelPlugin, OutboundMessage } from '../../worker/channels/plugin.ts';

/** What a send does: nothing special, fail, or anything else. */
type Step = Error | ((message: OutboundMessage, signal: AbortSignal) => Promise<{ remoteId: string }>);

export type ScriptedChannel = ChannelPlugin & {
  /** Steps of the next sends to each chat; without one a send succeeds. */
  script: Map<string, Step[]>;
  /** Every send that was begun. */
  sent: OutboundMessage[];
  /** Texts that were sent to a chat. */
  textsOf(chatId: string): string[];
  context(): ChannelContext;
};

/** A channel that delivers to memory and misbehaves as the test says. */
export function createScriptedChannel(meta: Partial<ChannelPlugin['meta']> = {}): ScriptedChannel {
  const script = new Map<string, Step[]>();
  const sent: OutboundMessage[] = [];
  let context: ChannelContext | undefined;
  return {
    meta: {
      id: 'test',
      label: 'Test',
      deferConnectUntilAfterListen: false,
      isIdempotent: false,
      textLimit: 4_096,
      ...meta,
    },
    script,
    sent,
    textsOf: (chatId) => sent.filter((message) => message.chatId === chatId).map(({ text }) => text),
    context() {
      if (context === undefined) throw new Error('The channel was not initialised');
      return context;
    },
    init(given) {
      context = given;
    },
    start: async () => undefined,
    async send(message, signal) {
      sent.push(message);
      const step = script.get(message.chatId)?.shift();
      if (step instanceof Error) throw step;
      return step === undefined ? { remoteId: `remote-${message.id}` } : step(message, signal);
    },
    showTyping: async () => undefined,
  };
}

/** A send that waits for the test, and forgets about signals. */
export function createGate(): {
  pass: () => void;
  step: () => Promise<{ remoteId: string }>;
  isReached: () => boolean;
} {
  let isReached = false;
  let pass: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    pass = resolve;
  });
  return {
    pass,
    isReached: () => isReached,
    async step() {
      isReached = true;
      await opened;
      return { remoteId: 'late' };
    },
  };
}

/** A send that ends only when it is cut off. */
export const untilCutOff: Step = (_message, signal) =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
