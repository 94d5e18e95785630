import { join } from 'node:path';
import type { AccountPolicy } from '../lib/account-policy.ts';
import type { Config } from '../lib/config/schema.ts';
import { ensureGeneratedToken } from '../lib/credential.ts';
import type { Environment } from '../lib/env.ts';
import type { Logger } from '../lib/log.ts';
import type { Paths } from '../lib/paths.ts';
import type { Redactor } from '../lib/redact.ts';
import { createFallbackModel, type FallbackModel } from './agent/fallback-model.ts';
import { createProviders, listProviderSecrets } from './agent/providers/create.ts';
import { createOfflineProvider } from './agent/providers/offline.ts';
import type { Provider } from './agent/providers/provider.ts';
import { createRuns, type Runs } from './agent/runs.ts';
import { assertChannel, createRegistry, defineChannel, type Registry } from './channels/registry.ts';
import { resolveTelegramAccounts } from './channels/telegram/accounts.ts';
import { createTelegramChannel } from './channels/telegram/index.ts';
import { createWebchatChannel } from './channels/webchat.ts';
import { resolveWebhookAccounts } from './channels/webhook/accounts.ts';
import { createWebhookChannel } from './channels/webhook/index.ts';
import { resolveWeixinAccounts } from './channels/weixin/accounts.ts';
import { createCredentialStore } from './channels/weixin/credentials.ts';
import { createWeixinChannel } from './channels/weixin/index.ts';
import { createLogins } from './channels/weixin/logins.ts';
import { type CronService, createCronService } from './cron/index.ts';
import { createEventHub, type EventHub } from './events.ts';
import { createMessagePath, type MessagePath } from './messages/path.ts';
import { openStore, type Store } from './store/index.ts';
import { listSignatureSecrets } from './webhooks/senders.ts';

export type ServicesOptions = {
  config: Config;
  env: Environment;
  paths: Paths;
  /** Names the gateway. */
  instanceId: string;
  /** Names this worker in claims and leases. */
  owner: string;
  redactor: Redactor;
  log: Logger;
  /** The epoch of the lease this worker holds; 0 before it holds one. */
  currentEpoch(): number;
};

export type Services = MessagePath &
  CronService & {
    store: Store;
    events: EventHub;
    runs: Runs;
    registry: Registry;
    providers: ReadonlyMap<string, Provider>;
    fallbackModel: FallbackModel;
    /** Loads in the background what the first turn would wait for. */
    warm(): Promise<void>;
  };

