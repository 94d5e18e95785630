import type { AccountPolicy, GroupRule } from '../../../lib/account-policy.ts';
import type { Config } from '../../../lib/config/schema.ts';
import { resolveWebhookUrl } from '../../../lib/config/telegram.ts';
import type { Environment } from '../../../lib/env.ts';
import { findProxy, type HttpProxy, type ProxyProblem } from '../../../lib/proxy.ts';
import type { Quoting } from '../plugin.ts';

type TelegramConfig = Config['channels']['telegram'];

/** One bot, complete. */
export type TelegramAccount = AccountPolicy & {
  accountId: string;
  /** Undefined when nothing gives one: the account then shows as down and says where the token belongs. */
  botToken: string | undefined;
  /** Bot API server without a trailing slash. */
  apiRoot: string;
  /** Which parts of an answer quote the message; undefined is the first in groups and none in private. */
  replyToMode?: Quoting;
  /** How an answer shows while it is written. */
  streamMode: 'off' | 'partial' | 'block';
  /** Messages per second in all. */
  sendRate: number;
  /** Longest part of an answer, in UTF-16 units; undefined is what the platform takes. */
  textChunkLimit?: number;
  /** Where messages are pushed to; undefined when they are polled for. */
  webhook?: { url: string /** What the platform proves itself with. */; readSecret(): string };
  /** What stands between us and the server, or why it cannot. */
  proxy?: HttpProxy | ProxyProblem;
  /** Where in the configuration the token belongs, for messages to the operator. */
  tokenPath: string;
};

/**
 * The enabled bots of `channels.telegram`: the top level is short for `accounts.default`, and what an account leaves out it
 * takes from there, except the token. TELEGRAM_BOT_TOKEN fills in for the account "default". `keepSecret` is given the
 * configured secret of a webhook and returns the one to use.
 */
export function resolveTelegramAccounts(
  config: TelegramConfig,
  env: Environment,
  keepSecret: (accountId: string, configured: string | undefined) => string,
): TelegramAccount[] {
  if (!config.enabled) return [];
  const resolved: TelegramAccount[] = [];
  for (const accountId of listAccountIds(config, env)) {
    const own = config.accounts[accountId] ?? {};
    if (own.enabled === false) continue;
    const isDefault = accountId === DEFAULT_ACCOUNT;
    const shared = isDefault ? (config.botToken ?? env['TELEGRAM_BOT_TOKEN']) : undefined;
    const apiRoot = (own.apiRoot ?? config.apiRoot ?? DEFAULT_API_ROOT).replace(/\/+$/, '');
    const proxy = findProxy(apiRoot, own.proxy ?? config.proxy, env);
    const replyToMode = own.replyToMode ?? config.replyToMode;
    const webhookUrl = resolveWebhookUrl(accountId, own, config);
    const webhookSecret = own.webhookSecret ?? config.webhookSecret;
    const textChunkLimit = own.textChunkLimit ?? config.textChunkLimit;
    resolved.push({
      accountId,
      botToken: own.botToken ?? shared,
      apiRoot,
      ...(proxy === undefined ? {} : { proxy }),
      ...resolvePolicy(own, config),
      streamMode: own.streamMode ?? config.streamMode ?? 'partial',
      sendRate: own.sendRate ?? config.sendRate ?? DEFAULT_SEND_RATE,
      ...(replyToMode === undefined ? {} : { replyToMode }),
      ...(webhookUrl === undefined
        ? {}
        : { webhook: { url: webhookUrl, readSecret: () => keepSecret(accountId, webhookSecret) } }),
      ...(textChunkLimit === undefined ? {} : { textChunkLimit }),
      tokenPath: isDefault
        ? 'channels.telegram.botToken or TELEGRAM_BOT_TOKEN'
        : `channels.telegram.accounts.${accountId}.botToken`,
    });
  }
  return resolved;
}

/** Safely below the thirty that the Bot API allows. */
const DEFAULT_SEND_RATE = 25;
const DEFAULT_GROUP_HISTORY = 50;
const DEFAULT_ACCOUNT = 'default';
const DEFAULT_API_ROOT = 'https://api.telegram.org';

/** Named accounts, and "default" when something gives it a token or there is no other that could say what is missing. */
function listAccountIds(config: TelegramConfig, env: Environment): Set<string> {
  const named = Object.keys(config.accounts);
  const hasToken = (config.botToken ?? env['TELEGRAM_BOT_TOKEN']) !== undefined;
  return new Set(hasToken || named.length === 0 ? [DEFAULT_ACCOUNT, ...named] : named);
}

type AccountConfig = Omit<TelegramConfig, 'enabled' | 'accounts'>;

function resolvePolicy(own: AccountConfig, shared: AccountConfig): AccountPolicy {
  const groups = Object.entries(own.groups ?? shared.groups ?? {});
  return {
    dmPolicy: own.dmPolicy ?? shared.dmPolicy ?? 'pairing',
    allowFrom: (own.allowFrom ?? shared.allowFrom ?? []).map(String),
    groupPolicy: own.groupPolicy ?? shared.groupPolicy ?? 'allowlist',
    groupAllowFrom: (own.groupAllowFrom ?? shared.groupAllowFrom ?? []).map(String),
    groupHistory: own.historyLimit ?? shared.historyLimit ?? DEFAULT_GROUP_HISTORY,
    requireMention: own.requireMention ?? shared.requireMention ?? true,
    groups: new Map(groups.map(([chatId, group]) => [chatId, readGroup(group)])),
  };
}

function readGroup({ allowFrom, ...rule }: NonNullable<AccountConfig['groups']>[string]): GroupRule {
  return { ...rule, ...(allowFrom === undefined ? {} : { allowFrom: allowFrom.map(String) }) };
}
