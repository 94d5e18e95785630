import type { AccountPolicy } from '../../../lib/account-policy.ts';
import type { Config } from '../../../lib/config/schema.ts';

type WebhookConfig = Config['channels']['webhook'];

/** One way in and out, complete. */
export type WebhookAccount = AccountPolicy & {
  accountId: string;
  /** Whether senders can sign; else only callers with the gateway's credential bring messages. */
  isSigned: boolean;
  /** Where answers go; undefined when nobody is told. */
  callback: Callback | undefined;
  textChunkLimit: number | undefined;
};

export type Callback = { url: string; secret: string; allowedHosts: readonly string[] };

/**
 * The enabled accounts of `channels.webhook`: the top level is short for `accounts.default`, and what an account leaves out it
 * takes from there.
 */
export function resolveWebhookAccounts(config: WebhookConfig): WebhookAccount[] {
  if (!config.enabled) return [];
  const { accounts, ...shared } = config;
  const own = accounts['default'] === undefined ? { default: {}, ...accounts } : accounts;
  return Object.entries(own)
    .filter(([, { enabled }]) => enabled !== false)
    .map(([accountId, given]) => resolve(accountId, { ...shared, ...given }));
}

function resolve(accountId: string, settings: Omit<WebhookConfig, 'accounts' | 'enabled'>): WebhookAccount {
  const { callbackUrl: url, callbackSecret: secret, callbackHosts: allowedHosts } = settings;
  return {
    accountId,
    isSigned: settings.scheme !== undefined,
    callback: url === undefined || secret === undefined ? undefined : { url, secret, allowedHosts },
    textChunkLimit: settings.textChunkLimit,
    dmPolicy: settings.dmPolicy ?? 'open',
    allowFrom: settings.allowFrom ?? [],
    groupPolicy: 'open',
    groupAllowFrom: [],
    requireMention: false,
    groupHistory: 0,
    groups: new Map(),
  };
}
