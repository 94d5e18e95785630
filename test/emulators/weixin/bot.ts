import { EventEmitter, once } from 'node:events';
import type { EmulatorClock } from '../core/clock.ts';
import type { SeenMessage, WeixinSettings } from './control-contract.ts';

type Settings = Required<WeixinSettings>;

/** A message of a person on the wire; ids are text here and bare numbers there. */
type Update = Record<string, unknown>;

interface Peer {
  /** Tokens of this person's messages and until when each is good. */
  readonly tokens: Map<string, number>;
  left: number;
  readonly seen: SeenMessage[];
}

/** Beyond what a JavaScript number can hold, and the same for no two messages of all bots. */
let lastId = 7_451_239_876_543_210_987n;

/** One bot of the emulated service: what people wrote to it, and what they may still be told. */
export class WeixinBot {
  readonly id: string;
  readonly owner: string;
  token: string;
  isVoid = false;
  readonly #clock: EmulatorClock;
  readonly #events = new EventEmitter();
  readonly #peers = new Map<string, Peer>();
  #updates: Update[] = [];
  #taken = 0;

  constructor(clock: EmulatorClock, identity: { id: string; owner: string; token: string }) {
    this.#clock = clock;
    this.id = identity.id;
    this.owner = identity.owner;
    this.token = identity.token;
  }

  /** A person writes. Returns the token of the message. */
  say(user: string, text: string, { budget, tokenTtlMs, dupMode }: Settings): string {
    const peer = this.#peer(user);
    peer.left = budget;
    const token = this.#issue(peer, tokenTtlMs);
    const update = {
      seq: this.#updates.length + 1,
      message_id: this.#takeId(),
      from_user_id: user,
      to_user_id: this.id,
      create_time_ms: this.#clock.now(),
      message_type: 1,
      message_state: 2,
      item_list: [{ type: 1, text_item: { text } }],
      context_token: token,
    };
    this.#updates.push(...this.#repeat(update, dupMode, () => this.#issue(peer, tokenTtlMs)));
    this.#events.emit('update');
    return token;
  }

  /** What is new since a cursor, and the next cursor. Waits for something for a while. */
  async poll(cursor: string, { cursorMode, longPollMs }: Settings, signal: AbortSignal): Promise<[Update[], string]> {
    const from = (): number => (cursorMode === 'replay' ? Number(cursor === '' ? 0 : cursor) : this.#taken);
    const until = this.#clock.now() + longPollMs;
    while (this.#updates.length <= from() && !signal.aborted && !this.isVoid && this.#clock.now() < until) {
      const ended = AbortSignal.any([signal, AbortSignal.timeout(Math.max(1, until - this.#clock.now()))]);
      await once(this.#events, 'update', { signal: ended }).catch(() => undefined);
    }
    const updates = this.#updates.slice(from());
    // What nobody is there to take is not taken.
    if (!signal.aborted) this.#taken = this.#updates.length;
    return [updates, String(this.#updates.length)];
  }

  /** The bot writes. Returns the message's id, or `closed` when the person must write first. */
  send(user: string, message: { token: string; text: string; clientId: string }): string | 'closed' {
    const peer = this.#peer(user);
    const until = peer.tokens.get(message.token);
    if (until === undefined || until <= this.#clock.now() || peer.left <= 0) return 'closed';
    peer.left -= 1;
    const messageId = this.#takeId();
    peer.seen.push({ text: message.text, clientId: message.clientId, messageId, at: this.#clock.now() });
    return messageId;
  }

  /** What a person sees of the bot, oldest first. */
  seenBy(user: string): readonly SeenMessage[] {
    return this.#peer(user).seen;
  }

  /** The service takes nothing more for a person, whatever was promised. */
  closeWindow(user: string): void {
    this.#peer(user).left = 0;
  }

  /** The login is void from now on. */
  end(): void {
    this.isVoid = true;
    this.#events.emit('update');
  }

  #peer(user: string): Peer {
    const known = this.#peers.get(user) ?? { tokens: new Map(), left: 0, seen: [] };
    this.#peers.set(user, known);
    return known;
  }

  #issue(peer: Peer, ttlMs: number): string {
    const token = `ctx-${this.id}-${this.#takeId()}`;
    peer.tokens.set(token, this.#clock.now() + ttlMs);
    return token;
  }

  #takeId(): string {
    lastId += 1n;
    return String(lastId);
  }

  #repeat(update: Update, mode: Settings['dupMode'], issue: () => string): Update[] {
    const { message_id: _id, ...nameless } = update;
    switch (mode) {
      case 'none':
        return [update];
      case 'same-id':
        return [update, { ...update }];
      case 'no-id':
        return [nameless, { ...nameless, create_time_ms: this.#clock.now() + 1_000, context_token: issue() }];
      case 'new-id-new-token':
        return [update, { ...update, message_id: this.#takeId(), context_token: issue() }];
    }
  }
}
