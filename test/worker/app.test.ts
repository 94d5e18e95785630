import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { OperatorScope } from '../../lib/scopes.ts';
import type { Credential } from '../../worker/identify.ts';
import type { Route, Scope } from '../../worker/routes/route.ts';
import { readEvents, type Served, serveApp, TOKEN } from './served-app.ts';

/** Every route there is, so that a new one is covered as soon as it is listed. */

const PASSWORD = 'canary password 1';
const SCOPES: readonly OperatorScope[] = ['operator.read', 'operator.write', 'operator.admin'];
const RANK: Readonly<Record<Scope, number>> = {
  public: 0,
  'operator.read': 1,
  'operator.write': 2,
  'operator.admin': 3,
};

const named = (scope: OperatorScope): string => `canary-token-of-${scope}`;
const tokens = SCOPES.map((scope) => ({
  name: scope.replace('operator.', 'only-'),
  hash: `sha256:${createHash('sha256').update(named(scope)).digest('hex')}`,
  scopes: [scope],
}));
// The walk presents more wrong credentials than a caller may.
const auth = { tokens, rateLimit: { enabled: false } };

const MODES: Readonly<Record<string, { credential: Credential; secret: string }>> = {
  token: { credential: { mode: 'token', secret: TOKEN, source: 'a file' }, secret: TOKEN },
  password: { credential: { mode: 'password', secret: PASSWORD, source: 'a file' }, secret: PASSWORD },
};

type Expectation = { caller: string; presented: string | undefined; rank: number };

const callersOf = (secret: string): Expectation[] => [
  { caller: 'nobody', presented: undefined, rank: 0 },
  { caller: 'somebody with a wrong credential', presented: `${secret}x`, rank: 0 },
  { caller: 'the owner', presented: secret, rank: 3 },
  ...SCOPES.map((scope, index) => ({ caller: scope, presented: named(scope), rank: index + 1 })),
];

/** Asks a route with parameters that exist nowhere and without a body: what lets the caller in answers something else than a refusal. */
async function ask(app: Served, { method, path }: Route, headers: Record<string, string>): Promise<number> {
  const target = path.replace(/:\w+/g, 'nothing').replace('*', 'nothing');
  const controller = new AbortController();
  const response = await fetch(`${app.url}${target}`, { method, headers, signal: controller.signal });
  // Streams would go on for ever.
  controller.abort();
  return response.status;
}

describe.each(Object.entries(MODES))('in mode %s', (_mode, { credential, secret }) => {
  const serve = (): Promise<Served> => serveApp({ credential, config: { gateway: { auth } } });

  it.each(callersOf(secret))('$caller gets what that allows, of every route', async ({ presented, rank }) => {
    const headers = presented === undefined ? {} : { Authorization: `Bearer ${presented}` };
    const app = await serve();
    expect(app.routes.length).toBeGreaterThan(20);
    for (const route of app.routes) {
      const status = await ask(app, route, headers);
      const needed = RANK[route.scope];
      const refusal = rank === 0 ? 401 : 403;
      const name = `${route.method} ${route.path}`;
      if (needed > rank) expect([name, status]).toEqual([name, refusal]);
      else expect([name, [401, 403, 405, 429].includes(status)]).toEqual([name, false]);
    }
  });

  it('X-Api-Key is the same as Bearer, for every route', async () => {
    const app = await serve();
    for (const route of app.routes) {
      const wanted = [401, 403].includes(await ask(app, route, { 'X-Api-Key': named('operator.write') }));
      expect([route.path, wanted]).toEqual([route.path, RANK[route.scope] > RANK['operator.write']]);
    }
  });
});

describe('in mode none', () => {
  it('everybody who gets past the guards is the owner, of every route', async () => {
    const app = await serveApp({ credential: { mode: 'none' } });
    for (const route of app.routes) {
      for (const headers of [{}, { Authorization: 'Bearer whatever' }]) {
        expect([401, 403, 405, 429]).not.toContain(await ask(app, route, headers));
      }
    }
  });
});

