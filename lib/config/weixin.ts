import * as v from 'valibot';
import type { FieldProblem } from '../errors.ts';
import { describe, reserve } from './describe.ts';
import { findSignatureContradictions, signedWebhook } from './webhook.ts';

const ID =
  'must be "*" or the id of a person, such as "abc@im.wechat", which the log shows when somebody is turned away';

const httpUrl = v.pipe(
  v.string(),
  v.regex(/^https?:\/\/[^/?#]+/, 'must be a URL that begins with https:// or http://'),
);

const account = {
  enabled: describe(v.optional(v.boolean()), 'False: this account does not run.'),
  dmPolicy: describe(
    v.optional(v.picklist(['pairing', 'allowlist', 'open', 'disabled'])),
    'Who may write: after pairing, listed ids, anyone, nobody; whoever scanned the QR code always. Default pairing.',
  ),
  allowFrom: describe(
    v.optional(v.array(v.pipe(v.string(), v.regex(/^(\*|[^\s@]+@im\.wechat)$/, ID)))),
    'Ids that need no pairing; "*" is anyone.',
  ),
  textChunkLimit: describe(
    v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(4_000))),
    'Longest part of an answer, 1 to 4000 characters. Default 2000: some accounts cut longer ones.',
  ),
  routeTag: describe(v.optional(v.pipe(v.string(), v.regex(/^[\x21-\x7e]+$/))), 'Tag that the service routes by.'),
  historyLimit: reserve(
    v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1_000)),
    'Newest messages of the session that the model sees. Default 50.',
  ),
  streamMode: reserve(v.picklist(['off', 'partial', 'block']), 'How an answer grows in the chat.'),
};

/** `channels.weixin`: what holds for every account, and the accounts, each of which is logged in by its own QR code. */
export const weixin = v.object({
  ...account,
  enabled: describe(v.optional(v.boolean(), false), 'Whether Weixin runs.'),
  loginBaseUrl: describe(v.optional(httpUrl, 'https://ilinkai.weixin.qq.com'), 'Server that logs in.'),
  webhook: describe(
    v.optional(signedWebhook),
    'Programs that sign with these secrets bring messages to /api/webhook/weixin.',
  ),
  accounts: describe(
    v.optional(v.record(v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9_-]{0,31}$/)), v.object(account)), {}),
    'Accounts by id; each may set the same keys.',
  ),
});

/** What types cannot say of `channels.weixin`. */
export function findWeixinContradictions({ webhook }: v.InferOutput<typeof weixin>): FieldProblem[] {
  return findSignatureContradictions('channels.weixin.webhook', webhook ?? {});
}
