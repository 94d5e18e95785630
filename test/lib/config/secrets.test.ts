import { describe, expect, it } from 'vitest';
import { explainLoss } from '../../../lib/config/loss.ts';
import { describeSecret, isSecretPath, mapSecrets, restoreSecrets } from '../../../lib/config/secrets.ts';

describe('a credential of the configuration', () => {
  it.each([
    ['gateway.auth.token', true],
    ['gateway.auth.tokens.0.hash', true],
    ['channels.telegram.accounts.work.botToken', true],
    ['channels.slack.appToken', true],
    ['channels.feishu.encryptKey', true],
    ['providers.openai', true],
    ['providers.openai.apiKey', true],
    ['providers.openai.headers.X-Custom', true],
    ['mcp.servers.files.env.ANYTHING', true],
    ['providers.openai.baseUrl', false],
    ['gateway.auth.mode', false],
    ['session.mainKey', false],
  ])('is known by its name: %s', (path, expected) => {
    expect(isSecretPath(path.split('.'))).toBe(expected);
  });

  it('is shown as set and by its source, never as it is', () => {
    expect(describeSecret('abc')).toEqual({ secret: true, set: true, source: 'config' });
    expect(describeSecret('\x24{MINE}')).toEqual({ secret: true, set: true, source: 'env:MINE' });
    expect(describeSecret('')).toEqual({ secret: true, set: false, source: 'config' });
  });

  it('that comes back as it was shown stands for what it was, also in lists', () => {
    const current = { providers: { a: { apiKey: 'k', headers: { x: 'y' } } }, list: [{ token: 't', name: 'n' }] };
    const shown = mapSecrets(current, describeSecret);
    expect(JSON.stringify(shown)).not.toMatch(/"[kty]"/);
    expect(restoreSecrets(shown, current)).toEqual(current);
  });

  it('that is shown where there is none changes nothing', () => {
    expect(restoreSecrets({ a: { token: describeSecret('x') } }, {})).toEqual({ a: {} });
  });
});

describe('a loss', () => {
  it('is a credential that goes, or a third of many settings', () => {
    const keys = (count: number): Record<string, number> =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, index]));
    expect(explainLoss({ a: { token: 'x' } }, { a: {} })).toContain('a.token');
    expect(explainLoss({ a: { token: 'x' } }, { a: { token: 'y' } })).toBeUndefined();
    expect(explainLoss(keys(20), keys(13))).toContain('7 of 20');
    expect(explainLoss(keys(20), keys(14))).toBeUndefined();
    expect(explainLoss(keys(4), {})).toBeUndefined();
  });
});
