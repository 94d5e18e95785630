import { setTimeout as sleep } from 'node:timers/promises';
import type { ChannelPlugin } from './plugin.ts';

const TYPING_EVERY_MS = 4_000;

export type TypingTarget = { accountId: string; chatId: string; threadId?: string };

/** Shows "typing" in a chat until the signal aborts, by whatever plugin the channel has at the time; never fails. */
export async function keepTyping(
  findPlugin: () => ChannelPlugin | undefined,
  { accountId, chatId, threadId }: TypingTarget,
  signal: AbortSignal,
): Promise<void> {
  const target = { accountId, chatId, ...(threadId === undefined ? {} : { threadId }) };
  while (!signal.aborted) {
    try {
      await findPlugin()?.showTyping?.(target, signal);
    } catch {
      // Decoration: the next one may succeed, and the answer does not depend on it.
    }
    await sleep(TYPING_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}
