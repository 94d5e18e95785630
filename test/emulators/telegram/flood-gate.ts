import type { EmulatorClock } from '../core/clock.ts';
import { tooManyRequests } from './api-error.ts';
import type { Chat } from './chat.ts';
import type { FloodLimits } from './control-contract.ts';

/** Counts what a bot writes and refuses what goes over the limits; without limits it lets everything pass. */
export class FloodGate {
  limits: FloodLimits = {};
  readonly #clock: EmulatorClock;
  readonly #windows = new Map<string, number[]>();

  constructor(clock: EmulatorClock) {
    this.#clock = clock;
  }

  /** Counts one write to the chat, or throws 429 with the seconds until there is room again. */
  pass(chat: Chat): void {
    const { perChatPerSecond, perGroupPerMinute, globalPerSecond } = this.limits;
    const isGroup = !chat.isPrivate;
    const windows = [
      { key: 'all', count: globalPerSecond, ms: 1000 },
      { key: `chat ${chat.info.id}`, count: perChatPerSecond, ms: 1000 },
      { key: `group ${chat.info.id}`, count: isGroup ? perGroupPerMinute : undefined, ms: 60_000 },
    ];
    const now = this.#clock.now();
    // Every window is judged before any counts: a refused write must not use up the others.
    for (const { key, count, ms } of windows) {
      const times = (this.#windows.get(key) ?? []).filter((at) => at > now - ms);
      this.#windows.set(key, times);
      const oldest = count === undefined ? undefined : times.at(-count);
      if (oldest !== undefined) throw tooManyRequests(Math.max(1, Math.ceil((oldest + ms - now) / 1000)));
    }
    for (const { key, count } of windows) if (count !== undefined) this.#windows.get(key)?.push(now);
  }
}
