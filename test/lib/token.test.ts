import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { explainWeakPassword, explainWeakToken, fingerprint, generateToken, maskSecret } from '../../lib/token.ts';

describe('a generated token', () => {
  it('is 48 hexadecimal characters, different each time, and strong', () => {
    const tokens = Array.from({ length: 20 }, generateToken);
    expect(new Set(tokens).size).toBe(20);
    for (const token of tokens) {
      expect(token).toMatch(/^[0-9a-f]{48}$/);
      expect(explainWeakToken(token)).toBeUndefined();
    }
  });
});

describe('a token', () => {
  it.each([
    'change-me-to-a-long-random-token',
    ' Change-Me-To-A-Long-Random-Token ',
    'token',
    'SECRET',
    '',
    'fifteen-letters',
    'has a space in it',
    'tab\tin-the-middle-of',
    'ümlaut-ümlaut-ümlaut',
    'newline-at-the-end\n',
  ])('%j is weak', (token) => {
    expect(explainWeakToken(token)).toEqual(expect.any(String));
  });

  it('of 16 and more visible ASCII characters may be used', () => {
    expect(explainWeakToken('sixteen-letters!')).toBeUndefined();
  });
});

describe('a password', () => {
  it.each([
    ['password', false],
    ['PassWord', false],
    ['1234567', false],
    ['12345678', true],
    ['mit Leerzeichen drin', true],
    ['mit Umlaut wie ü', false],
  ])('%s may be used: %s', (password, isFine) => {
    expect(explainWeakPassword(password) === undefined).toBe(isFine);
  });
});

describe('the mask of a secret', () => {
  it('shows 8 characters of each end from 32 on, else 2', () => {
    expect(maskSecret('0123456789abcdef0123456789abcdef')).toBe('01234567...89abcdef');
    expect(maskSecret('0123456789abcdef0123456789abcde')).toBe('01...de');
  });

  it('never shows all of it', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 5, maxLength: 100 }), (secret) => {
        expect(maskSecret(secret).replace('...', '').length).toBeLessThan(secret.length);
      }),
    );
  });
});

describe('a fingerprint', () => {
  it('is short, the same for the same secret, and another for another', () => {
    expect(fingerprint('canary')).toMatch(/^sha256:[0-9a-f]{8}$/);
    expect(fingerprint('canary')).toBe(fingerprint('canary'));
    expect(fingerprint('canary')).not.toBe(fingerprint('canary2'));
  });
});
