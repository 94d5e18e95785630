import { readFileSync, statSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ConfigInput } from '../../lib/config/schema.ts';
import { ExitError } from '../../lib/errors.ts';
import { resolvePaths } from '../../lib/paths.ts';
import { type CredentialOptions, resolveCredential } from '../../worker/credential.ts';
import { makeTemporaryDirectory } from '../fixtures/programs.ts';
import { createConfig } from './assembled-gateway.ts';

type Auth = NonNullable<NonNullable<ConfigInput['gateway']>['auth']>;

const STRONG = 'a-long-enough-token-123';

function optionsOf(auth: Auth, more: Partial<CredentialOptions> = {}): CredentialOptions {
  const directory = makeTemporaryDirectory();
  onTestFinished(directory.remove);
  const paths = resolvePaths({ XOPC_HOME: directory.path });
  return { config: createConfig({ gateway: { auth } }), env: {}, overrides: {}, paths, isLoopback: true, ...more };
}

function refusalOf(options: CredentialOptions): ExitError {
  try {
    resolveCredential(options);
  } catch (error) {
    expect(error).toBeInstanceOf(ExitError);
    return error as ExitError;
  }
  throw new Error('It was accepted');
}

describe('the credential of mode token', () => {
  it('is generated once and kept for the owner only', () => {
    const options = optionsOf({});
    const first = resolveCredential(options);
    expect(first).toEqual({
      mode: 'token',
      secret: expect.stringMatching(/^[0-9a-f]{48}$/),
      source: options.paths.tokenFile,
    });
    expect(resolveCredential(options)).toEqual(first);
    expect(statSync(options.paths.tokenFile).mode & 0o777).toBe(0o600);
    expect(readFileSync(options.paths.tokenFile, 'utf8').trim()).toBe('secret' in first ? first.secret : '');
  });

  it('names where it was read', () => {
    const fromFile = optionsOf({ token: STRONG });
    expect(resolveCredential(fromFile)).toMatchObject({ secret: STRONG, source: fromFile.paths.configPath });
    expect(resolveCredential(optionsOf({ token: STRONG }, { env: { XOPC_GATEWAY_TOKEN: STRONG } }))).toMatchObject({
      source: 'XOPC_GATEWAY_TOKEN',
    });
    expect(resolveCredential(optionsOf({ token: STRONG }, { overrides: { token: STRONG } }))).toMatchObject({
      source: '--token',
    });
  });

  it.each(['token', 'change-me-now', 'short', 'x'.repeat(15), 'with a space in it 123', 'schlüssel-mit-umlaut'])(
    'is refused when weak: %s',
    (token) => {
      const { exitCode, message, hint } = refusalOf(optionsOf({ token }));
      expect(exitCode).toBe(78);
      expect(`${message}${hint}`).not.toContain(token === 'token' ? 'canary' : token);
    },
  );
});

describe('the credential of mode password', () => {
  it('is the password, with its source', () => {
    expect(resolveCredential(optionsOf({ mode: 'password', password: 'long enough' }))).toMatchObject({
      mode: 'password',
      secret: 'long enough',
    });
    const env = { XOPC_GATEWAY_PASSWORD: 'long enough' };
    expect(resolveCredential(optionsOf({ mode: 'password', password: 'long enough' }, { env }))).toMatchObject({
      source: 'XOPC_GATEWAY_PASSWORD',
    });
  });

  it.each(['', '1234567', 'password'])('is refused when weak: "%s"', (password) => {
    expect(refusalOf(optionsOf({ mode: 'password', password })).exitCode).toBe(78);
  });
});

describe('mode none', () => {
  it.each([
    [true, false, true],
    [true, true, true],
    [false, true, true],
    [false, false, false],
  ])('on loopback %s, allowed beyond it %s: accepted %s', (isLoopback, allowUnauthenticatedNetwork, isAccepted) => {
    const options = optionsOf({ mode: 'none', allowUnauthenticatedNetwork }, { isLoopback });
    if (isAccepted) expect(resolveCredential(options)).toEqual({ mode: 'none' });
    else expect(refusalOf(options)).toMatchObject({ exitCode: 78, hint: expect.stringContaining('loopback') });
  });
});
