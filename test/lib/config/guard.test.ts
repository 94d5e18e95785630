import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from '../../../lib/config/load.ts';
import type { Config } from '../../../lib/config/schema.ts';
import type { FieldProblem } from '../../../lib/errors.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const HASH = `sha256:${'0'.repeat(64)}`;

function load(gateway: object): Config['gateway'] {
  const path = join(temporaryDirectory(), 'xopc.json');
  writeFileSync(path, JSON.stringify({ gateway }));
  return loadConfig(path, {}).config.gateway;
}

function problemsOf(gateway: object): readonly FieldProblem[] {
  try {
    load(gateway);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('who may reach the API', () => {
  it('is nobody but the owner, at most five wrong tries in a quarter of an hour, when nothing is said', () => {
    expect(load({})).toMatchObject({
      ...{ allowedHosts: [], corsOrigins: [], trustedProxies: [], maxConnections: 2_000 },
      auth: {
        tokens: [],
        rateLimit: { enabled: true, maxAttempts: 5, windowMs: 900_000, blockDurationMs: 300_000 },
      },
    });
  });

  it('is read in any spelling and kept in one', () => {
    const gateway = load({
      allowedHosts: ['GW.Example.', '*.Home.example'],
      corsOrigins: ['https://App.Example.com:443/', 'http://localhost:5173', '*'],
      trustedProxies: [' 10.0.0.0/8 ', '::1'],
      auth: { tokens: [{ name: 'ci', hash: HASH.replace(/0$/, 'F'), scopes: ['operator.read'] }] },
    });
    expect(gateway.allowedHosts).toEqual(['gw.example', '*.home.example']);
    expect(gateway.corsOrigins).toEqual(['https://app.example.com', 'http://localhost:5173', '*']);
    expect(gateway.trustedProxies).toEqual(['10.0.0.0/8', '::1']);
    expect(gateway.auth.tokens[0]?.hash).toMatch(/f$/);
  });

  it.each<[string, object, string]>([
    ['a host with a port', { allowedHosts: ['gw.example:80'] }, 'gateway.allowedHosts.0'],
    ['a host that is an address of a page', { allowedHosts: ['https://gw.example'] }, 'gateway.allowedHosts.0'],
    [
      'an origin with a path',
      { corsOrigins: ['https://app.example.com', 'https://app.example.com/x'] },
      'gateway.corsOrigins.1',
    ],
    ['an origin without a scheme', { corsOrigins: ['app.example.com'] }, 'gateway.corsOrigins.0'],
    ['the origin null', { corsOrigins: ['null'] }, 'gateway.corsOrigins.0'],
    ['a proxy by name', { trustedProxies: ['proxy'] }, 'gateway.trustedProxies.0'],
    ['a block that is none', { trustedProxies: ['10.0.0.0/99'] }, 'gateway.trustedProxies.0'],
    ['no connection at all', { maxConnections: 0 }, 'gateway.maxConnections'],
    ['a limit of no try', { auth: { rateLimit: { maxAttempts: 0 } } }, 'gateway.auth.rateLimit.maxAttempts'],
    ['a window of no time', { auth: { rateLimit: { windowMs: 10 } } }, 'gateway.auth.rateLimit.windowMs'],
    [
      'a token in the place of its hash',
      { auth: { tokens: [{ name: 'ci', hash: 'secret', scopes: ['operator.read'] }] } },
      'gateway.auth.tokens.0.hash',
    ],
    [
      'a token without scope',
      { auth: { tokens: [{ name: 'ci', hash: HASH, scopes: [] }] } },
      'gateway.auth.tokens.0.scopes',
    ],
    [
      'a token of an unknown scope',
      { auth: { tokens: [{ name: 'ci', hash: HASH, scopes: ['root'] }] } },
      'gateway.auth.tokens.0.scopes.0',
    ],
    [
      'two tokens of one name',
      {
        auth: {
          tokens: [
            { name: 'ci', hash: HASH, scopes: ['operator.read'] },
            { name: 'ci', hash: HASH, scopes: ['operator.admin'] },
          ],
        },
      },
      'gateway.auth.tokens',
    ],
  ])('cannot be %s', (_what, gateway, path) => {
    expect(problemsOf(gateway).map((problem) => problem.path)).toEqual([path]);
  });
});
