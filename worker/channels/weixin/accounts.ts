import type { AccountPolicy } from '../../../lib/account-policy.ts';
import type { Config } from '../../../lib/config/schema.ts';

type WeixinConfig = Config['channels']['weixin'];

/** One WeChat bot, complete but for what its login brings. */
export type WeixinAccount = AccountPolicy & {
  accountId: string;
  /** Server that logs in, without a trailing slash; a login may bring another one for everything else. */
  loginBaseUrl: string;
  routeTag: string | undefined;
  /** Longest part of an answer, in UTF-16 units. */
  textChunkLimit: number;
};

/** Some accounts cut what is longer (channels 4.4). */
const DEFAULT_CHUNK = 2_000;

/** The enabled accounts of `channels.weixin`: what an account leaves out it takes from the top level; with none named it is "default". */
export function resolveWeixinAccounts(config: WeixinConfig): WeixinAccount[] {
  if (!config.enabled) return [];
  const { accounts, loginBaseUrl, ...shared } = config;
  const named = Object.entries(accounts);
  const own: typeof named = named.length === 0 ? [['default', {}]] : named;
  return own
    .filter(([, { enabled }]) => enabled !== false)
    .map(([accountId, given]) => {
      const settings = { ...shared, ...given };
      return {
        accountId,
        loginBaseUrl: loginBaseUrl.replace(/\/+$/, ''),
        routeTag: settings.routeTag,
        textChunkLimit: settings.textChunkLimit ?? DEFAULT_CHUNK,
        dmPolicy: settings.dmPolicy ?? 'pairing',
        allowFrom: settings.allowFrom ?? [],
        groupPolicy: 'disabled',
        groupAllowFrom: [],
        requireMention: true,
        groupHistory: 0,
        groups: new Map(),
      };
    });
}
