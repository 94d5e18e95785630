import { describe, expect, it } from 'vitest';
import { judgeOrigin, type OriginVerdict } from '../../../worker/middleware/origin.ts';
import type { Client } from '../../../worker/middleware/state.ts';
import { serveApp, TOKEN } from '../served-app.ts';

const DIRECT: Client = { address: '127.0.0.1', via: 'direct', forwardedProto: undefined, forwardedHost: undefined };
const LAN: Client = { ...DIRECT, address: '192.168.1.9' };
const TLS: Client = { ...LAN, via: 'trusted-proxy', forwardedProto: 'https', forwardedHost: 'gw.example' };
const SILENT: Client = { ...TLS, forwardedProto: undefined };
const UNKNOWN: Client = { ...DIRECT, via: 'unknown-proxy' };

/** Origin and host, as code-server#6161 has them, and those around them. */
const MATRIX: readonly [origin: string, host: string, client: Client, verdict: OriginVerdict][] = [
  ['http://localhost:18790', 'localhost:18790', DIRECT, 'own'],
  ['http://LOCALHOST:18790', 'localhost:18790', DIRECT, 'own'],
  ['http://192.168.1.5:18790', '192.168.1.5:18790', LAN, 'own'],
  ['http://[::1]:18790', '[::1]:18790', DIRECT, 'own'],
  ['https://gw.example', 'gw.example:443', TLS, 'own'],
  ['https://gw.example:443', 'gw.example', TLS, 'own'],
  ['https://GW.Example', 'gw.example', TLS, 'own'],
  ['http://gw.example', 'gw.example', TLS, 'refused'],
  ['https://gw.example:8443', 'gw.example', TLS, 'refused'],
  ['https://gw.example', 'gw.example:8443', TLS, 'refused'],
  ['https://gw.example:8443', 'gw.example:8443', TLS, 'own'],
  ['http://gw.example', 'gw.example:80', SILENT, 'own'],
  ['https://gw.example', 'gw.example:443', SILENT, 'own'],
  ['https://gw.example', 'gw.example', UNKNOWN, 'own'],
  ['https://gw.example', '127.0.0.1:18790', UNKNOWN, 'refused'],
  ['https://evil.example', 'localhost:18790', DIRECT, 'refused'],
  ['http://localhost.evil.example', 'localhost:18790', DIRECT, 'refused'],
  ['http://localhost:5173', 'localhost:18790', DIRECT, 'local'],
  ['http://127.0.0.1:5173', '127.0.0.1:18790', DIRECT, 'local'],
  ['http://[::1]:5173', 'localhost:18790', DIRECT, 'local'],
  ['http://localhost:5173', '192.168.1.5:18790', LAN, 'refused'],
  ['http://localhost:5173', 'localhost:18790', UNKNOWN, 'refused'],
  ['http://localhost:5173', 'localhost:18790', LAN, 'refused'],
  ['https://app.example.com', 'localhost:18790', DIRECT, 'listed'],
  ['https://APP.example.com:443', 'localhost:18790', DIRECT, 'listed'],
  ['http://app.example.com', 'localhost:18790', DIRECT, 'refused'],
  ['https://app.example.com.evil.example', 'localhost:18790', DIRECT, 'refused'],
  ['https://sub.app.example.com', 'localhost:18790', DIRECT, 'refused'],
  ['null', 'localhost:18790', DIRECT, 'opaque'],
  ['https://', 'localhost:18790', DIRECT, 'refused'],
  ['localhost:18790', 'localhost:18790', DIRECT, 'refused'],
  ['', 'localhost:18790', DIRECT, 'refused'],
];

describe('an origin', () => {
  it.each(MATRIX)('%s, asking for %s, is judged (ORIGIN-2)', (origin, host, client, verdict) => {
    const rules = { corsOrigins: ['https://app.example.com'], isOpen: false };
    expect(judgeOrigin({ origin, host, client, method: 'POST' }, rules)).toBe(verdict);
  });

  it('that is opaque may change nothing where no credential is asked for', () => {
    const judge = (method: string): OriginVerdict =>
      judgeOrigin({ origin: 'null', host: 'localhost', client: DIRECT, method }, { corsOrigins: [], isOpen: true });
    expect(['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS'].map(judge)).toEqual([
      'opaque',
      'opaque',
      'refused',
      'refused',
      'refused',
    ]);
  });
});

