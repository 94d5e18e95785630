import type { UpdateKind } from './wire.ts';

/** One pending update. */
export interface QueuedUpdate {
  readonly update_id: number;
  readonly chatId: number;
  readonly expiresAt: number;
  readonly kind: UpdateKind;
  readonly content: unknown;
}

/** What a server that stumbles does to the next updates it gives out: old ones come again, and the order is lost. */
export interface Stumble {
  /** How many of the newest confirmed updates come again. */
  readonly repeat?: number;
  readonly isShuffled?: boolean;
}

const repeatedAtMost = 100;
const updateLifeMs = 86_400_000;
const silenceMs = 7 * 86_400_000;
const farAhead = 10;
const farBehind = 100_000;

/** The queue of one bot, with the confirm and offset rules of the real server's TQueue. */
export class UpdateQueue {
  readonly #random: () => number;
  #pending: QueuedUpdate[] = [];
  #confirmed: QueuedUpdate[] = [];
  #stumble: Stumble | null = null;
  #nextId: number | null = null;
  #lastPushAt = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  get size(): number {
    return this.#pending.length;
  }

  /** Adds an update; the first id, and the first one after a week of silence, is random. */
  push(kind: UpdateKind, chatId: number, content: unknown, now: number): QueuedUpdate {
    const isStale = this.#pending.length === 0 && now - this.#lastPushAt > silenceMs;
    if (this.#nextId === null || isStale) this.#nextId = 100_000_000 + Math.floor(this.#random() * 800_000_000);
    const update = { update_id: this.#nextId, chatId, expiresAt: now + updateLifeMs, kind, content };
    this.#nextId += 1;
    this.#lastPushAt = now;
    this.#pending.push(update);
    return update;
  }

  /** Forgets what the offset confirms and returns up to `limit` of the rest. */
  take(offset: number, limit: number, now: number): QueuedUpdate[] {
    this.expire(now);
    const from = this.resolve(offset);
    const confirmed = this.#pending.filter((update) => update.update_id < from);
    this.#confirmed = [...this.#confirmed, ...confirmed].slice(-repeatedAtMost);
    this.#pending = this.#pending.filter((update) => update.update_id >= from);
    return this.#disturb(this.#pending.slice(0, limit));
  }

  /** Lets the server stumble when it next has something to give out. */
  stumble(stumble: Stumble): void {
    this.#stumble = stumble;
  }

  #disturb(updates: QueuedUpdate[]): QueuedUpdate[] {
    if (this.#stumble === null || updates.length === 0) return updates;
    const { repeat = 0, isShuffled = false } = this.#stumble;
    this.#stumble = null;
    const all = repeat === 0 ? updates : [...this.#confirmed.slice(-repeat), ...updates];
    return isShuffled ? all.reverse() : all;
  }

  /** Drops updates older than 24 hours. */
  expire(now: number): void {
    this.#pending = this.#pending.filter((update) => update.expiresAt > now);
  }

  /** The pending updates, oldest first. */
  list(): readonly QueuedUpdate[] {
    return this.#pending;
  }

  forget(updateId: number): void {
    this.#pending = this.#pending.filter((update) => update.update_id !== updateId);
  }

  clear(): void {
    this.#pending = [];
  }

  /** The id an offset means: confirmed up to here; far-off offsets mean the head. */
  resolve(offset: number): number {
    const tail = this.#nextId ?? 0;
    const head = this.#pending.at(0)?.update_id ?? tail;
    if (offset < 0) return Math.max(head, tail + offset);
    if (offset > tail + farAhead || offset < head - farBehind) return head;
    return Math.max(head, offset);
  }
}

/** The update as it goes over the wire. */
export function renderUpdate({ update_id, kind, content }: QueuedUpdate): object {
  return { update_id, [kind]: content };
}
