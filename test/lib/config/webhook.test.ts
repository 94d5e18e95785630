import * as v from 'valibot';
import { expect, it } from 'vitest';
import { findWebhookContradictions, webhook } from '../../../lib/config/webhook.ts';

const SECRET = `whsec_${Buffer.alloc(24, 'x').toString('base64')}`;
const PLAIN = 'a secret of sixteen';

const problems = (input: v.InferInput<typeof webhook>): string[] =>
  findWebhookContradictions(v.parse(webhook, input)).map(({ path, message }) => `${path} ${message}`);

it('a scheme and secrets come together', () => {
  expect(problems({})).toEqual([]);
  expect(problems({ scheme: 'github', secrets: [PLAIN] })).toEqual([]);
  expect(problems({ scheme: 'github' })).toEqual([expect.stringContaining('channels.webhook has only one')]);
  expect(problems({ accounts: { a: { secrets: [PLAIN] } } })).toEqual([
    expect.stringContaining('channels.webhook.accounts.a has only one'),
  ]);
});

it('the standard has secrets of its own form', () => {
  expect(problems({ scheme: 'standard', secrets: [SECRET] })).toEqual([]);
  expect(problems({ scheme: 'standard', secrets: [SECRET, PLAIN] })).toEqual([
    expect.stringContaining('channels.webhook.secrets.1 must be "whsec_"'),
  ]);
});

it('answers are posted only with a signature', () => {
  const callbackUrl = 'https://example.org/answers';
  expect(problems({ callbackUrl, callbackSecret: SECRET })).toEqual([]);
  expect(problems({ callbackUrl })).toEqual([expect.stringContaining('channels.webhook.callbackSecret is needed')]);
  expect(problems({ callbackSecret: SECRET, accounts: { a: { callbackUrl } } })).toEqual([]);
  expect(problems({ callbackSecret: PLAIN })).toEqual([expect.stringContaining('callbackSecret must be "whsec_"')]);
});

it.each([
  [{ scheme: 'md5' }],
  [{ secrets: ['short'] }],
  [{ secrets: [] }],
  [{ callbackUrl: 'file:///etc/passwd' }],
  [{ callbackHosts: ['http://x'] }],
])('%j is refused', (input) => {
  expect(v.safeParse(webhook, input).success).toBe(false);
});
