import { setTimeout as sleep } from 'node:timers/promises';

type Chat = { channel: string; accountId: string; chatId: string };

/** Wakes what waits for a peer to write. */
export type Doorbell = {
  /** How often the peer has written. */
  count(chat: Chat): number;
  /** Resolves when the peer has written more often than `seen`, or the time is over, in milliseconds; rejects when the signal aborts. */
  wait(chat: Chat, options: { seen: number; milliseconds: number; signal: AbortSignal }): Promise<void>;
  ring(chat: Chat): void;
};

/** Creates the bells of all chats of this worker. */
export function createDoorbell(): Doorbell {
  const counts = new Map<string, number>();
  const waiting = new Map<string, Set<AbortController>>();
  return {
    count: (chat) => counts.get(keyOf(chat)) ?? 0,
    async wait(chat, { seen, milliseconds, signal }) {
      signal.throwIfAborted();
      const key = keyOf(chat);
      if ((counts.get(key) ?? 0) > seen) return;
      const bell = new AbortController();
      const stop = (): void => bell.abort();
      const bells = waiting.get(key) ?? new Set();
      waiting.set(key, bells.add(bell));
      signal.addEventListener('abort', stop, { once: true });
      await sleep(milliseconds, undefined, { signal: bell.signal }).catch(() => undefined);
      signal.removeEventListener('abort', stop);
      bells.delete(bell);
      if (bells.size === 0) waiting.delete(key);
      signal.throwIfAborted();
    },
    ring(chat) {
      const key = keyOf(chat);
      counts.set(key, (counts.get(key) ?? 0) + 1);
      for (const bell of waiting.get(key) ?? []) bell.abort();
    },
  };
}

function keyOf({ channel, accountId, chatId }: Chat): string {
  return [channel, accountId, chatId].join('\n');
}
