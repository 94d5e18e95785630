import type { Store } from '../store/index.ts';
import type { UnreachablePeer } from '../store/peers.ts';

export type Chat = { channel: string; accountId: string; chatId: string };

/** Which chats the platform refuses for good, so that nothing more is sent there (OUT-4). */
export type Reachability = {
  /** Reads what was learnt before. */
  load(): Promise<void>;
  /** Why nothing is sent to a chat; undefined when it may be tried. */
  refusal(chat: Chat): string | undefined;
  markGone(chat: Chat, reason: string): Promise<void>;
  /** The peer wrote, or its owner wants another try. */
  markBack(chat: Chat): Promise<void>;
};

/** After this long one message is tried again: the platform does not tell when it would let us. */
const FORGET_MS = 3_600_000;

/** Keeps the refused chats of this worker, and writes them down. */
export function createReachability(store: Store): Reachability {
  const gone = new Map<string, UnreachablePeer>();
  return {
    async load() {
      for (const peer of await store.peers.unreachable()) gone.set(keyOf(peer), peer);
    },
    refusal(chat) {
      const peer = gone.get(keyOf(chat));
      return peer === undefined || Date.now() - peer.since > FORGET_MS ? undefined : peer.reason;
    },
    async markGone({ channel, accountId, chatId }, reason) {
      const peer = { channel, accountId, chatId, reason, since: Date.now() };
      gone.set(keyOf(peer), peer);
      await store.peers.markUnreachable(peer);
    },
    async markBack(chat) {
      if (gone.delete(keyOf(chat))) await store.peers.markReachable(chat.channel, chat.accountId, chat.chatId);
    },
  };
}

function keyOf({ channel, accountId, chatId }: Chat): string {
  return [channel, accountId, chatId].join('\n');
}
