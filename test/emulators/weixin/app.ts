import type { EmulatorClock } from '../core/clock.ts';
import { answerControl, type ControlRoutes, createSharedRoutes } from '../core/control.ts';
import { requireString } from '../core/control-body.ts';
import { type Reply, settleExchange } from '../core/exchange.ts';
import { FaultEngine } from '../core/faults.ts';
import type { IncomingCall } from '../core/http-server.ts';
import { type CallRecord, openRecord } from '../core/journal.ts';
import { isJsonObject, type JsonObject, parseJson } from '../core/json.ts';
import type { WeixinBot } from './bot.ts';
import { findViolation } from './check.ts';
import type { WeixinCall, WeixinSettings } from './control-contract.ts';
import { WeixinLogins } from './logins.ts';

const DEFAULTS: Required<WeixinSettings> = {
  cursorMode: 'replay',
  dupMode: 'none',
  budget: 10,
  tokenTtlMs: 24 * 3_600_000,
  longPollMs: 2_000,
  verifyCode: null,
  redirectHost: null,
};

type Entry = Pick<WeixinCall, 'method' | 'path' | 'body' | 'violation'> & { record: CallRecord };

/** The emulated iLink service: logins, bots, faults, journal, and the people with their phones by control routes. */
export class WeixinApp {
  readonly #clock: EmulatorClock;
  readonly #faults = new FaultEngine();
  readonly #control: ControlRoutes;
  #logins: WeixinLogins;
  #settings = DEFAULTS;
  #journal: Entry[] = [];
  #seq = 0;

  constructor(clock: EmulatorClock) {
    this.#clock = clock;
    this.#logins = new WeixinLogins(clock);
    this.#control = { ...createSharedRoutes(this.#faults, clock), ...this.#createRoutes() };
  }

  /** Answers one request: control, or the service. */
  async handle(call: IncomingCall): Promise<void> {
    if (call.path.startsWith('/__/')) return answerControl(this.#control, call);
    const { method, path } = call;
    const body = call.body.length === 0 ? null : (parseJson(call.body.toString()) ?? null);
    const violation = findViolation(call, body) ?? null;
    this.#seq += 1;
    const record = openRecord(this.#seq, this.#clock.now());
    this.#journal.push({ record, method, path, body, violation });
    const to = isJsonObject(body) && isJsonObject(body['msg']) ? body['msg']['to_user_id'] : undefined;
    await settleExchange({
      res: call.res,
      clock: this.#clock,
      record,
      rule: this.#faults.take({
        method: path.split('/').at(-1) ?? '',
        path,
        ...(typeof to === 'string' ? { chat: to } : {}),
        content: () => call.body.toString(),
      }),
      perform: (signal) =>
        violation === null ? this.#answer(call, body ?? {}, signal) : render({ errmsg: violation }, 400),
      // A code in the rule makes it an answer of the service itself.
      renderError: (status, rule) =>
        rule.code === undefined ? render({}, status) : render({ ret: Number(rule.code), errmsg: rule.body ?? '' }),
    });
  }

  #createRoutes(): ControlRoutes {
    return {
      'POST /__/settings': (body) => {
        this.#settings = { ...this.#settings, ...(body as WeixinSettings) };
      },
      'POST /__/scan': () => this.#logins.scan(),
      'POST /__/confirm': (body) => this.#logins.confirm(requireString(body, 'user')),
      'POST /__/expire': () => this.#logins.expire(),
      'POST /__/say': (body) => ({
        token: this.#logins.current.say(requireString(body, 'user'), requireString(body, 'text'), this.#settings),
      }),
      'POST /__/close': (body) => this.#logins.current.closeWindow(requireString(body, 'user')),
      'POST /__/void': () => this.#logins.current.end(),
      'GET /__/seen': (_body, query) => ({ messages: this.#logins.current.seenBy(query.get('user') ?? '') }),
      'GET /__/calls': () => ({ calls: this.#journal.map(({ record, ...call }) => ({ ...record, ...call })) }),
      'POST /__/reset': () => {
        this.#faults.clear();
        this.#logins = new WeixinLogins(this.#clock);
        this.#settings = DEFAULTS;
        this.#journal = [];
      },
    };
  }

  #answer(call: IncomingCall, body: unknown, signal: AbortSignal): Promise<Reply> | Reply {
    const request = isJsonObject(body) ? body : {};
    switch (`${call.method} ${call.path}`) {
      case 'POST /ilink/bot/get_bot_qrcode':
        return render(this.#logins.createCode());
      case 'GET /ilink/bot/get_qrcode_status': {
        const { query, headers } = call;
        const baseUrl = `http://${headers.host}`;
        return render(
          this.#logins.lookAt(query.get('qrcode') ?? '', query.get('verify_code'), this.#settings, baseUrl),
        );
      }
      default:
        return this.#answerBot(call, request, signal);
    }
  }

  async #answerBot(call: IncomingCall, request: JsonObject, signal: AbortSignal): Promise<Reply> {
    const token = /^Bearer (.+)$/.exec(call.headers.authorization ?? '')?.[1] ?? '';
    const bot = this.#logins.find(token);
    if (bot === undefined) return render(VOID);
    switch (call.path) {
      case '/ilink/bot/getupdates':
        return this.#poll(bot, request, signal);
      case '/ilink/bot/sendmessage':
        return render(send(bot, request['msg']));
      case '/ilink/bot/getconfig':
        return render({ ret: 0, typing_ticket: `ticket-${String(request['ilink_user_id'])}` });
      case '/ilink/bot/sendtyping':
        return render(
          request['typing_ticket'] === `ticket-${String(request['ilink_user_id'])}` ? { ret: 0 } : { ret: -1 },
        );
      case '/ilink/bot/msg/notifystart':
      case '/ilink/bot/msg/notifystop':
        return render({ ret: 0 });
      default:
        return render({ errmsg: 'no such method' }, 404);
    }
  }

  async #poll(bot: WeixinBot, request: JsonObject, signal: AbortSignal): Promise<Reply> {
    const [msgs, cursor] = await bot.poll(String(request['get_updates_buf'] ?? ''), this.#settings, signal);
    if (bot.isVoid) return render(VOID);
    const waits = { longpolling_timeout_ms: Math.max(1_000, this.#settings.longPollMs) };
    return render({ ret: 0, msgs, get_updates_buf: cursor, ...waits });
  }
}

const VOID = { ret: -14, errcode: -14, errmsg: 'session timeout' };

function send(bot: WeixinBot, msg: unknown): object {
  const {
    to_user_id: user,
    client_id: clientId,
    context_token: token,
    item_list: items,
  } = msg as Record<string, unknown>;
  const [{ text_item: item }] = items as [{ text_item: { text: string } }];
  const sent = { token: String(token), text: item.text, clientId: String(clientId) };
  const messageId = bot.send(String(user), sent);
  return messageId === 'closed' ? { ret: -2, errmsg: 'rate limited' } : { ret: 0, message_id: messageId };
}

/** Ids leave as bare numbers, beyond what a JavaScript number can hold. */
function render(value: object, status = 200): Reply {
  const body = JSON.stringify(value).replace(/"message_id":"(\d+)"/g, '"message_id":$1');
  return { status, headers: { 'content-type': 'application/json' }, body };
}
