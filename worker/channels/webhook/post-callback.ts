import { withDeadline } from '../../../lib/deadline.ts';
import { errorMessage } from '../../../lib/errors.ts';
import { FetchRefused, postPublic } from '../../../lib/public-fetch.ts';
import { signStandard } from '../../../lib/webhook-signature.ts';
import { type OutboundMessage, RateLimited, Rejected, Unreachable } from '../plugin.ts';
import type { Callback } from './accounts.ts';

/** The receiver answered 410: it wants nothing any more. */
export class CallbackGone extends Rejected {}

const ANSWER_MS = 15_000;

/**
 * Posts a part to the receiver of answers, signed as Standard Webhooks; the same part has the same id each time. `retryMs` is how
 * long to wait after a failure unless the receiver says. Throws Rejected when it can never be taken, RateLimited to try again.
 */
export async function postCallback(
  { url, secret, allowedHosts }: Callback,
  message: OutboundMessage,
  { retryMs, signal }: { retryMs: number; signal: AbortSignal },
): Promise<void> {
  if (signal.aborted) throw new Unreachable('Cancelled before the request was made');
  const body = Buffer.from(JSON.stringify(describe(message)));
  const headers = {
    'content-type': 'application/json',
    ...signStandard(secret, { id: message.id, timeMs: Date.now(), body }),
  };
  let answer: { status: number; retryAfter: string | undefined };
  try {
    answer = await withDeadline(signal, ANSWER_MS, async (limited) => {
      const options = { allowedHosts, allowedBy: 'channels.webhook.callbackHosts', signal: limited };
      const response = await postPublic(url, { ...options, body, headers });
      // What it has to say besides is of no interest, however long it is.
      response.destroy();
      return { status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'] };
    });
  } catch (error) {
    if (error instanceof FetchRefused)
      throw new Rejected(`The callback is not called: ${error.message}`, { cause: error });
    if (signal.aborted) throw error;
    // It may have arrived; but a receiver knows the id, so that another time does no harm.
    throw new RateLimited(`The callback cannot be reached: ${errorMessage(error)}`, retryMs, { cause: error });
  }
  judge(new URL(url).host, answer, retryMs);
}

function describe({ id, accountId, chatId, threadId, replyTo, text }: OutboundMessage): Record<string, unknown> {
  return {
    event: 'message',
    timestamp: new Date().toISOString(),
    data: {
      message_id: id,
      account_id: accountId,
      chat_id: chatId,
      content: text,
      ...(threadId === undefined ? {} : { thread_id: threadId }),
      ...(replyTo === undefined ? {} : { reply_to: replyTo }),
    },
  };
}

function judge(host: string, answer: { status: number; retryAfter: string | undefined }, retryMs: number): void {
  const { status, retryAfter } = answer;
  if (status >= 200 && status < 300) return;
  const text = `${host} answered the callback with status ${status}`;
  if (status === 410) throw new CallbackGone(`${text}: it wants nothing any more`);
  if (REFUSED.has(status)) throw new Rejected(`${text}: it takes no such message`);
  if (status >= 300 && status < 400)
    throw new RateLimited(`${text}, which sends us elsewhere. Put the final address in callbackUrl`, retryMs);
  const asked = retryAfter !== undefined && /^\d{1,5}$/.test(retryAfter) ? Number(retryAfter) * 1_000 : undefined;
  throw new RateLimited(text, asked ?? retryMs);
}

/** It read the message and does not like it; with any other status it may be the receiver's own trouble of the moment. */
const REFUSED = new Set([400, 413, 415, 422]);
