import type { Update } from 'grammy/types';
import { withDeadline } from '../../../lib/deadline.ts';
import { GatewayError } from '../../../lib/errors.ts';
import { createSecretMatcher } from '../../../lib/token.ts';
import type { AccountState } from '../account-state.ts';
import type { ChannelContext, HttpPush } from '../plugin.ts';
import type { BotApi } from './bot-api.ts';
import type { BotIdentity } from './mention.ts';
import type { PollTiming } from './timing.ts';
import { normaliseUpdate } from './updates.ts';

/** Takes in what is pushed to one account. */
export type WebhookReceiver = {
  url: string;
  secret: string;
  /** Epoch milliseconds of the last update that was taken in; 0 before the first. */
  readonly lastUpdateAt: number;
  /** Hands over the update of a request. Throws GatewayError for what does not come from Telegram. */
  receive(request: HttpPush): Promise<Record<string, unknown>>;
};

export type WebhookReceiverOptions = {
  accountId: string;
  url: string;
  secret: string;
  context: ChannelContext;
  state: AccountState;
  timing: Pick<PollTiming, 'graceMs'>;
  openApi(): Promise<BotApi>;
};

/**
 * Creates the receiver of an account. It works from the start, also in a worker that does not run the channels: while workers
 * change, both take in what is pushed, and the inbox knows what it has.
 */
export function createWebhookReceiver(options: WebhookReceiverOptions): WebhookReceiver {
  const { accountId, url, secret, context, state } = options;
  const isSecret = createSecretMatcher(secret);
  let bot: BotIdentity | undefined;
  let lastUpdateAt = 0;
  return {
    url,
    secret,
    get lastUpdateAt() {
      return lastUpdateAt;
    },
    async receive(request) {
      if (!isSecret(request.header(SECRET_HEADER) ?? '')) throw new GatewayError('UNAUTHORIZED', 'Not allowed.');
      const update = parseUpdate(await request.rawBody());
      bot ??= await identify(options);
      const message = normaliseUpdate(accountId, bot, update);
      if (message !== undefined) await context.receive(accountId, [message]);
      lastUpdateAt = Date.now();
      state.markExchange();
      return {};
    },
  };
}

const SECRET_HEADER = 'x-telegram-bot-api-secret-token';

function parseUpdate(body: Buffer): Update {
  const update = parseJson(body);
  if (typeof update === 'object' && update !== null && 'update_id' in update && typeof update.update_id === 'number')
    return update as Update;
  throw new GatewayError('INVALID_REQUEST', 'The body is no update.');
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (cause) {
    throw new GatewayError('INVALID_REQUEST', 'The body is not valid JSON.', { cause });
  }
}

async function identify({ openApi, timing }: WebhookReceiverOptions): Promise<BotIdentity> {
  const api = await openApi();
  return withDeadline(NEVER, timing.graceMs, (limited) => api.getMe(limited));
}

const NEVER = new AbortController().signal;
