import type { EmulatorClock } from '../core/clock.ts';
import { Chat } from './chat.ts';
import type { ChatSeed } from './control-contract.ts';
import { FloodGate } from './flood-gate.ts';
import { MediaStore } from './media-store.ts';
import { Poller } from './poller.ts';
import { UpdateQueue } from './update-queue.ts';
import { Webhook } from './webhook.ts';
import type { ChatType, UpdateKind, WireChat, WireUser } from './wire.ts';

/** What a bot is created with. */
export interface BotIdentity {
  readonly token: string;
  readonly user: WireUser;
  readonly privacy: boolean;
}

// The update kinds that must be asked for by name.
const defaultExcluded = ['chat_member', 'message_reaction', 'message_reaction_count'];

/** Everything the service keeps for one token. */
export class Bot {
  readonly identity: BotIdentity;
  readonly chats = new Map<number, Chat>();
  readonly queue: UpdateQueue;
  readonly poller: Poller;
  readonly webhook: Webhook;
  readonly flood: FloodGate;
  readonly media: MediaStore;
  readonly callbacks = new Set<string>();
  commands: unknown = [];
  isRevoked = false;
  readonly #clock: EmulatorClock;
  #allowed: readonly string[] | null = null;

  constructor(identity: BotIdentity, clock: EmulatorClock, random: () => number) {
    this.identity = identity;
    this.#clock = clock;
    this.queue = new UpdateQueue(random);
    this.poller = new Poller(this.queue, clock);
    this.webhook = new Webhook(this.queue, clock);
    this.flood = new FloodGate(clock);
    this.media = new MediaStore(identity.token);
  }

  /** Sets which updates are created from now on; undefined keeps the last choice, an empty list means the default set. */
  allow(kinds: unknown): void {
    if (!Array.isArray(kinds) || !kinds.every((kind) => typeof kind === 'string')) return;
    this.#allowed = kinds.length === 0 ? null : kinds.map((kind) => kind.toLowerCase());
  }

  get allowed(): readonly string[] | null {
    return this.#allowed;
  }

  /** Creates an update if the bot wants its kind; returns its id or null. */
  notify(kind: UpdateKind, chatId: number, content: unknown): number | null {
    const wanted = this.#allowed === null ? !defaultExcluded.includes(kind) : this.#allowed.includes(kind);
    if (!wanted || this.isRevoked) return null;
    const { update_id } = this.queue.push(kind, chatId, content, this.#clock.now());
    if (this.webhook.isActive) this.webhook.pump();
    else this.poller.wake();
    return update_id;
  }

  /** The chat of this seed, created or completed. */
  ensureChat(seed: ChatSeed, person: WireUser | null): Chat {
    const known = this.chats.get(seed.id);
    const info = describeChat(seed, known?.info, person);
    if (known !== undefined) {
      known.info = info;
      return known;
    }
    const chat = new Chat(info);
    this.chats.set(seed.id, chat);
    return chat;
  }
}

function describeChat(seed: ChatSeed, known: WireChat | undefined, person: WireUser | null): WireChat {
  const type = seed.type ?? known?.type ?? typeOfId(seed.id);
  const title = seed.title ?? known?.title ?? (type === 'private' ? undefined : `Chat ${seed.id}`);
  const username = seed.username ?? known?.username ?? (type === 'private' ? person?.username : undefined);
  const firstName = known?.first_name ?? (type === 'private' ? person?.first_name : undefined);
  const isForum = seed.isForum ?? known?.is_forum ?? false;
  return {
    id: seed.id,
    type,
    ...(title === undefined ? {} : { title }),
    ...(username === undefined ? {} : { username }),
    ...(firstName === undefined ? {} : { first_name: firstName }),
    ...(isForum ? { is_forum: true as const } : {}),
  };
}

function typeOfId(id: number): ChatType {
  if (id > 0) return 'private';
  return id <= -1_000_000_000_000 ? 'supergroup' : 'group';
}
