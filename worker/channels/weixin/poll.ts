import { setTimeout as delay } from 'node:timers/promises';
import { NoAnswer } from '../../../lib/deadline.ts';
import { errorMessage } from '../../../lib/errors.ts';
import type { AccountState } from '../account-state.ts';
import type { ChannelContext } from '../plugin.ts';
import { describeCause, findRootCause } from '../transport-error.ts';
import { LOGIN_VOID, StatusError, type WeixinClient, WeixinError } from './client.ts';
import { normaliseMessage } from './messages.ts';
import { createRepeatGuard } from './repeats.ts';
import type { WeixinTiming } from './timing.ts';

export type PollOptions = {
  accountId: string;
  botId: string;
  client: WeixinClient;
  context: ChannelContext;
  state: AccountState;
  timing: WeixinTiming;
  signal: AbortSignal;
};

/** What the operator does about a login that is over. */
export const LOG_IN = 'Log in: xopc gateway login weixin, or the console';

/**
 * Takes in an account's messages until the signal aborts, or until the login is over: then it says so and does not try on
 * (WX-1). What came in is committed with the cursor before the next poll, which is all that can be done whether the service
 * gives out a message once or until it is confirmed (channels 4.5).
 */
export async function pollAccount(options: PollOptions): Promise<'ended' | 'login-over'> {
  const { state, timing, signal } = options;
  const loop: Loop = {
    cursor: undefined,
    waitMs: timing.longPollMs,
    failures: 0,
    isFresh: true,
    voids: 0,
    guard: createRepeatGuard(),
  };
  state.change('starting');
  while (!signal.aborted) {
    try {
      if (loop.isFresh) await announce(options);
      await takeMessages(options, loop);
      loop.failures = 0;
      loop.voids = 0;
      loop.isFresh = false;
      state.change('up');
    } catch (error) {
      if (signal.aborted) break;
      const retryMs = judge(options, loop, error);
      if (retryMs === undefined) return 'login-over';
      await delay(retryMs, undefined, { signal }).catch(() => undefined);
    }
  }
  state.change('idle');
  return 'ended';
}

type Loop = {
  /** Undefined until it is read. */
  cursor: string | undefined;
  waitMs: number;
  /** In a row. */
  failures: number;
  /** No poll was answered yet since the start or the last trouble with the login. */
  isFresh: boolean;
  /** How often in a row the login was said to be void. */
  voids: number;
  guard: ReturnType<typeof createRepeatGuard>;
};

const ANNOUNCE_MS = 10_000;

/** Tells the service that we listen. Its answer proves the connection; without one the poll will tell. */
async function announce({ client, state, signal }: PollOptions): Promise<void> {
  try {
    await client.post('msg/notifystart', {}, { timeoutMs: ANNOUNCE_MS, signal });
    state.markExchange();
    state.change('up');
  } catch (error) {
    if (error instanceof WeixinError && error.code === LOGIN_VOID) throw error;
  }
}

async function takeMessages(options: PollOptions, loop: Loop): Promise<void> {
  const { accountId, botId, client, context, state, timing, signal } = options;
  loop.cursor ??= readCursor(await context.readCursor(accountId), botId);
  const answer = await poll();
  if (answer === undefined) return;
  state.markExchange();
  const wait = Number(answer['longpolling_timeout_ms']);
  if (wait >= 1_000 && wait <= 120_000) loop.waitMs = wait;
  const { msgs, get_updates_buf: next } = answer;
  const messages = (Array.isArray(msgs) ? msgs : []).flatMap((message) => normaliseMessage(accountId, message) ?? []);
  const cursor = typeof next === 'string' && next !== '' ? next : loop.cursor;
  if (messages.length > 0 || cursor !== loop.cursor)
    await context.receive(accountId, messages.map(loop.guard), `${botId} ${cursor}`);
  loop.cursor = cursor;

  /** A poll without an answer is as good as one without messages: both are everyday life here. */
  async function poll(): Promise<Awaited<ReturnType<WeixinClient['post']>> | undefined> {
    const startedAt = Date.now();
    try {
      return await client.post(
        'getupdates',
        { get_updates_buf: loop.cursor },
        { timeoutMs: loop.waitMs + timing.graceMs, signal },
      );
    } catch (error) {
      const isNoise = error instanceof NoAnswer || (error instanceof StatusError && error.status === 524);
      if (!isNoise || signal.aborted) throw error;
      // One that says so at once must not be asked without end.
      if (Date.now() - startedAt < timing.retryMs) await delay(timing.retryMs, undefined, { signal });
      return undefined;
    }
  }
}

/** The cursor of another bot says nothing to this one. */
function readCursor(stored: string | undefined, botId: string): string {
  return stored?.startsWith(`${botId} `) === true ? stored.slice(botId.length + 1) : '';
}

/** Reports a failure. Returns the milliseconds until the next try; undefined when the login is over. */
function judge({ accountId, context, state, timing }: PollOptions, loop: Loop, error: unknown): number | undefined {
  if (error instanceof WeixinError && error.code === LOGIN_VOID) {
    loop.voids += 1;
    loop.isFresh = true;
    // Once it may be a hiccup that announcing ourselves anew ends.
    if (loop.voids < 2) return 0;
    const text = `The login is over: this WeChat was connected elsewhere, or was idle for too long. ${LOG_IN}.`;
    state.change('login-needed', text);
    context.log.error({ accountId, err: error }, `weixin: ${text}`);
    return undefined;
  }
  // A cursor from before may be what the service does not like.
  if (error instanceof WeixinError && loop.isFresh) loop.cursor = '';
  loop.failures += 1;
  const retryMs = loop.failures <= 2 ? timing.retryMs : timing.retryLaterMs;
  const text = `Weixin cannot be reached or does not answer well: ${explain(error)}. Trying again by itself.`;
  if (loop.failures > 1) state.change('degraded', text);
  context.log.warn({ accountId, err: error, failures: loop.failures, retryMs }, `weixin: ${text}`);
  return retryMs;
}

function explain(error: unknown): string {
  if (error instanceof WeixinError || error instanceof StatusError) return errorMessage(error);
  return describeCause(findRootCause(error));
}
