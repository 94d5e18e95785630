import * as v from 'valibot';
import type { FieldProblem } from '../errors.ts';
import { NO_PROXY, parseProxy } from '../proxy.ts';
import { describe } from './describe.ts';
import { findSignatureContradictions, signedWebhook } from './webhook.ts';

const NAMES_ARE_NO_IDS =
  'must be a numeric id or "*": names can be taken by others; use the numeric id, which the log shows when somebody is turned away';

/** Who is let in is told by immutable ids only (INJ-4); groups have negative ones. */
const ids = v.array(
  v.union(
    [
      v.pipe(v.string(), v.regex(/^(\*|-?\d+)$/, NAMES_ARE_NO_IDS)),
      v.pipe(v.number(), v.safeInteger(NAMES_ARE_NO_IDS)),
    ],
    NAMES_ARE_NO_IDS,
  ),
);

const HTTP_URL = 'must be a URL that begins with https:// or http://';

const httpUrl = v.pipe(
  v.string(),
  v.check((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), HTTP_URL),
);

const group = v.object({
  enabled: describe(v.optional(v.boolean()), 'False: the bot never listens in this group.'),
  requireMention: describe(v.optional(v.boolean()), 'Overrides requireMention of the account.'),
  allowFrom: describe(
    v.optional(ids),
    'User ids that are heard in this group, besides those of groupAllowFrom and allowFrom and the paired ones. Left out: everybody in it.',
  ),
});

const account = {
  enabled: describe(v.optional(v.boolean()), 'False: this account does not run.'),
  botToken: describe(
    v.optional(v.string()),
    'Token from @BotFather. Also TELEGRAM_BOT_TOKEN for the account "default".',
  ),
  dmPolicy: describe(
    v.optional(v.picklist(['pairing', 'allowlist', 'open', 'disabled'])),
    'Who may write in private: after pairing, listed ids, anyone, nobody. Default pairing.',
  ),
  allowFrom: describe(
    v.optional(ids),
    'Numeric user ids that need no pairing, in groups neither; "*" is anyone who writes in private.',
  ),
  groupPolicy: describe(
    v.optional(v.picklist(['open', 'allowlist', 'disabled'])),
    'Who is heard in groups: anyone, listed and paired people and everybody in listed groups, nobody. Default allowlist.',
  ),
  groupAllowFrom: describe(v.optional(ids), 'Numeric user ids that are heard in every group; "*" is anyone.'),
  requireMention: describe(
    v.optional(v.boolean()),
    'Whether the bot answers in groups only when it is mentioned or replied to. Default true.',
  ),
  groups: describe(
    v.optional(v.record(v.pipe(v.string(), v.regex(/^(\*|-?\d+)$/, NAMES_ARE_NO_IDS)), group)),
    'Groups by numeric id. A listed group needs no listed people; "*" holds for the groups that are not listed.',
  ),
  replyToMode: describe(
    v.optional(v.picklist(['off', 'first', 'all'])),
    'Which parts of an answer quote the message: none, the first, each. Left out: first in groups, off in private.',
  ),
  historyLimit: describe(
    v.optional(v.pipe(v.number(), v.integer('must be a whole number'), v.minValue(0), v.maxValue(1_000))),
    'How many of the newest messages in a group that speak to others the model is told with the next question. Default 50.',
  ),
  streamMode: describe(
    v.optional(v.picklist(['off', 'partial', 'block'])),
    'How an answer shows while it is written: not at all, as it grows, by whole paragraphs and sentences. Default partial.',
  ),
  sendRate: describe(
    v.optional(v.pipe(v.number(), v.minValue(1, 'must be 1 or more'), v.maxValue(1_000, 'must be 1000 or less'))),
    'Messages per second in all; more than 30 need a paid bot. Default 25.',
  ),
  textChunkLimit: describe(
    v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(4_096))),
    'Longest part of an answer, 1 to 4096 characters (UTF-16 units). Default what Telegram takes.',
  ),
  webhookUrl: describe(
    v.optional(httpUrl),
    'Public https address of this gateway: Telegram sends messages there instead of being polled. Without a path, /api/webhook/telegram/<account> is added.',
  ),
  webhookSecret: describe(
    v.optional(v.pipe(v.string(), v.regex(/^[\w-]{16,256}$/, 'must be 16 to 256 letters, digits, "_" and "-"'))),
    'What Telegram proves itself with at webhookUrl. Left out: one is generated and kept in credentials/.',
  ),
  proxy: describe(
    v.optional(
      v.pipe(
        v.string(),
        v.rawCheck(({ dataset, addIssue }) => {
          const proxy = dataset.typed && dataset.value !== NO_PROXY ? parseProxy(dataset.value) : undefined;
          if (proxy !== undefined && 'problem' in proxy) addIssue({ message: proxy.problem });
        }),
      ),
    ),
    'HTTP proxy on the way to Telegram, http:// or https://, with credentials if it wants any; "none" for none. Left out: HTTPS_PROXY, ALL_PROXY and NO_PROXY of the environment.',
  ),
  apiRoot: describe(
    v.optional(v.pipe(v.string(), v.url('must be a URL'))),
    'Bot API server. Default https://api.telegram.org.',
  ),
};

/** `channels.telegram`: what holds for every account, and the accounts. */
export const telegram = v.object({
  ...account,
  enabled: describe(v.optional(v.boolean(), false), 'Whether Telegram runs.'),
  webhook: describe(
    v.optional(signedWebhook),
    'Who else than Telegram brings messages to /api/webhook/telegram: programs that sign with these secrets.',
  ),
  accounts: describe(
    v.optional(v.record(v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9_-]{0,31}$/)), v.object(account)), {}),
    'Accounts by id; each may set the same keys.',
  ),
});

/** The public address of an account's webhook; undefined when it polls. */
export function resolveWebhookUrl(accountId: string, own: AccountInput, shared: AccountInput): string | undefined {
  const given = own.webhookUrl ?? shared.webhookUrl;
  if (given === undefined) return undefined;
  const url = new URL(given);
  if (url.pathname === '/') url.pathname = `/api/webhook/telegram/${accountId}`;
  return url.href;
}

type AccountInput = { webhookUrl?: string | undefined; apiRoot?: string | undefined };

/** What types cannot say of `channels.telegram`. */
export function findTelegramContradictions(config: v.InferOutput<typeof telegram>): FieldProblem[] {
  const named = Object.entries(config.accounts);
  const hasDefault = config.botToken !== undefined || named.length === 0;
  const isNamed = config.accounts['default'] !== undefined;
  const accounts: typeof named = hasDefault && !isNamed ? [['default', {}], ...named] : named;
  const problems: FieldProblem[] = findSignatureContradictions('channels.telegram.webhook', config.webhook ?? {});
  const taken = new Map<string, string>();
  for (const [id, account] of accounts) {
    const url = account.enabled === false ? undefined : resolveWebhookUrl(id, account, config);
    if (url === undefined) continue;
    const path = account.webhookUrl === undefined ? 'channels.telegram' : `channels.telegram.accounts.${id}`;
    // A server of one's own may push over http, Telegram's does not.
    if (url.startsWith('http:') && (account.apiRoot ?? config.apiRoot) === undefined)
      problems.push({ path: `${path}.webhookUrl`, message: 'must begin with https://, which Telegram asks for' });
    const other = taken.get(url);
    if (other !== undefined)
      problems.push({
        path: `${path}.webhookUrl`,
        message: `is also that of the account "${other}"; give each account an address of its own, or leave out the path`,
      });
    taken.set(url, id);
  }
  return problems;
}