describe('every route, in every mode', () => {
  const guarded: [string, Record<string, string>, number][] = [
    ['a host name of a stranger', { Host: 'evil.example' }, 421],
    ['a host name of a stranger, with the token', { Host: 'evil.example', Authorization: `Bearer ${TOKEN}` }, 421],
    ['an origin of a stranger', { Origin: 'https://evil.example' }, 403],
    [
      'an origin of a stranger, with the token',
      { Origin: 'https://evil.example', Authorization: `Bearer ${TOKEN}` },
      403,
    ],
    ['a rebound page', { Host: 'evil.example', Origin: 'http://evil.example' }, 421],
  ];
  it.each(guarded)('refuses %s', async (_what, headers, status) => {
    for (const credential of [...Object.values(MODES).map((mode) => mode.credential), { mode: 'none' } as const]) {
      const app = await serveApp({ credential });
      for (const { method, path } of [
        // Platforms that push come by a public name and prove themselves in their own way.
        ...app.routes.filter((route) => !route.path.startsWith('/api/webhook/')),
        { method: 'OPTIONS', path: '/api/agent' },
        { method: 'PUT', path: '/nowhere' },
      ]) {
        const target = path.replace(/:\w+/g, 'nothing');
        const lines = Object.entries({ Host: `127.0.0.1:${app.port}`, Connection: 'close', ...headers });
        const text = await app.raw(
          `${method} ${target} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
        );
        expect([method, path, text.slice(0, 12)]).toEqual([method, path, `HTTP/1.1 ${status}`]);
      }
    }
  });

  it('has the security headers, whatever becomes of the request', async () => {
    const app = await serveApp();
    const paths = [
      '/health',
      '/',
      '/assets/console.js',
      '/api/sessions',
      '/api/nowhere',
      '/api/broken',
      '/api/message/%zz',
    ];
    for (const path of paths) {
      for (const headers of [{}, { authorization: '' }, { origin: 'https://evil.example' }]) {
        const answer = await app.call('GET', path, undefined, headers);
        expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
        expect(answer.headers.get('x-frame-options')).toBe('DENY');
        expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
        expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
        expect(answer.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
        expect(answer.headers.get('cache-control')).toMatch(/no-store|no-cache/);
      }
    }
  });
});

describe('a route', () => {
  it('whose scope was forgotten is open to the owner only', async () => {
    const app = await serveApp({ config: { gateway: { auth } } });
    const call = async (token: string): Promise<number> =>
      (await app.call('GET', '/api/forgotten', undefined, { authorization: `Bearer ${token}` })).status;
    expect([await call(named('operator.write')), await call(named('operator.admin')), await call(TOKEN)]).toEqual([
      403, 200, 200,
    ]);
  });

  it('says which scope is missing, and whose', async () => {
    const app = await serveApp({ config: { gateway: { auth } } });
    const answer = await app.call(
      'POST',
      '/api/agent',
      { message: 'x' },
      { authorization: `Bearer ${named('operator.read')}` },
    );
    expect(answer.body).toEqual({
      error: { code: 'FORBIDDEN', message: 'This needs the scope operator.write; "only-read" has operator.read.' },
    });
  });

  it('that fails says nothing of our secrets, in whatever form', async () => {
    const app = await serveApp();
    const { status, text } = await app.call('GET', '/api/telltale');
    expect(status).toBe(502);
    expect(text).toContain('bad key [sha256:');
    expect(text).not.toContain(TOKEN);
  });

  it('that succeeds says nothing of them either, nor does a stream', async () => {
    const app = await serveApp();
    const { body, headers } = await app.call('GET', '/api/chatty');
    expect(body).toEqual({ items: [{ last_error: expect.stringMatching(/bot\[sha256:[0-9a-f]{8}\]\/x$/) }] });
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    const response = await fetch(`${app.url}/api/events`, { headers: { authorization: `Bearer ${TOKEN}` } });
    const events = readEvents(response, 2);
    app.events.publish('channel.status', { lastError: TOKEN });
    expect(JSON.stringify(await events)).toContain('[sha256:');
    expect(JSON.stringify(await events)).not.toContain(TOKEN);
  });
});
