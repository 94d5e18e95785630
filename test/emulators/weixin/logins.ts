import { randomBytes } from 'node:crypto';
import type { EmulatorClock } from '../core/clock.ts';
import { ControlError } from '../core/control-body.ts';
import { WeixinBot } from './bot.ts';
import type { Confirmed, WeixinSettings } from './control-contract.ts';

interface Code {
  readonly name: string;
  readonly expiresAt: number;
  state: 'wait' | 'scaned' | 'confirmed';
  isVerified: boolean;
  bot: WeixinBot | undefined;
}

const CODE_TTL_MS = 5 * 60_000;

/** The QR codes of the emulated service and the bots that they logged in. */
export class WeixinLogins {
  readonly #clock: EmulatorClock;
  readonly #codes = new Map<string, Code>();
  readonly #bots = new Map<string, WeixinBot>();

  constructor(clock: EmulatorClock) {
    this.#clock = clock;
  }

  /** A fresh QR code. */
  createCode(): { qrcode: string; qrcode_img_content: string } {
    const name = randomBytes(8).toString('hex');
    const expiresAt = this.#clock.now() + CODE_TTL_MS;
    this.#codes.set(name, { name, expiresAt, state: 'wait', isVerified: false, bot: undefined });
    return { qrcode: name, qrcode_img_content: `https://liteapp.weixin.qq.com/q/${name}?bot_type=3` };
  }

  /** What a client that shows the code is told. */
  lookAt(name: string, verifyCode: string | null, settings: Required<WeixinSettings>, baseUrl: string): object {
    const code = this.#codes.get(name);
    if (code === undefined || code.expiresAt <= this.#clock.now()) return { status: 'expired' };
    if (code.state === 'wait') return { status: 'wait' };
    if (settings.verifyCode !== null && !code.isVerified) {
      code.isVerified = verifyCode === settings.verifyCode;
      if (!code.isVerified) return { status: 'need_verifycode' };
    }
    if (code.bot === undefined)
      return settings.redirectHost === null
        ? { status: 'scaned' }
        : { status: 'scaned_but_redirect', redirect_host: settings.redirectHost };
    const { token, id, owner } = code.bot;
    return { status: 'confirmed', bot_token: token, ilink_bot_id: id, ilink_user_id: owner, baseurl: baseUrl };
  }

  /** A person scans the newest code. */
  scan(): void {
    this.#newest().state = 'scaned';
  }

  /** The person confirms; an older login of the same person is void from then on. */
  confirm(owner: string): Confirmed {
    const code = this.#newest();
    for (const bot of this.#bots.values()) if (bot.owner === owner) bot.end();
    const id = `${randomBytes(6).toString('hex')}@im.bot`;
    const bot = new WeixinBot(this.#clock, { id, owner, token: `${id}:${randomBytes(16).toString('hex')}` });
    this.#bots.set(bot.token, bot);
    code.state = 'confirmed';
    code.bot = bot;
    return { botId: id, token: bot.token };
  }

  /** The newest code is good no longer. */
  expire(): void {
    this.#codes.delete(this.#newest().name);
  }

  /** The bot with a token; undefined when it is unknown or void. */
  find(token: string): WeixinBot | undefined {
    const bot = this.#bots.get(token);
    return bot?.isVoid === true ? undefined : bot;
  }

  /** The bot that was logged in last. */
  get current(): WeixinBot {
    const bot = [...this.#bots.values()].at(-1);
    if (bot === undefined) throw new ControlError('no bot is logged in');
    return bot;
  }

  #newest(): Code {
    const code = [...this.#codes.values()].at(-1);
    if (code === undefined) throw new ControlError('no QR code is shown');
    return code;
  }
}
