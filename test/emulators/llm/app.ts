import type { EmulatorClock } from '../core/clock.ts';
import { answerControl, type ControlRoutes, createSharedRoutes } from '../core/control.ts';
import { type Exchange, type Reply, settleExchange } from '../core/exchange.ts';
import { FaultEngine, type FaultRule } from '../core/faults.ts';
import type { IncomingCall } from '../core/http-server.ts';
import { type CallRecord, openRecord } from '../core/journal.ts';
import { isJsonObject, parseJson } from '../core/json.ts';
import { renderMessage, streamMessage } from './anthropic.ts';
import { checkBody, checkKey } from './check.ts';
import type { LlmCall } from './control-contract.ts';
import { readConversation } from './conversation.ts';
import { type Dialect, describeError, renderLlmError } from './errors.ts';
import { listModels, listTags } from './models.ts';
import { type AnswerStamp, renderCompletion, streamCompletion } from './openai.ts';
import { planReply, type ReplyPlan } from './plan.ts';
import { type ActiveSettings, defaultSettings, patchSettings } from './settings.ts';

interface JournalEntry {
  readonly record: CallRecord;
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

/** The model emulator: settings, faults, journal and one handler for every request. */
export class LlmApp {
  readonly #clock: EmulatorClock;
  readonly #faults = new FaultEngine();
  readonly #control: ControlRoutes;
  #settings: ActiveSettings = defaultSettings;
  #journal: JournalEntry[] = [];
  #seq = 0;

  constructor(clock: EmulatorClock) {
    this.#clock = clock;
    this.#control = {
      ...createSharedRoutes(this.#faults, clock),
      'POST /__/settings': (body) => {
        this.#settings = patchSettings(this.#settings, body);
        return this.#settings;
      },
      'GET /__/calls': () => ({ calls: this.#journal.map(showCall) }),
      'POST /__/reset': () => this.#reset(),
    };
  }

  /** Answers one request: control, or one of the emulated services. */
  async handle(call: IncomingCall): Promise<void> {
    if (call.path.startsWith('/__/')) return answerControl(this.#control, call);
    const body = call.body.length === 0 ? null : parseJson(call.body.toString());
    this.#seq += 1;
    const record = openRecord(this.#seq, this.#clock.now());
    const { method, path } = call;
    if (this.#settings.journal) this.#journal.push({ record, method, path, body: body ?? null });
    const dialect = dialectOf(call);
    const exchange: Exchange = {
      res: call.res,
      clock: this.#clock,
      record,
      rule: this.#faults.isIdle ? null : this.#takeFault(call),
      perform: () => this.#answer(call, dialect, body, record.seq),
      renderError: (status, rule) => renderInjected(dialect, status, rule),
    };
    await settleExchange(exchange);
  }

  #takeFault({ method, path, body }: IncomingCall): FaultRule | null {
    return this.#faults.take({ method, path, content: () => body.toString() });
  }

  #answer(call: IncomingCall, dialect: Dialect, body: unknown, seq: number): Reply {
    const route = `${call.method} ${call.path}`;
    if (route === 'GET /api/tags') return listTags(this.#settings);
    const refused = checkKey(dialect, call.headers, this.#settings);
    if (refused !== null) return renderLlmError(dialect, refused);
    switch (route) {
      case 'GET /v1/models':
        return listModels(dialect, this.#settings);
      case 'POST /v1/chat/completions':
      case 'POST /v1/messages':
        return this.#complete(call, dialect, body, seq);
      default:
        return renderLlmError(dialect, { status: 404, message: `Invalid URL (${route})` });
    }
  }

  #complete(call: IncomingCall, dialect: Dialect, body: unknown, seq: number): Reply {
    if (dialect === 'anthropic' && call.headers['anthropic-version'] === undefined) {
      return renderLlmError(dialect, { status: 400, message: 'anthropic-version: header is required' });
    }
    const request = checkBody(dialect, body, this.#settings);
    if ('status' in request) return renderLlmError(dialect, request);
    const system = dialect === 'anthropic' ? request.body['system'] : undefined;
    const plan = planReply(readConversation(request.messages, system), this.#settings);
    if (plan.errorStatus !== null) return renderOrdered(dialect, plan.errorStatus);
    const stamp = { seq, created: Math.floor(this.#clock.now() / 1000), model: request.model };
    return renderPlan(dialect, plan, stamp, request.body);
  }

  #reset(): void {
    this.#faults.clear();
    this.#settings = defaultSettings;
    this.#journal = [];
    this.#seq = 0;
  }
}

function dialectOf({ path, headers }: IncomingCall): Dialect {
  return path === '/v1/messages' || headers['anthropic-version'] !== undefined ? 'anthropic' : 'openai';
}

function renderPlan(dialect: Dialect, plan: ReplyPlan, stamp: AnswerStamp, body: Record<string, unknown>): Reply {
  const isStream = body['stream'] === true;
  if (dialect === 'anthropic') return isStream ? streamMessage(plan, stamp) : renderMessage(plan, stamp);
  if (!isStream) return renderCompletion(plan, stamp);
  const options = body['stream_options'];
  return streamCompletion(plan, stamp, isJsonObject(options) && options['include_usage'] === true);
}

function renderOrdered(dialect: Dialect, status: number): Reply {
  const retry = status === 429 ? { retryAfter: 1 } : {};
  return renderLlmError(dialect, { status, message: describeError(status, undefined), ...retry });
}

function renderInjected(dialect: Dialect, status: number, rule: FaultRule): Reply {
  const retryAfter = rule.retryAfter ?? (status === 429 ? 1 : undefined);
  return renderLlmError(dialect, {
    status,
    message: describeError(status, rule.code),
    ...(rule.code === undefined ? {} : { code: rule.code }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  });
}

function showCall({ record, method, path, body }: JournalEntry): LlmCall {
  return { ...record, method, path, body, aborted: record.outcome === 'aborted' };
}