const APP = 'https://app.example.com';
const gateway = { corsOrigins: [APP] };

describe('a page', () => {
  it.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])(
    'of a declared origin may ask beforehand for %s, without a credential',
    async (method) => {
      const { call } = await serveApp({ config: { gateway } });
      const answer = await call('OPTIONS', '/api/anything', undefined, {
        authorization: '',
        origin: APP,
        'access-control-request-method': method,
        'access-control-request-headers': 'authorization,content-type',
        'access-control-request-private-network': 'true',
      });
      expect(answer.status).toBe(204);
      expect(answer.text).toBe('');
      expect(answer.headers.get('access-control-allow-origin')).toBe(APP);
      expect(answer.headers.get('access-control-allow-methods')).toContain(method);
      expect(answer.headers.get('access-control-allow-headers')?.toLowerCase()).toContain('authorization');
      expect(answer.headers.get('access-control-allow-private-network')).toBe('true');
      expect(answer.headers.get('vary')).toContain('Origin');
    },
  );

  it('of a declared origin can read answers, also refusals', async () => {
    const { call } = await serveApp({ config: { gateway } });
    for (const [headers, status] of [
      [{}, 200],
      [{ authorization: 'Bearer wrong' }, 401],
    ] as const) {
      const answer = await call('GET', '/api/sessions', undefined, { origin: APP, ...headers });
      expect(answer.status).toBe(status);
      expect(answer.headers.get('access-control-allow-origin')).toBe(APP);
      expect(answer.headers.get('access-control-expose-headers')).toContain('Retry-After');
    }
  });

  it('of this gateway needs no declaration', async () => {
    const { call, url } = await serveApp();
    const answer = await call('POST', '/api/agent', { message: 'hello' }, { origin: url });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('of a stranger is refused, told what was seen and the one line that would allow it, and may not ask beforehand (ORIGIN-3)', async () => {
    const { call, port } = await serveApp();
    const origin = 'https://Evil.example:443';
    for (const method of ['GET', 'POST', 'OPTIONS']) {
      const answer = await call(method, '/api/sessions', undefined, {
        origin,
        'access-control-request-method': 'POST',
      });
      expect(answer.status).toBe(403);
      expect(answer.text).toContain('\\"corsOrigins\\": [\\"https://evil.example\\"]');
      expect(answer.text).toContain(`127.0.0.1:${port}`);
      expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  it('without an origin of its own gets no leave to read', async () => {
    const { call } = await serveApp();
    const answer = await call('GET', '/api/sessions', undefined, { origin: 'null' });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    const asked = await call('OPTIONS', '/api/sessions', undefined, {
      authorization: '',
      origin: 'null',
      'access-control-request-method': 'GET',
    });
    expect(asked.status).toBe(401);
  });

  it('of any origin may call where "*" says so, but without what a browser adds by itself', async () => {
    const { call } = await serveApp({ config: { gateway: { corsOrigins: ['*'] } } });
    const answer = await call('GET', '/api/sessions', undefined, { origin: 'https://any.example' });
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://any.example');
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
  });

  it('behind a declared TLS proxy is of our own origin when the proxy says so', async () => {
    const { call } = await serveApp({
      config: { gateway: { trustedProxies: ['127.0.0.1'], allowedHosts: ['gw.example'] } },
    });
    const headers = {
      origin: 'https://gw.example',
      'x-forwarded-host': 'gw.example',
      'x-forwarded-proto': 'https',
      'x-forwarded-for': '192.0.2.1',
    };
    expect((await call('GET', '/api/sessions', undefined, headers)).status).toBe(200);
    expect((await call('GET', '/api/sessions', undefined, { ...headers, 'x-forwarded-proto': 'http' })).status).toBe(
      403,
    );
  });

  it('cannot make a stranger of the token (ClawJacked): guesses from another local port are limited', async () => {
    const { call } = await serveApp();
    const page = { origin: 'http://localhost:5173', authorization: 'Bearer guess' };
    const codes: number[] = [];
    for (let tries = 0; tries < 6; tries += 1) codes.push((await call('GET', '/api/sessions', undefined, page)).status);
    expect(codes).toEqual([401, 401, 401, 401, 401, 429]);
    expect((await call('GET', '/api/sessions', undefined, { authorization: `Bearer ${TOKEN}` })).status).toBe(200);
  });
});
