import { describe, expect, it } from 'vitest';
import { createRedactor } from '../../lib/redact.ts';
import { fingerprint } from '../../lib/token.ts';

const SECRET = 'canary/"quoted"+ß=secret';

describe('the redactor', () => {
  it.each([
    ['as it is', SECRET],
    ['in a URL', encodeURIComponent(SECRET)],
    ['in JSON', JSON.stringify(SECRET)],
    ['in base64', Buffer.from(SECRET).toString('base64')],
    ['in base64 without padding', Buffer.from(SECRET).toString('base64').replace(/=+$/, '')],
    ['in a URL with small letters', encodeURIComponent(SECRET).replace(/%[0-9A-F]{2}/g, (part) => part.toLowerCase())],
    ['in base64url', Buffer.from(SECRET).toString('base64url')],
  ])('takes a secret out of a text %s, wherever and how often it stands', (_how, form) => {
    const redactor = createRedactor();
    redactor.add(SECRET);
    const text = redactor.redact(`before ${form} between ${form}`);
    expect(text).not.toContain('canary');
    expect(text).not.toContain(form);
    expect(text).toContain(`before`);
    expect(text.split(fingerprint(SECRET))).toHaveLength(3);
  });

  it.each(['', 'u', 'us', 'use', 'user:'])(
    'takes it out of the base64 of a longer text that begins with "%s"',
    (before) => {
      const redactor = createRedactor();
      redactor.add(SECRET);
      const text = redactor.redact(`Basic ${Buffer.from(`${before}${SECRET} and more`).toString('base64')}`);
      expect(text).toContain(fingerprint(SECRET));
      const rest = text.replace(`[${fingerprint(SECRET)}]`, '').slice('Basic '.length);
      expect(Buffer.from(rest, 'base64').toString('latin1')).not.toMatch(/can|ary|quoted|secr/);
    },
  );

  it('knows many secrets, also those that are the beginning of another', () => {
    const redactor = createRedactor();
    for (const secret of ['canary-1', 'canary-1-and-more', 'other-secret']) redactor.add(secret);
    const text = redactor.redact('canary-1-and-more canary-1 other-secret');
    expect(text).toBe(
      ['canary-1-and-more', 'canary-1', 'other-secret'].map((secret) => `[${fingerprint(secret)}]`).join(' '),
    );
  });

  it.each([undefined, '', 'short'])('leaves text alone for %j, which is no secret', (secret) => {
    const redactor = createRedactor();
    redactor.add(secret);
    expect(redactor.redact('a short text')).toBe('a short text');
  });

  it('takes any secret, also one that no URL can carry', () => {
    const redactor = createRedactor();
    redactor.add('broken-\ud800-secret');
    expect(redactor.redact('x broken-\ud800-secret')).not.toContain('broken');
  });
});
