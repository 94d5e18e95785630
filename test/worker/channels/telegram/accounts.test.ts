import * as v from 'valibot';
import { expect, it } from 'vitest';
import { type ConfigInput, configSchema } from '../../../../lib/config/schema.ts';
import { resolveTelegramAccounts } from '../../../../worker/channels/telegram/accounts.ts';

type TelegramInput = NonNullable<ConfigInput['channels']>['telegram'];

const keepSecret = (accountId: string, configured = `made for ${accountId}`): string => configured;

function resolve(telegram: TelegramInput, env: Record<string, string> = {}) {
  return resolveTelegramAccounts(v.parse(configSchema, { channels: { telegram } }).channels.telegram, env, keepSecret);
}

it('has no account unless the channel is enabled', () => {
  expect(resolve({ botToken: '1:a' }, { TELEGRAM_BOT_TOKEN: '1:b' })).toEqual([]);
});

it('takes the top level as the account "default", complete', () => {
  expect(resolve({ enabled: true, botToken: '1:a', allowFrom: [5, '6'] })).toEqual([
    {
      accountId: 'default',
      botToken: '1:a',
      apiRoot: 'https://api.telegram.org',
      dmPolicy: 'pairing',
      allowFrom: ['5', '6'],
      groupPolicy: 'allowlist',
      groupAllowFrom: [],
      requireMention: true,
      groupHistory: 50,
      groups: new Map(),
      streamMode: 'partial',
      sendRate: 25,
      tokenPath: 'channels.telegram.botToken or TELEGRAM_BOT_TOKEN',
    },
  ]);
});

it('gives each account the webhook and the longest part that it or the channel names', () => {
  const [main, work, home] = resolve({
    ...{ enabled: true, botToken: '1:a', webhookUrl: 'https://bot.example', textChunkLimit: 900 },
    accounts: {
      work: { botToken: '2:b', textChunkLimit: 100 },
      home: { botToken: '3:c', webhookUrl: 'https://home.example/hook', webhookSecret: 'a-secret-of-its-own' },
    },
  });
  expect([main, work, home].map((account) => [account?.webhook?.url, account?.webhook?.readSecret()])).toEqual([
    ['https://bot.example/api/webhook/telegram/default', 'made for default'],
    ['https://bot.example/api/webhook/telegram/work', 'made for work'],
    ['https://home.example/hook', 'a-secret-of-its-own'],
  ]);
  expect([main, work, home].map((account) => account?.textChunkLimit)).toEqual([900, 100, 900]);
});

it('takes the token from the environment for the account "default" only', () => {
  const env = { TELEGRAM_BOT_TOKEN: '1:env' };
  expect(resolve({ enabled: true }, env).map((account) => account.botToken)).toEqual(['1:env']);
  expect(resolve({ enabled: true, botToken: '1:own' }, env)[0]?.botToken).toBe('1:own');
  const [first, second] = resolve({ enabled: true, accounts: { work: {} } }, env);
  expect(first).toMatchObject({ accountId: 'default', botToken: '1:env' });
  expect(second).toMatchObject({ accountId: 'work', botToken: undefined });
  expect(second?.tokenPath).toBe('channels.telegram.accounts.work.botToken');
});

it('lets accounts inherit everything but the token, and override it', () => {
  const accounts: NonNullable<TelegramInput>['accounts'] = {
    work: { botToken: '2:b' },
    home: { botToken: '3:c', dmPolicy: 'open', allowFrom: ['*'] },
  };
  const [work, home, ...more] = resolve({
    enabled: true,
    dmPolicy: 'allowlist',
    allowFrom: [7],
    apiRoot: 'http://local/',
    accounts,
  });
  expect(more).toEqual([]);
  expect(work).toMatchObject({ botToken: '2:b', dmPolicy: 'allowlist', allowFrom: ['7'], apiRoot: 'http://local' });
  expect(home).toMatchObject({ botToken: '3:c', dmPolicy: 'open', allowFrom: ['*'] });
});

it('lets an account overrule what is shared about groups, setting by setting', () => {
  const [, work, home] = resolve({
    enabled: true,
    botToken: '1:a',
    groupPolicy: 'disabled',
    groupAllowFrom: [7],
    requireMention: false,
    groups: { '-5': { allowFrom: [8] }, '*': { enabled: false } },
    replyToMode: 'all',
    accounts: {
      work: { botToken: '2:b' },
      home: {
        botToken: '3:c',
        groupPolicy: 'open',
        groupAllowFrom: ['*'],
        requireMention: true,

        groups: { '-6': {} },
        replyToMode: 'off',
      },
    },
  });
  expect(work).toMatchObject({ groupPolicy: 'disabled', groupAllowFrom: ['7'], requireMention: false });
  expect(work).toMatchObject({ replyToMode: 'all' });
  expect([...(work?.groups ?? [])]).toEqual([
    ['-5', { allowFrom: ['8'] }],
    ['*', { enabled: false }],
  ]);
  expect(home).toMatchObject({
    groupPolicy: 'open',
    groupAllowFrom: ['*'],
    requireMention: true,
    groupHistory: 50,
    replyToMode: 'off',
  });
  expect([...(home?.groups ?? [])]).toEqual([['-6', {}]]);
});

it('leaves out disabled accounts, also the one called "default"', () => {
  const accounts = { work: { botToken: '2:b', enabled: false }, default: { enabled: false } };
  expect(resolve({ enabled: true, botToken: '1:a', accounts })).toEqual([]);
});

it('keeps an account without a token, so that its status can say what is missing', () => {
  expect(resolve({ enabled: true })[0]?.botToken).toBeUndefined();
});
