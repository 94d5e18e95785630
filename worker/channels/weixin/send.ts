import { NoAnswer } from '../../../lib/deadline.ts';
import { errorMessage } from '../../../lib/errors.ts';
import {
  type OutboundMessage,
  type Posted,
  RateLimited,
  Rejected,
  type SendWindow,
  Unknown,
  Unreachable,
  WindowClosed,
} from '../plugin.ts';
import { describeCause, findRootCause, isBeforeRequest } from '../transport-error.ts';
import { LOGIN_VOID, StatusError, type WeixinClient, WeixinError, WINDOW_CLOSED } from './client.ts';
import { toPlainText } from './plain-text.ts';

const SEND_MS = 15_000;

/** Posts one part with the token of the person's last message. Errors are those of the channel contract. */
export async function sendPart(client: WeixinClient, message: OutboundMessage, signal: AbortSignal): Promise<Posted> {
  if (signal.aborted) throw new Unreachable('Weixin: cancelled before the request was made');
  const { id, chatId, text, window } = message;
  if (window === undefined) throw new WindowClosed(NEVER_WROTE);
  const msg = {
    from_user_id: '',
    to_user_id: chatId,
    client_id: id,
    message_type: 2,
    message_state: 2,
    item_list: [{ type: 1, text_item: { text: toPlainText(text) } }],
    context_token: window.token,
  };
  try {
    const answer = await client.post('sendmessage', { msg }, { timeoutMs: SEND_MS, signal });
    return { remoteId: String(answer['message_id'] ?? id) };
  } catch (error) {
    throw judge(error, window);
  }
}

const NEVER_WROTE = 'Weixin: this person never wrote to the bot, and only then may it write';

function judge(error: unknown, window: SendWindow): Error {
  const options = { cause: error };
  if (error instanceof WeixinError) return judgeAnswer(error, window);
  if (error instanceof StatusError) {
    if (error.status === 429) return new RateLimited(error.message, 30_000, options);
    // A server that fails half-way may have posted the message already.
    if (error.status >= 500) return new Unknown(error.message, options);
    return new Rejected(error.message, options);
  }
  if (error instanceof NoAnswer) return new Unknown(`Weixin: ${error.message}`, options);
  const cause = findRootCause(error);
  const text = `Weixin: ${describeCause(cause)}`;
  return isBeforeRequest(cause) ? new Unreachable(text, options) : new Unknown(text, options);
}

function judgeAnswer(error: WeixinError, window: SendWindow): Error {
  if (error.code === WINDOW_CLOSED) return new WindowClosed(explainClosed(window), { cause: error });
  // The message waits for the next login.
  if (error.code === LOGIN_VOID) return new Unreachable(errorMessage(error), { cause: error });
  return new Rejected(errorMessage(error), { cause: error });
}

/** The words of the service are no guide: it says "rate limited" for what is only too old (WX-3). */
function explainClosed({ openedAt, expiresAt, sendsLeft }: SendWindow): string {
  const minutes = Math.round((Date.now() - openedAt) / 60_000);
  if (Date.now() >= expiresAt) return 'Weixin takes nothing more: the person wrote more than 23 hours ago';
  if (sendsLeft <= 1) return 'Weixin takes nothing more: ten messages were sent since the person wrote';
  return `Weixin takes nothing more although the person wrote ${minutes} minutes ago and ${sendsLeft} messages were left`;
}
