import type { ChannelPlugin } from './plugin.ts';

/**
 * The console's channel. Nothing is transported: a message is delivered when it is committed, and clients see it by the event
 * that delivery publishes or by reading the session.
 */
export function createWebchatChannel(): ChannelPlugin {
  return {
    meta: {
      id: 'webchat',
      label: 'Web chat',
      deferConnectUntilAfterListen: false,
      isIdempotent: true,
      isLocal: true,
      textLimit: 1_000_000,
    },
    init: () => undefined,
    start: async () => undefined,
    send: async (message) => ({ remoteId: message.id }),
    status: () => [],
  } satisfies ChannelPlugin;
}
