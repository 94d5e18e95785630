import type { EmulatorClock } from '../core/clock.ts';
import type { CallRecord } from '../core/journal.ts';
import { ApiError } from './api-error.ts';
import type { QueuedUpdate, UpdateQueue } from './update-queue.ts';

/** A getUpdates call after its parameters were read; `timeout` in seconds. */
export interface PollRequest {
  readonly offset: number;
  readonly limit: number;
  readonly timeout: number;
}

interface ParkedPoll {
  readonly finish: (updates: QueuedUpdate[]) => void;
  readonly fail: (error: ApiError) => void;
  /** Stops the time limit: from here on only `fail` or the client ends the call. */
  readonly hold: () => void;
  readonly offset: number;
  readonly limit: number;
}

const otherPoll = 'Conflict: terminated by other getUpdates request; make sure that only one bot instance is running';
const webhookActive =
  "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first";
const conflictPauseMs = 3000;
const coalesceMs = 2;
const hangUpGraceMs = 50;

/** The long poll of one bot: at most one call is parked, and a newer one that has to wait kicks it out. */
export class Poller {
  readonly #queue: UpdateQueue;
  readonly #clock: EmulatorClock;
  #parked: ParkedPoll | null = null;
  #lastOffset: number | null = null;
  #lastStartedAt = 0;
  #nextConflictAt = 0;
  #isWaking = false;
  #open: CallRecord[] = [];

  constructor(queue: UpdateQueue, clock: EmulatorClock) {
    this.#queue = queue;
    this.#clock = clock;
  }

  /** Polls that have not ended yet, including those a fault holds open. */
  countOpen(): number {
    this.#open = this.#open.filter((record) => record.finishedAt === null);
    return this.#open.length;
  }

  /**
   * Waits a moment for an open poll to end. A client that hangs up and calls again at once is often heard in the wrong
   * order, because the two travel on different connections; only what is still open afterwards is an overlap.
   */
  async settle(): Promise<void> {
    const until = Date.now() + hangUpGraceMs;
    while (this.countOpen() > 0 && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 1));
  }

  /** Counts this poll until its record is closed. */
  track(record: CallRecord): void {
    this.#open.push(record);
  }

  /** Answers with updates at once, or parks until there are some or the time is up. */
  async poll(request: PollRequest, signal: AbortSignal): Promise<QueuedUpdate[]> {
    const { offset, limit, timeout } = this.#slowDown(request);
    const ready = this.#queue.take(offset, limit, this.#clock.now());
    if (ready.length > 0 || timeout === 0) return ready;
    this.#kick(otherPoll);
    return this.#park({ offset: this.#queue.resolve(offset), limit, timeout }, signal);
  }

  /** Refuses a poll because a webhook is set. */
  refuse(signal: AbortSignal): Promise<never> {
    return this.#conflict(webhookActive, signal);
  }

  /** Ends the parked poll because a webhook is being set. */
  yieldToWebhook(): void {
    this.#kick('Conflict: terminated by setWebhook request');
  }

  /** Ends the parked poll because the token was revoked. */
  revoke(): void {
    this.#parked?.fail(new ApiError(401, 'Unauthorized'));
  }

  /** Answers the parked poll shortly after an update came in, so that a burst goes out together. */
  wake(): void {
    if (this.#parked === null || this.#isWaking) return;
    this.#isWaking = true;
    setTimeout(() => {
      this.#isWaking = false;
      const parked = this.#parked;
      if (parked === null) return;
      const updates = this.#queue.take(parked.offset, parked.limit, this.#clock.now());
      if (updates.length > 0) parked.finish(updates);
    }, coalesceMs);
  }

  // The server's protection against clients that spin on one offset.
  #slowDown({ offset, limit, timeout }: PollRequest): PollRequest {
    const now = this.#clock.now();
    const sinceLast = offset === this.#lastOffset ? now - this.#lastStartedAt : Number.POSITIVE_INFINITY;
    this.#lastOffset = offset;
    this.#lastStartedAt = now;
    return {
      offset,
      limit: sinceLast < 500 ? 1 : limit,
      timeout: sinceLast < 3000 && timeout < 3 ? 3 : timeout,
    };
  }

  #park({ offset, limit, timeout }: PollRequest, signal: AbortSignal): Promise<QueuedUpdate[]> {
    return new Promise((resolve, reject) => {
      const release = (): void => {
        cancel();
        signal.removeEventListener('abort', abandon);
        if (this.#parked === parked) this.#parked = null;
      };
      const parked: ParkedPoll = {
        offset,
        limit,
        finish: (updates) => {
          release();
          resolve(updates);
        },
        fail: (error) => {
          release();
          reject(error);
        },
        hold: () => cancel(),
      };
      const abandon = (): void => parked.finish([]);
      const cancel = this.#clock.after(timeout * 1000, abandon);
      this.#parked = parked;
      signal.addEventListener('abort', abandon, { once: true });
      if (signal.aborted) abandon();
    });
  }

  #kick(text: string): void {
    const parked = this.#parked;
    if (parked === null) return;
    this.#parked = null;
    parked.hold();
    const delayMs = this.#conflictDelay();
    const fail = (): void => parked.fail(new ApiError(409, text));
    if (delayMs === 0) fail();
    else this.#clock.after(delayMs, fail);
  }

  async #conflict(text: string, signal: AbortSignal): Promise<never> {
    await this.#clock.wait(this.#conflictDelay(), signal);
    throw new ApiError(409, text);
  }

  // The first conflict is told at once; those within three seconds of it wait three seconds.
  #conflictDelay(): number {
    const now = this.#clock.now();
    if (now < this.#nextConflictAt) return conflictPauseMs;
    this.#nextConflictAt = now + conflictPauseMs;
    return 0;
  }
}
