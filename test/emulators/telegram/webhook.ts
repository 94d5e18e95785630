import type { EmulatorClock } from '../core/clock.ts';
import { isJsonObject, type JsonObject, parseJson } from '../core/json.ts';
import { badRequest, tooManyRequests } from './api-error.ts';
import type { WebhookDelivery } from './control-contract.ts';
import { type QueuedUpdate, renderUpdate, type UpdateQueue } from './update-queue.ts';

/** Where updates are pushed to. */
export interface WebhookTarget {
  readonly url: string;
  readonly secret: string | null;
  readonly maxConnections: number;
}

interface Retry {
  fails: number;
  delayS: number;
}

const maxDelayS = 60;
const maxRetryAfterS = 3600;

/** Pushes the queue of one bot to its webhook: chats in parallel, one chat's updates in order, retried until taken. */
export class Webhook {
  readonly deliveries: WebhookDelivery[] = [];
  /** Called with a method call that came back as the body of a delivery. */
  onMethod: (method: string, values: JsonObject) => void | Promise<void> = () => {};
  lastError: { readonly date: number; readonly message: string } | null = null;
  readonly #queue: UpdateQueue;
  readonly #clock: EmulatorClock;
  readonly #busyChats = new Set<number>();
  readonly #retries = new Map<number, Retry>();
  #target: WebhookTarget | null = null;
  #nextSetAt = 0;

  constructor(queue: UpdateQueue, clock: EmulatorClock) {
    this.#queue = queue;
    this.#clock = clock;
  }

  get isActive(): boolean {
    return this.#target !== null;
  }

  get target(): WebhookTarget | null {
    return this.#target;
  }

  /** Sets the target; a second call within a second is refused with 429. */
  set(target: WebhookTarget): void {
    const now = this.#clock.now();
    if (now < this.#nextSetAt) throw tooManyRequests(1);
    if (!URL.canParse(target.url)) throw badRequest('invalid webhook URL specified');
    if (target.secret !== null && !/^[\w-]{1,256}$/.test(target.secret)) {
      throw badRequest('secret token contains unallowed characters');
    }
    this.#nextSetAt = now + 1000;
    this.#target = target;
    this.lastError = null;
    this.pump();
  }

  delete(): void {
    this.#target = null;
    this.lastError = null;
  }

  /** Starts the delivery of every chat's oldest update that is not under way. */
  pump(): void {
    this.#queue.expire(this.#clock.now());
    for (const update of this.#queue.list()) {
      if (this.#target === null || this.#busyChats.size >= this.#target.maxConnections) return;
      if (this.#busyChats.has(update.chatId)) continue;
      this.#busyChats.add(update.chatId);
      void this.#deliver(update, this.#target);
    }
  }

  async #deliver(update: QueuedUpdate, target: WebhookTarget): Promise<void> {
    const at = this.#clock.now();
    const { outcome, retryAfter, answer } = await post(update, target);
    this.deliveries.push({ update_id: update.update_id, at, finishedAt: this.#clock.now(), outcome });
    const isTaken = typeof outcome === 'number' && outcome >= 200 && outcome < 300;
    if (isTaken) {
      this.#queue.forget(update.update_id);
      this.#retries.delete(update.update_id);
      this.#runAnswer(answer);
    } else {
      this.#noteError(outcome);
      await this.#clock.wait(this.#nextDelay(update.update_id, retryAfter) * 1000);
    }
    this.#busyChats.delete(update.chatId);
    this.pump();
  }

  // The first failure without Retry-After is repeated at once, later ones after 2, 4, 8 … seconds.
  #nextDelay(updateId: number, retryAfter: number): number {
    const retry = this.#retries.get(updateId) ?? { fails: 0, delayS: 1 };
    this.#retries.set(updateId, retry);
    const isRepeated = retry.fails > 0;
    retry.fails += 1;
    if (retryAfter > 0) return Math.min(retryAfter, maxRetryAfterS);
    if (!isRepeated) return 0;
    retry.delayS = Math.min(maxDelayS, retry.delayS * 2);
    return retry.delayS;
  }

  #noteError(outcome: number | string): void {
    const message =
      typeof outcome === 'number' ? `Wrong response from the webhook: ${outcome}` : `Connection failed: ${outcome}`;
    this.lastError = { date: Math.floor(this.#clock.now() / 1000), message };
  }

  #runAnswer(answer: string): void {
    const values = parseJson(answer);
    if (!isJsonObject(values) || typeof values['method'] !== 'string') return;
    const method = values['method'].toLowerCase();
    if (method.startsWith('get') || method === 'setwebhook' || method === 'deletewebhook') return;
    void this.onMethod(method, values);
  }
}

interface Posted {
  readonly outcome: number | string;
  readonly retryAfter: number;
  readonly answer: string;
}

async function post(update: QueuedUpdate, target: WebhookTarget): Promise<Posted> {
  const secret = target.secret === null ? {} : { 'x-telegram-bot-api-secret-token': target.secret };
  try {
    const response = await fetch(target.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...secret },
      body: JSON.stringify(renderUpdate(update)),
      redirect: 'manual',
    });
    const retryAfter = Number(response.headers.get('retry-after') ?? 0);
    return {
      outcome: response.status,
      retryAfter: Number.isFinite(retryAfter) ? retryAfter : 0,
      answer: await response.text(),
    };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    return { outcome: cause, retryAfter: 0, answer: '' };
  }
}
