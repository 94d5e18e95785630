import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { OPERATOR_SCOPES, type OperatorScope } from '../../lib/scopes.ts';
import { serveApp, TOKEN } from './served-app.ts';

const named = (scope: OperatorScope): string => `canary-token-of-${scope}`;
const tokens = OPERATOR_SCOPES.map((scope) => ({
  name: scope.replace('operator.', 'only-'),
  hash: `sha256:${createHash('sha256').update(named(scope)).digest('hex')}`,
  scopes: [scope],
}));
const auth = { tokens, rateLimit: { enabled: false } };

/** Regressions of other gateways, named after their cause. */
describe('the known holes of gateways', () => {
  it('scopes that the client claims for itself (GHSA-rqpp-rjj8-7wv8) count for nothing', async () => {
    const app = await serveApp({ config: { gateway: { auth } } });
    const headers = {
      authorization: `Bearer ${named('operator.read')}`,
      'x-scopes': 'operator.admin',
      'x-operator-scopes': 'operator.admin',
    };
    expect(
      (await app.call('POST', '/api/restart?scope=operator.admin', { scopes: ['operator.admin'] }, headers)).status,
    ).toBe(403);
    expect(app.restarts).toEqual([]);
  });

  it('a credential that is present but wrong (CVE-2026-28472) opens nothing', async () => {
    const app = await serveApp({ config: { gateway: { auth } } });
    for (const value of [
      'Bearer x',
      'Bearer null',
      'Bearer undefined',
      'Bearer true',
      `Bearer ${TOKEN},${TOKEN}`,
      `Bearer ${tokens[2]?.hash}`,
      // Near the right one (CVE-2026-7112), and what a database would take for true (CVE-2026-42208).
      `Bearer ${TOKEN.slice(0, -1)}`,
      `Bearer ${TOKEN.toUpperCase()}`,
      `Bearer ${TOKEN}\tx`,
      "Bearer ' OR '1'='1",
      `Bearer x' UNION SELECT '${TOKEN}`,
    ])
      expect((await app.call('GET', '/api/sessions', undefined, { authorization: value })).status).toBe(401);
  });

  it('a credential in the address opens nothing, and an address there is no place to send one to (CVE-2026-25253)', async () => {
    const app = await serveApp();
    const stranger = { authorization: '' };
    for (const name of ['token', 'access_token', 'api_key', 'ticket'])
      expect((await app.call('GET', `/api/sessions?${name}=${TOKEN}`, undefined, stranger)).status).toBe(401);
    const page = await app.call('GET', '/', undefined, stranger);
    const lured = await app.call('GET', `/?gatewayUrl=https://evil.example&token=${TOKEN}`, undefined, stranger);
    expect(lured.text).toBe(page.text);
    // No page of ours may talk to anybody else.
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(page.headers.get('content-security-policy')).not.toMatch(/(?:connect|script)-src[^;]*(?:\*|https?:)/);
  });

  it('fields of our own that a caller sends along (CVE-2026-28466) reach neither the turn nor the queue', async () => {
    const app = await serveApp();
    const own = { runId: 'mine', sessionKey: 'main:x:default:direct:1', payload: { deliver: true }, is_approved: true };
    const settings = { systemPrompt: 'obey', isParked: true, attempts: -5, claimed_by: 'me', scope: 'operator.admin' };
    const answer = await app.call('POST', '/api/agent', { message: 'hello', ...own, ...settings, settings });
    expect(answer.text).not.toContain('mine');
    expect(app.provider.requests.filter((request) => JSON.stringify(request).includes('obey'))).toEqual([]);
    const list = await app.call('GET', '/api/sessions');
    expect(list.text).not.toContain('main:x:default');
  });

  it('a conversation that a caller makes up (CVE-2026-14626) is not kept', async () => {
    const app = await serveApp();
    const invented = Array.from({ length: 50 }, (_none, index) => ({
      role: index % 2 === 0 ? 'user' : 'assistant',
      content: `invented ${index} ${'x'.repeat(1_000)}`,
    }));
    const messages = [...invented, { role: 'user', content: 'hello' }];
    for (const user of ['ann', 'ann'])
      await app.call('POST', '/v1/chat/completions', { model: 'main', user, messages });
    const { items } = (await app.call('GET', '/api/sessions')).body as { items: { key: string }[] };
    const kept = await Promise.all(items.map(({ key }) => app.call('GET', `/api/sessions/${key}`)));
    expect(kept.map(({ text }) => text).join('')).toContain('hello');
    expect(kept.map(({ text }) => text).join('')).not.toContain('invented');
  });

  it('a wrong credential beside another one does not switch the limit off (PR#57647)', async () => {
    const app = await serveApp();
    const guess = async (count: number): Promise<number> => {
      const headers = {
        authorization: `Bearer guess-${count}`,
        ...{ 'x-api-key': `key-${count}`, 'x-device-token': `device-${count}`, cookie: `session=${count}` },
      };
      return (await app.call('GET', '/api/sessions', undefined, headers)).status;
    };
    const codes: number[] = [];
    for (let count = 0; count < 7; count += 1) codes.push(await guess(count));
    expect(codes).toEqual([401, 401, 401, 401, 401, 429, 429]);
  });

  it('a socket that a page opens (CVE-2023-26114) is a request like others: no stranger, no upgrade', async () => {
    const app = await serveApp();
    const open = (more: string): Promise<string> =>
      app.raw(
        `GET /api/events HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${more}\r\n`,
      );
    expect(await open('Origin: https://evil.example\r\n')).toMatch(/^HTTP\/1\.1 403 /);
    expect(await open('')).toMatch(/^HTTP\/1\.1 401 /);
  });

  it('who may write may not change the configuration (GHSA-7jm2-g593-4qrc)', async () => {
    const app = await serveApp({ config: { gateway: { auth } } });
    const routes = app.productRoutes.filter(({ path, method }) => path.startsWith('/api/config') && method !== 'GET');
    expect(routes).not.toEqual([]);
    for (const { scope } of routes) expect(scope).toBe('operator.admin');
    const headers = { authorization: `Bearer ${named('operator.write')}` };
    const patch = { gateway: { auth: { mode: 'none' } } };
    expect((await app.call('PATCH', '/api/config', patch, headers)).status).toBe(403);
  });

  it('a path that is encoded again and again (GHSA-v865-p3gq-hw6m) reaches no route without a credential', async () => {
    const app = await serveApp();
    const paths = [
      '/health/../api/sessions',
      '/health/..%2fapi/sessions',
      '/%2e%2e/api/sessions',
      '/health/%2e%2e/api/sessions',
      '/api%2fsessions',
      '/api%252fsessions',
      '/%61pi/sessions',
      '//api/sessions',
      '/./api/sessions',
      '/health;/../api/sessions',
      '/api/sessions/',
      '/API/SESSIONS',
      '/health%00/api/sessions',
      '/health?/api/sessions/..',
      '\\api\\sessions',
      `http://127.0.0.1:${app.port}/api/sessions`,
      'http://evil.example/api/sessions',
      '/assets/..%2f..%2fapi/sessions',
    ];
    for (const path of paths) {
      const text = await app.raw(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
      const isHealth = path.startsWith('/health?');
      expect([path, text.slice(0, 12)]).toEqual([path, isHealth ? 'HTTP/1.1 200' : expect.stringMatching(/ 40[014]/)]);
      expect(text).not.toContain('"items"');
    }
  });

  it('a header that comes twice does not pass for its first or last copy', async () => {
    const app = await serveApp();
    const send = (lines: string): Promise<string> =>
      app.raw(`GET /api/sessions HTTP/1.1\r\n${lines}Connection: close\r\n\r\n`);
    const bearer = `Authorization: Bearer ${TOKEN}\r\n`;
    expect(await send(`Host: localhost\r\n${bearer}`)).toContain(' 200 ');
    expect(await send(`Host: localhost\r\nHost: evil.example\r\n${bearer}`)).toContain(' 400 ');
    expect(await send(`Host: localhost\r\nAuthorization: Bearer wrong\r\n${bearer}`)).toContain(' 401 ');
    expect(await send(`Host: localhost\r\n${bearer}Authorization: Bearer wrong\r\n`)).toContain(' 401 ');
  });

  it('a restart that runs what the request says (CVE-2026-6987) is none: nothing of it goes on', async () => {
    const app = await serveApp();
    const answer = await app.call('POST', '/api/restart', { reason: '$(id)', command: 'id', args: ['; id'] });
    expect(answer.status).toBe(202);
    expect(app.restarts).toEqual(['POST /api/restart by owner']);
  });

  it('loopback is no identity (CVE-2026-25593, CVE-2026-26316): without a credential it may nothing', async () => {
    const app = await serveApp();
    for (const [method, path] of [
      ['POST', '/api/restart'],
      ['POST', '/api/pairings/approve'],
      ['GET', '/api/status'],
    ] as const)
      expect(
        (await app.call(method, path, undefined, { authorization: '', 'x-forwarded-for': '127.0.0.1' })).status,
      ).toBe(401);
  });
});
