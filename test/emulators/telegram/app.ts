import type { EmulatorClock } from '../core/clock.ts';
import { answerControl, type ControlRoutes, createSharedRoutes } from '../core/control.ts';
import { type Reply, settleExchange } from '../core/exchange.ts';
import { FaultEngine, type FaultRule } from '../core/faults.ts';
import type { IncomingCall } from '../core/http-server.ts';
import { type CallRecord, closeRecord, openRecord } from '../core/journal.ts';
import type { JsonObject } from '../core/json.ts';
import { ApiError } from './api-error.ts';
import type { Bot } from './bot.ts';
import type { TelegramCall } from './control-contract.ts';
import { createControlRoutes } from './control-routes.ts';
import { carryBytes, renderDownload } from './download.ts';
import type { CallNotes } from './methods/context.ts';
import { findMethod } from './methods/index.ts';
import { Params } from './params.ts';
import { renderError, renderInjected, renderResult } from './render.ts';
import { type BotRequest, readRequest } from './request.ts';
import { World } from './world.ts';

interface JournalEntry {
  readonly record: CallRecord;
  readonly token: string;
  readonly method: string;
  readonly params: Params;
  readonly notes: CallNotes;
  readonly isDownload: boolean;
  readonly pollsInFlight: number | null;
}

/** The Telegram emulator: bots, faults, journal and one handler for every request. */
export class TelegramApp {
  readonly #clock: EmulatorClock;
  readonly #world: World;
  readonly #faults = new FaultEngine();
  readonly #control: ControlRoutes;
  #journal: JournalEntry[] = [];
  #seq = 0;

  constructor(clock: EmulatorClock, seed: number) {
    this.#clock = clock;
    this.#world = new World(clock, seed, (bot) => {
      bot.webhook.onMethod = (method, values) => this.#runWebhookAnswer(bot, method, values);
    });
    this.#control = {
      ...createSharedRoutes(this.#faults, clock),
      ...createControlRoutes(this.#world, clock),
      'GET /__/calls': (_body, query) => ({ calls: this.#list(query) }),
      'POST /__/reset': () => this.#reset(),
    };
  }

  /** Answers one request: control, or a Bot API call. */
  async handle(call: IncomingCall): Promise<void> {
    if (call.path.startsWith('/__/')) return answerControl(this.#control, call);
    const request = readRequest(call);
    const { read } = request;
    const bot = this.#world.find(request.token);
    const entry = await this.#open(request, bot);
    const rule = this.#takeFault(entry, call);
    const perform = (signal: AbortSignal): Promise<Reply> | Reply =>
      read instanceof ApiError ? renderError(read) : this.#run(entry, bot, signal);
    const exchange = {
      res: call.res,
      clock: this.#clock,
      record: entry.record,
      rule,
      perform,
      renderError: renderInjected,
    };
    await settleExchange(entry.isDownload ? carryBytes(exchange) : exchange);
  }

  async #open({ token, method, isDownload, read }: BotRequest, bot: Bot | undefined): Promise<JournalEntry> {
    const params = read instanceof ApiError ? new Params({}) : read;
    const isPoll = method === 'getUpdates' && bot !== undefined;
    if (isPoll) await bot.poller.settle();
    this.#seq += 1;
    const record = openRecord(this.#seq, this.#clock.now());
    if (isPoll) bot.poller.track(record);
    const pollsInFlight = isPoll ? bot.poller.countOpen() : null;
    const entry = { record, token, method, params, notes: {}, isDownload, pollsInFlight };
    this.#journal.push(entry);
    return entry;
  }

  #takeFault({ token, method, params }: JournalEntry, call: IncomingCall): FaultRule | null {
    if (this.#faults.isIdle) return null;
    const content = (): string => `${params.text('text')}\n${params.text('caption')}\n${JSON.stringify(params.values)}`;
    return this.#faults.take({ method, path: call.path, token, chat: params.text('chat_id'), content });
  }

  async #run(entry: JournalEntry, bot: Bot | undefined, signal: AbortSignal): Promise<Reply> {
    try {
      const known = this.#authorise(entry.token, bot);
      if (entry.isDownload) return renderDownload(known, entry.params.text('file_path'), this.#clock.now());
      return renderResult(await this.#invoke(entry, known, signal));
    } catch (error) {
      if (error instanceof ApiError) return renderError(error);
      throw error;
    }
  }

  // The outcome of a call that came back from a webhook is told to nobody, but the journal shows it.
  async #runWebhookAnswer(bot: Bot, name: string, values: JsonObject): Promise<void> {
    const { token } = bot.identity;
    const method = findMethod(name)?.name ?? name;
    const entry = await this.#open({ token, method, isDownload: false, read: new Params(values) }, bot);
    const { status } = await this.#run(entry, bot, new AbortController().signal);
    entry.record.processed = status === 200;
    closeRecord(entry.record, status, this.#clock.now());
  }

  #authorise(token: string, bot: Bot | undefined): Bot {
    if (token === '') throw new ApiError(404, 'Not Found');
    if (!this.#world.isToken(token)) throw new ApiError(401, 'Unauthorized: invalid token specified');
    if (bot === undefined || bot.isRevoked) throw new ApiError(401, 'Unauthorized');
    return bot;
  }

  async #invoke({ method, params, notes }: JournalEntry, bot: Bot, signal: AbortSignal): Promise<unknown> {
    const found = findMethod(method);
    if (found === undefined) throw new ApiError(404, 'Not Found: method not found');
    return found.run({ bot, params, clock: this.#clock, signal, notes });
  }

  #list(query: URLSearchParams): TelegramCall[] {
    const token = query.get('token');
    const method = query.get('method')?.toLowerCase();
    return this.#journal
      .filter((entry) => token === null || entry.token === token)
      .filter((entry) => method === undefined || entry.method.toLowerCase() === method)
      .map(showCall);
  }

  #reset(): void {
    this.#faults.clear();
    this.#world.reset();
    this.#journal = [];
    this.#seq = 0;
  }
}

function showCall({ record, token, method, params, notes, pollsInFlight }: JournalEntry): TelegramCall {
  const files = [...params.files].map(([field, { name, content }]) => ({ field, name, sizeBytes: content.length }));
  return {
    ...record,
    token,
    method,
    params: params.values,
    ...(files.length === 0 ? {} : { files }),
    ...notes,
    ...(pollsInFlight === null ? {} : { pollsInFlight }),
  };
}
