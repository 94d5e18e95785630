import { monotonicMs } from '../../../lib/monotonic.ts';

/** Tells when the next message of an account may go out. */
export type Pace = {
  /** Books the next message to a chat and returns how long it has to wait, in milliseconds. */
  book(chatId: string): number;
};

/**
 * Keeps an account below what the Bot API asks for: so many messages per second in all, and about one per second in a private
 * chat, twenty per minute in a group, with short bursts (channels 2.5). Refusals for too many are waited out besides.
 */
export function createPace(perSecond: number, now: () => number = monotonicMs): Pace {
  const all: Meter = { everyMs: 1_000 / perSecond, burst: perSecond, dueAt: 0 };
  const chats = new Map<string, Meter>();
  return {
    book(chatId) {
      const at = now();
      if (chats.size >= MANY_CHATS) forgetIdle(chats, at);
      const chat = chats.get(chatId) ?? { ...(chatId.startsWith('-') ? GROUP : PRIVATE), dueAt: 0 };
      chats.set(chatId, chat);
      return Math.max(bookOn(chat, at), bookOn(all, at));
    },
  };
}

/** One message per `everyMs`, and `burst` of them at once after a rest; `dueAt` is when all that were booked are paid for. */
type Meter = { everyMs: number; burst: number; dueAt: number };

const PRIVATE = { everyMs: 1_000, burst: 10 };
const GROUP = { everyMs: 3_000, burst: 10 };
const MANY_CHATS = 10_000;

/** The generic cell rate algorithm (ITU-T I.371). */
function bookOn(meter: Meter, at: number): number {
  meter.dueAt = Math.max(meter.dueAt, at) + meter.everyMs;
  return Math.max(0, Math.ceil(meter.dueAt - meter.burst * meter.everyMs - at));
}

/** Who has been quiet for long is as good as unknown. */
function forgetIdle(chats: Map<string, Meter>, at: number): void {
  for (const [chatId, { dueAt }] of chats) if (dueAt <= at) chats.delete(chatId);
}
