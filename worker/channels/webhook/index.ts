import { errorMessage } from '../../../lib/errors.ts';
import { type AccountState, createAccountState } from '../account-state.ts';
import { type ChannelContext, type ChannelPlugin, type OutboundMessage, type Posted, Rejected } from '../plugin.ts';
import type { WebhookAccount } from './accounts.ts';
import { CallbackGone, postCallback } from './post-callback.ts';

/** Milliseconds between one failed callback and the next: the schedule that Standard Webhooks proposes. */
const RETRY_MS: readonly number[] = [5_000, 30_000, 300_000, 1_800_000, 7_200_000, 18_000_000];

type Line = { account: WebhookAccount; state: AccountState; isGone: boolean };

/**
 * Creates the channel of programs: they push messages to /api/webhook/webhook, which verifies them, and are told answers by a
 * signed callback (SPEC 7.5). Without a callback an answer is delivered when it is committed, as on the console.
 */
export function createWebhookChannel(accounts: readonly WebhookAccount[], retryMs = RETRY_MS) {
  const lines = new Map<string, Line>();
  /** Of the messages that wait for another try. A restart begins anew. */
  const failures = new Map<string, number>();
  let context: ChannelContext | undefined;
  return {
    meta: META,
    init(given) {
      context = given;
      for (const account of accounts) {
        const state = createAccountState(account.accountId, (status) => given.onStatus(status));
        lines.set(account.accountId, { account, state, isGone: false });
      }
    },
    async start() {
      for (const { account, state } of lines.values()) {
        state.change('up');
        if (!account.isSigned) context?.log.warn({ accountId: account.accountId }, UNSIGNED);
      }
    },
    async send(message, signal) {
      const count = failures.get(message.id) ?? 0;
      const wait = retryMs[Math.min(count, retryMs.length - 1)] ?? 0;
      failures.delete(message.id);
      try {
        return await deliver(requireLine(lines, message.accountId), message, { retryMs: wait, signal });
      } catch (error) {
        if (!(error instanceof Rejected)) failures.set(message.id, count + 1);
        throw error;
      }
    },
    chunkLimit: (accountId) => lines.get(accountId)?.account.textChunkLimit,
    status: () => [...lines.values()].map(({ state }) => state.current()),
  } satisfies ChannelPlugin;
}

const UNSIGNED =
  'This account has no scheme and secrets: only callers with the credential of the gateway bring messages to it';

const META: ChannelPlugin['meta'] = {
  id: 'webhook',
  label: 'Webhook',
  deferConnectUntilAfterListen: false,
  isIdempotent: true,
  textLimit: 100_000,
};

function requireLine(lines: ReadonlyMap<string, Line>, accountId: string): Line {
  const line = lines.get(accountId);
  if (line !== undefined) return line;
  throw new Rejected(`There is no webhook account "${accountId}". Check channels.webhook.accounts.`);
}

async function deliver(
  line: Line,
  message: OutboundMessage,
  options: { retryMs: number; signal: AbortSignal },
): Promise<Posted> {
  const { account, state } = line;
  if (account.callback === undefined) return { remoteId: message.id };
  if (line.isGone) throw new Rejected(GONE);
  try {
    await postCallback(account.callback, message, options);
    state.markExchange();
    state.change('up');
    return { remoteId: message.id };
  } catch (error) {
    line.isGone = error instanceof CallbackGone;
    if (line.isGone) state.change('down', GONE);
    else if (!options.signal.aborted) state.change('degraded', errorMessage(error));
    throw error;
  }
}

const GONE =
  'The receiver of answers said that it wants none any more (410). Change callbackUrl, or restart the channel to try again.';
