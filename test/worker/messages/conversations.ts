import { expect, onTestFinished, vi } from 'vitest';
import type { InboundMessage } from '../../../worker/channels/plugin.ts';
import { type AssembledGateway, type AssembledOptions, assembleGateway } from '../assembled-gateway.ts';
import { openTemporaryStore, sessionOf } from '../temporary-store.ts';

/** A gateway that takes messages in and delivers answers; it ends with the test. */
export async function startConversations(options: Partial<AssembledOptions> = {}): Promise<AssembledGateway> {
  const gateway = assembleGateway({ store: openTemporaryStore().store, ...options });
  onTestFinished(async () => {
    const { outbound, lanes, runs } = gateway;
    for (let index = 0; index < 10 && runs.active > 0; index += 1) runs.abort({ sessionKey: sessionOf(`${index}`) });
    await Promise.race([lanes.drain(), new Promise((resolve) => setTimeout(resolve, 200))]);
    await outbound.stop(0);
  });
  await gateway.start();
  return gateway;
}

let nextMessage = 0;

/** A private message as a channel reports it. */
export function incoming(chatId: string, text: string, more: Partial<InboundMessage> = {}): InboundMessage {
  nextMessage += 1;
  return {
    accountId: 'default',
    peer: { kind: 'direct', id: chatId },
    senderId: chatId,
    text,
    isAddressed: true,
    dedupeKey: `update-${nextMessage}`,
    messageId: `${nextMessage}`,
    sentAt: Date.now(),
    ...more,
  };
}

/** Hands messages over as a channel does. */
export function receive(gateway: AssembledGateway, ...messages: InboundMessage[]): Promise<void> {
  return gateway.channel.context().receive('default', messages);
}

/** Waits until everything is answered and delivered. */
export async function untilIdle({ store, outbound, lanes }: AssembledGateway): Promise<void> {
  await vi.waitFor(
    async () => {
      expect(await store.inbox.count()).toBe(0);
      expect(lanes.active).toBe(0);
      expect(outbound.waiting).toBe(0);
    },
    { interval: 5, timeout: 5_000 },
  );
}

/** Role, kind and text of everything that was said in a private chat. */
export async function transcriptOf({ store }: AssembledGateway, chatId: string): Promise<string[][]> {
  const messages = await store.sessions.messages(sessionOf(chatId), { limit: 50 });
  return messages.map(({ role, kind, text }) => [role, kind, text]);
}
