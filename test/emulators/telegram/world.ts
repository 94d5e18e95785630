import type { EmulatorClock } from '../core/clock.ts';
import { ControlError } from '../core/control-body.ts';
import { createRandom } from '../core/random.ts';
import { Bot } from './bot.ts';
import type { BotSeed } from './control-contract.ts';

const tokenPattern = /^[1-9]\d*:[\w-]+$/;
const maxTokenLength = 80;

/** All registered bots. */
export class World {
  readonly #clock: EmulatorClock;
  readonly #seed: number;
  readonly #prepare: (bot: Bot) => void;
  readonly #bots = new Map<string, Bot>();
  #random: () => number;

  /** `prepare` is called with every new bot. */
  constructor(clock: EmulatorClock, seed: number, prepare: (bot: Bot) => void) {
    this.#clock = clock;
    this.#seed = seed;
    this.#prepare = prepare;
    this.#random = createRandom(seed);
  }

  /** Whether a token is well formed, registered or not. */
  isToken(text: string): boolean {
    return text.length <= maxTokenLength && tokenPattern.test(text);
  }

  /** Registers a bot; a token that was revoked comes back as a fresh bot. */
  add(seed: BotSeed): Bot {
    if (!this.isToken(seed.token)) throw new ControlError(`"${seed.token}" is no bot token`);
    const known = this.#bots.get(seed.token);
    if (known !== undefined && !known.isRevoked) throw new ControlError(`bot ${seed.token} exists already`);
    const id = seed.id ?? Number(seed.token.split(':').at(0));
    const user = { id, is_bot: true, first_name: seed.username, username: seed.username };
    const bot = new Bot({ token: seed.token, user, privacy: seed.privacy ?? true }, this.#clock, this.#random);
    this.#prepare(bot);
    this.#bots.set(seed.token, bot);
    return bot;
  }

  find(token: string): Bot | undefined {
    return this.#bots.get(token);
  }

  /** The bot a control call names; a token nobody registered is the test's mistake. */
  require(token: unknown): Bot {
    const bot = typeof token === 'string' ? this.#bots.get(token) : undefined;
    if (bot === undefined) throw new ControlError(`no bot ${String(token)}`);
    return bot;
  }

  all(): Bot[] {
    return [...this.#bots.values()];
  }

  /** Forgets everything; parked polls end with 401. */
  reset(): void {
    for (const bot of this.#bots.values()) {
      bot.isRevoked = true;
      bot.webhook.delete();
      bot.poller.revoke();
    }
    this.#bots.clear();
    this.#random = createRandom(this.#seed);
  }
}