/** Builds everything the worker consists of. The only file that names concrete channels and providers. */
export function createServices(options: ServicesOptions): Services {
  const { config, env, paths, owner, redactor, log } = options;
  const keepWebhookSecret = (accountId: string, configured: string | undefined): string => {
    const secret = configured ?? ensureGeneratedToken(join(paths.credentialsDir, `telegram-webhook-${accountId}`));
    redactor.add(secret);
    return secret;
  };
  const telegramAccounts = config.channels.telegram.enabled
    ? resolveTelegramAccounts(config.channels.telegram, env, keepWebhookSecret)
    : [];
  for (const { botToken, proxy } of telegramAccounts) {
    redactor.add(botToken);
    if (proxy !== undefined && 'secrets' in proxy) for (const secret of proxy.secrets) redactor.add(secret);
  }
  const webhookAccounts = resolveWebhookAccounts(config.channels.webhook);
  for (const secret of [
    ...listSignatureSecrets(config),
    ...webhookAccounts.flatMap(({ callback }) => callback?.secret ?? []),
  ])
    redactor.add(secret);
  const weixinAccounts = resolveWeixinAccounts(config.channels.weixin);
  const credentials = createCredentialStore(paths.credentialsDir, redactor.add);
  for (const { accountId } of weixinAccounts) credentials.read(accountId);
  const logins = createLogins({
    accounts: weixinAccounts,
    credentials,
    onLogin: () =>
      void registry.restart('weixin').catch((error: unknown) => log.info({ err: error }, 'weixin: not restarted here')),
    log,
  });
  for (const secret of listProviderSecrets(config.providers, env)) redactor.add(secret);
  const remote = createProviders(config.providers, env);
  const providers = new Map<string, Provider>([...remote, ['offline', createOfflineProvider()]]);
  const store = openStore({
    path: paths.databaseFile,
    durability: config.store.durability,
    onCorrupt: (what) => log.error({ what }, 'A stored message cannot be read; it was set aside'),
  });

  const events = createEventHub();
  const runs = createRuns();
  const holder = { stateDir: paths.stateDir, instanceId: options.instanceId };
  const factories = [
    defineChannel(createWebchatChannel),
    ...(telegramAccounts.length > 0
      ? [defineChannel(() => createTelegramChannel(telegramAccounts, undefined, holder))]
      : []),
    ...(webhookAccounts.length > 0 ? [defineChannel(() => createWebhookChannel(webhookAccounts))] : []),
    ...(weixinAccounts.length > 0
      ? [defineChannel(() => createWeixinChannel({ accounts: weixinAccounts, credentials, logins }))]
      : []),
  ];
  const {
    channelConnectDeferMode: mode,
    channelConnectDeferIds: ids,
    channelConnectDeferSkipIds: skipIds,
  } = config.gateway;
  const registry: Registry = createRegistry({
    factories,
    defer: { mode, ids, skipIds },
    async receive(channel, accountId, messages, cursor) {
      await path.inbound.receive({
        channel,
        accountId,
        messages,
        ...(cursor === undefined ? {} : { cursor, epoch: options.currentEpoch() }),
      });
    },
    readCursor: (channel, accountId) => store.inbox.cursor(channel, accountId),
    onStatus(channel, status) {
      events.publish('channel.status', { channel, ...status });
      const { accountId, state, lastError = '' } = status;
      if (state === 'conflict' || state === 'login-needed' || state === 'down')
        path.alerts.tell(
          `${channel}/${accountId}/${state}`,
          `${channel}/${accountId} is in the state "${state}": ${lastError}`,
        );
    },
    log,
  });
  const fallbackModel = createFallbackModel({ providers, canDetect: remote.size === 0, env, log });
  const policies = new Map<string, AccountPolicy>([
    ['webchat/default', OWNERS_ONLY],
    ...telegramAccounts.map((account) => [`telegram/${account.accountId}`, account] as const),
    ...webhookAccounts.map((account) => [`webhook/${account.accountId}`, account] as const),
    ...weixinAccounts.map((account) => [`weixin/${account.accountId}`, account] as const),
  ]);
  const policyOf = (channel: string, accountId: string): AccountPolicy =>
    withOwner(policies.get(`${channel}/${accountId}`) ?? CLOSED, channel, accountId);
  /** Who scanned the QR code of a bot is its owner. */
  const withOwner = (policy: AccountPolicy, channel: string, accountId: string): AccountPolicy => {
    const userId = channel === 'weixin' ? credentials.read(accountId)?.userId : undefined;
    return userId === undefined ? policy : { ...policy, allowFrom: [...policy.allowFrom, userId] };
  };
  const path: MessagePath = createMessagePath({
    config,
    store,
    events,
    runs,
    carrier: registry,
    providers,
    fallbackModel: fallbackModel.find,
    policyOf,
    filesDir: paths.filesDir,
    owner,
    log,
  });

  const cron = createCronService({
    ...path,
    config,
    store,
    events,
    runs,
    workspaceDir: paths.workspaceDir,
    assertChannel: (id) => assertChannel(registry, id),
    log,
  });

  return {
    store,
    events,
    runs,
    registry,
    ...path,
    providers,
    ...cron,
    fallbackModel,
    warm: () => warm(remote.values(), fallbackModel),
  };
}

/** Throws for settings that are valid, but that no service could be built with, such as a provider that nobody knows. */
export function verifyServices({ channels, providers }: Config, env: Environment): void {
  createProviders(providers, env);
  // No secret is kept for settings that may never be used.
  if (channels.telegram.enabled) resolveTelegramAccounts(channels.telegram, env, () => 'not-kept');
}

/** An account without settings lets nobody in. */
const CLOSED: AccountPolicy = {
  dmPolicy: 'disabled',
  allowFrom: [],
  groupPolicy: 'disabled',
  groupAllowFrom: [],
  requireMention: true,
  groupHistory: 0,
  groups: new Map(),
};

/** Only who has the gateway's credential brings a message of the console. */
const OWNERS_ONLY: AccountPolicy = { ...CLOSED, dmPolicy: 'open' };

async function warm(providers: Iterable<Provider>, fallbackModel: FallbackModel): Promise<void> {
  await import('koa-body');
  await Promise.all([...providers].map((provider) => provider.warm?.()));
  await fallbackModel.find();
}
