import type { InboundMessage } from '../plugin.ts';
import { isNameless } from './messages.ts';

/** The platform brings a message twice within seconds, now and then with nothing that says so (channels 4.4). */
const REPEAT_MS = 15_000;

/** Gives a nameless message that says the same as one some seconds ago the name of that one, so that it is known. */
export function createRepeatGuard(): (message: InboundMessage) => InboundMessage {
  const recent = new Map<string, { dedupeKey: string; at: number }>();
  return (message) => {
    if (!isNameless(message)) return message;
    const now = Date.now();
    for (const [said, { at }] of recent) if (now - at > REPEAT_MS) recent.delete(said);
    const said = `${message.senderId}\n${message.text}`;
    const earlier = recent.get(said);
    if (earlier !== undefined) return { ...message, dedupeKey: earlier.dedupeKey };
    recent.set(said, { dedupeKey: message.dedupeKey, at: now });
    return message;
  };
}
