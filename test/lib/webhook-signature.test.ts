import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  explainStandardSecret,
  isSignedBy,
  readSignature,
  type SignatureScheme,
  signStandard,
} from '../../lib/webhook-signature.ts';

const STANDARD = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const SLACK_BODY = [
  'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar',
  'user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=',
  'response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN',
  'trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c',
].join('&');

type Sample = {
  scheme: SignatureScheme;
  secret: string;
  headers: Record<string, string>;
  body: string;
  /** Seconds. */
  at: number;
};

/** What the authors of the schemes published as examples. */
const PUBLISHED: Record<string, Sample> = {
  'Standard Webhooks': {
    scheme: 'standard',
    secret: STANDARD,
    headers: {
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    },
    body: '{"test": 2432232314}',
    at: 1_614_265_330,
  },
  GitHub: {
    scheme: 'github',
    secret: "It's a Secret to Everybody",
    headers: { 'x-hub-signature-256': 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17' },
    body: 'Hello, World!',
    at: 0,
  },
  Slack: {
    scheme: 'slack',
    secret: '8f742231b10e8888abcd99yyyzzz85a5',
    headers: {
      'x-slack-request-timestamp': '1531420618',
      'x-slack-signature': 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503',
    },
    body: SLACK_BODY,
    at: 1_531_420_618,
  },
  'RFC 4231, case 2': {
    scheme: 'github',
    secret: 'Jefe',
    headers: { 'x-hub-signature-256': 'sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843' },
    body: 'what do ya want for nothing?',
    at: 0,
  },
};

const hex = (secret: string, text: string): string => createHmac('sha256', secret).update(text).digest('hex');

/** Made here, by the rules that the senders document. */
const MADE: Record<string, Sample> = {
  Stripe: {
    scheme: 'stripe',
    secret: 'whsec_bWFueSBhIHNlY3JldCBpcyBrbm93bg==',
    headers: {
      'stripe-signature': `t=1492774577,v1=${hex('another one', 'x')},v1=${hex('whsec_bWFueSBhIHNlY3JldCBpcyBrbm93bg==', '1492774577.{"id":"evt_1"}')},v0=ff`,
    },
    body: '{"id":"evt_1"}',
    at: 1_492_774_577,
  },
  'a program of ones own': {
    scheme: 'hmac',
    secret: 'a secret of sixteen',
    headers: { 'x-timestamp': '1492774577', 'x-signature': hex('a secret of sixteen', '1492774577.{}') },
    body: '{}',
    at: 1_492_774_577,
  },
};

const ALL = Object.entries({ ...PUBLISHED, ...MADE });
const TIMED = ALL.filter(([, { scheme }]) => scheme !== 'github');

function verify(sample: Sample, change: Partial<Sample> = {}): string {
  const { scheme, secret, headers, body, at } = { ...sample, ...change };
  const claim = readSignature(scheme, (name) => headers[name], at * 1_000);
  if ('problem' in claim) return claim.problem;
  return isSignedBy(claim, ['some other secret', secret], Buffer.from(body)) ? 'right' : 'wrong';
}

const changeHeaders = (sample: Sample, change: (value: string) => string): Record<string, string> =>
  Object.fromEntries(Object.entries(sample.headers).map(([name, value]) => [name, change(value)]));

describe('a signature', () => {
  it.each(ALL)('of %s is right', (_name, sample) => {
    expect(verify(sample)).toBe('right');
  });

  it.each(ALL)('of %s is wrong for another body and with another secret', (_name, sample) => {
    expect(verify(sample, { body: `${sample.body} ` })).toBe('wrong');
    expect(verify(sample, { secret: 'whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' })).toBe('wrong');
  });

  it.each(ALL)('of %s has one spelling', (_name, sample) => {
    const upper = changeHeaders(sample, (value) => value.replace(/[0-9a-f]{64}/g, (text) => text.toUpperCase()));
    const respelt = changeHeaders(sample, (value) => value.replace('OE=', 'OF='));
    const bare = changeHeaders(sample, (value) => value.replace('OE=', 'OE'));
    for (const headers of [upper, respelt, bare].filter(
      (given) => JSON.stringify(given) !== JSON.stringify(sample.headers),
    ))
      expect(verify(sample, { headers })).not.toBe('right');
  });

  it.each(TIMED)('of %s is for five minutes', (_name, sample) => {
    expect(verify(sample, { at: sample.at + 299 })).toBe('right');
    expect(verify(sample, { at: sample.at - 299 })).toBe('right');
    expect(verify(sample, { at: sample.at + 301 })).toContain('more than 300 seconds');
    expect(verify(sample, { at: sample.at - 301 })).toContain('more than 300 seconds');
  });

  it.each(TIMED)('of %s is for its time', (_name, sample) => {
    const later = changeHeaders(sample, (value) => value.replace(String(sample.at), String(sample.at + 1)));
    expect(verify(sample, { headers: later })).toBe('wrong');
    const odd = changeHeaders(sample, (value) => value.replace(String(sample.at), `0${sample.at}`));
    expect(verify(sample, { headers: odd })).toContain('not those of the scheme');
  });

  it('that is missing or makes no sense is told from a wrong one', () => {
    expect(readSignature('github', () => undefined)).toEqual({ problem: 'The header x-hub-signature-256 is missing.' });
    expect(readSignature('github', () => 'sha1=abc')).toMatchObject({
      problem: expect.stringContaining('can be read'),
    });
    expect(readSignature('stripe', () => 't=1,t=2,v1=0')).toMatchObject({ problem: expect.any(String) });
  });

  it('is one of several while a secret is changed, but not of any number', () => {
    const sample = PUBLISHED['Standard Webhooks'];
    if (sample === undefined) throw new Error('There is no sample');
    const right = sample.headers['webhook-signature'] ?? '';
    const wrong = `v1,${Buffer.alloc(32).toString('base64')}`;
    const withSignature = (text: string) =>
      verify(sample, { headers: { ...sample.headers, 'webhook-signature': text } });
    expect(withSignature(`v1a,abc ${wrong} ${right}`)).toBe('right');
    expect(withSignature(`${`${wrong} `.repeat(1_000)}${right}`)).toBe('wrong');
  });

  it('of ours is that of Standard Webhooks', () => {
    const body = Buffer.from('{"test": 2432232314}');
    const signed = signStandard(STANDARD, { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timeMs: 1_614_265_330_999, body });
    expect(signed).toEqual(PUBLISHED['Standard Webhooks']?.headers);
  });
});

it('a secret of Standard Webhooks is base64 of 16 bytes or more', () => {
  expect(explainStandardSecret(STANDARD)).toBeUndefined();
  for (const secret of ['whsec_', 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'whsec_c2hvcnQ=', 'whsec_not base64 at all!'])
    expect(explainStandardSecret(secret)).toContain('whsec_');
});
