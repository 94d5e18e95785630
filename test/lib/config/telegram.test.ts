import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildConfigJsonSchema } from '../../../lib/config/json-schema.ts';
import { ConfigError, loadConfig } from '../../../lib/config/load.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

function load(telegram: object) {
  const path = join(temporaryDirectory(), 'xopc.json');
  writeFileSync(path, JSON.stringify({ channels: { telegram } }));
  return loadConfig(path, {});
}

function problemsOf(telegram: object): [string, string][] {
  try {
    load(telegram);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ path, message }) => [path, message]);
    throw error;
  }
  return [];
}

describe('who may write to a bot', () => {
  it('is told by numeric ids, as numbers or text, and by "*"', () => {
    const telegram = {
      allowFrom: [5, '6', '*'],
      groupPolicy: 'open',
      groupAllowFrom: [-100_500, '-7'],
      requireMention: false,
      groups: { '-1001234567890': { enabled: true, requireMention: false, allowFrom: [8] }, '*': { enabled: false } },
      replyToMode: 'all',
      accounts: { work: { groups: { '-5': {} }, groupPolicy: 'disabled' } },
    };
    const { config, warnings } = load(telegram);
    expect(config.channels.telegram).toMatchObject(telegram);
    expect(warnings).toEqual([]);
  });

  it.each([
    [{ allowFrom: ['@ada'] }, 'allowFrom.0'],
    [{ allowFrom: [5, 'ada'] }, 'allowFrom.1'],
    [{ allowFrom: [''] }, 'allowFrom.0'],
    [{ allowFrom: ['5 '] }, 'allowFrom.0'],
    [{ allowFrom: [5.5] }, 'allowFrom.0'],
    [{ allowFrom: [null] }, 'allowFrom.0'],
    [{ groupAllowFrom: ['@team'] }, 'groupAllowFrom.0'],
    [{ groups: { '-5': { allowFrom: ['@ada'] } } }, 'groups.-5.allowFrom.0'],
    [{ groups: { '@team': {} } }, 'groups.@team'],
    [{ accounts: { work: { allowFrom: ['@ada'] } } }, 'accounts.work.allowFrom.0'],
    [{ accounts: { work: { groups: { team: {} } } } }, 'accounts.work.groups.team'],
  ])('is not told by names, which is refused with the reason: %j', (telegram, path) => {
    const why = 'names can be taken by others; use the numeric id, which the log shows when somebody is turned away';
    expect(problemsOf(telegram)).toEqual([[`channels.telegram.${path}`, expect.stringContaining(why)]]);
  });

  it('is refused where a word is none of the known ones, and warned of where a setting is not known', () => {
    const unknown = {
      groupPolicy: 'all',
      replyToMode: 'last',
      requireMention: 'yes',
      groups: { '-5': { enabled: 1 } },
    };
    expect(
      problemsOf(unknown)
        .map(([path]) => path.replace('channels.telegram.', ''))
        .sort(),
    ).toEqual(['groupPolicy', 'groups.-5.enabled', 'replyToMode', 'requireMention']);
    expect(load({ groups: { '-5': { requireMentions: true } } }).warnings).toMatchObject([
      { path: 'channels.telegram.groups.-5.requireMentions', message: expect.stringContaining('"requireMention"') },
    ]);
  });
});

it('every setting of a bot has a description in the JSON Schema', () => {
  const text = JSON.stringify(buildConfigJsonSchema());
  for (const name of ['groupPolicy', 'groupAllowFrom', 'requireMention', 'groups', 'replyToMode', 'allowFrom'])
    expect(text).toMatch(new RegExp(`"${name}":\\{[^{]*"description":|"${name}":\\{.*?"description":`));
});

describe('a setting', () => {
  const webhookUrl = 'https://bot.example/hook';

  it.each([
    [{ webhookUrl: 'bot.example' }, 'webhookUrl', 'begins with https://'],
    [{ webhookUrl: 'ftp://bot.example' }, 'webhookUrl', 'begins with https://'],
    [{ webhookUrl: 'http://bot.example' }, 'webhookUrl', 'https://, which Telegram asks for'],
    [{ webhookUrl, webhookSecret: 'short' }, 'webhookSecret', '16 to 256'],
    [{ webhookUrl, webhookSecret: 'with a space in it' }, 'webhookSecret', '16 to 256'],
    [{ webhookUrl, botToken: '1:a', accounts: { work: {} } }, 'webhookUrl', 'also that of the account "default"'],
    [{ accounts: { a: { webhookUrl }, b: { webhookUrl } } }, 'accounts.b.webhookUrl', 'that of the account "a"'],
    [{ proxy: 'socks5://127.0.0.1:1080' }, 'proxy', 'SOCKS'],
    [{ accounts: { work: { proxy: 'ftp://x' } } }, 'accounts.work.proxy', 'http://'],
    [{ textChunkLimit: 0 }, 'textChunkLimit', ''],
    [{ textChunkLimit: 4_097 }, 'textChunkLimit', ''],
  ])('that cannot work is refused with the reason: %j', (telegram, path, why) => {
    expect(problemsOf(telegram)).toEqual([[`channels.telegram.${path}`, expect.stringContaining(why)]]);
  });

  it.each([
    { webhookUrl, accounts: { work: {} } },
    { webhookUrl: 'https://bot.example', botToken: '1:a', accounts: { work: {} } },
    { webhookUrl: 'http://127.0.0.1:18790', apiRoot: 'http://127.0.0.1:8081' },
    { proxy: 'http://ann:word@proxy.example:3128', accounts: { work: { proxy: 'none' } } },
    { accounts: { a: { webhookUrl }, b: { webhookUrl, enabled: false } } },
  ])('may be %j', (telegram) => {
    expect(problemsOf(telegram)).toEqual([]);
  });
});
