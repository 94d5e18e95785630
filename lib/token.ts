import { hash, randomBytes, timingSafeEqual } from 'node:crypto';

/** Placeholder secrets that are refused in any case (manual "Authentication"). */
const WEAK_SECRETS: ReadonlySet<string> = new Set([
  'change-me-to-a-long-random-token',
  'change-me-now',
  'your-secret-token-here',
  'test-token',
  'my-token',
  'token',
  'secret',
  'password',
  '123456',
  'abc123',
]);

const MIN_TOKEN_LENGTH = 16;

/** A fresh gateway token: 24 random bytes as 48 hexadecimal characters. */
export function generateToken(): string {
  return randomBytes(24).toString('hex');
}

/** Why a token must not be used, or undefined when it may. */
export function explainWeakToken(token: string): string | undefined {
  if (WEAK_SECRETS.has(token.trim().toLowerCase())) return 'is a well-known placeholder';
  if (token.length < MIN_TOKEN_LENGTH) return `has ${token.length} characters, at least ${MIN_TOKEN_LENGTH} are needed`;
  if (/[^\x21-\x7e]/.test(token))
    return 'holds a space, a control character or a non-ASCII character, which HTTP headers cannot carry';
  return undefined;
}

/** Why a password must not be used, or undefined when it may. */
export function explainWeakPassword(password: string): string | undefined {
  if (WEAK_SECRETS.has(password.trim().toLowerCase())) return 'is a well-known placeholder';
  if (password.length < 8) return `has ${password.length} characters, at least 8 are needed`;
  if (/[^\x20-\x7e]/.test(password) || password !== password.trim())
    return 'begins or ends with a space, or holds a control or non-ASCII character, which HTTP headers cannot carry';
  return undefined;
}

/** The printable form of a secret: first and last 8 characters when it has 32 and more, else 2 and 2 (SPEC 1). */
export function maskSecret(secret: string): string {
  const shown = secret.length >= 32 ? 8 : 2;
  return `${secret.slice(0, shown)}...${secret.slice(-shown)}`;
}

/** A short non-reversible name of a secret, for logs and audits (SEC-1). */
export function fingerprint(secret: string): string {
  return `sha256:${sha256(secret).toString('hex').slice(0, 8)}`;
}

/** What a configuration keeps of a token that it must recognize: nothing that could be presented. */
export function hashToken(token: string): string {
  return `sha256:${sha256(token).toString('hex')}`;
}

/** The digest of a secret, by which two are compared whatever their length. */
export function sha256(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}

/** Makes a comparison that takes as long for a wrong secret as for the right one, whatever the length of what is presented. */
export function createSecretMatcher(secret: string): (presented: string) => boolean {
  const expected = sha256(secret);
  return (presented) => timingSafeEqual(expected, sha256(presented));
}
