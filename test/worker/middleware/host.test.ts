import { describe, expect, it } from 'vitest';
import { createHostRule } from '../../../worker/middleware/host.ts';
import { serveApp, TOKEN } from '../served-app.ts';

const ask = (app: Awaited<ReturnType<typeof serveApp>>, lines: string, version = '1.1'): Promise<string> =>
  app.raw(`GET /health HTTP/${version}\r\n${lines}Connection: close\r\n\r\n`);

describe('the host guard', () => {
  it.each([
    '127.0.0.1',
    '192.168.1.5:18790',
    '[::1]:18790',
    'localhost',
    'LOCALHOST.:1',
    'app.localhost',
    'box.local:80',
  ])('lets %s in without any configuration (ORIGIN-1)', async (host) => {
    expect(await ask(await serveApp(), `Host: ${host}\r\n`)).toContain('HTTP/1.1 200');
  });

  it.each([
    'evil.example',
    'localhost.evil.example',
    'gateway',
    '127.0.0.1.evil.example',
    '2130706433',
    '0x7f.1',
    'a_b',
  ])('refuses %s, names it and the line that would let it in (ORIGIN-3)', async (host) => {
    const answer = await ask(await serveApp(), `Host: ${host}:18790\r\n`);
    expect(answer).toContain('HTTP/1.1 421');
    expect(answer).toContain(`\\"allowedHosts\\": [\\"${host}\\"]`);
  });

  it('lets platforms push by whatever name: they prove themselves in their own way', async () => {
    const app = await serveApp();
    const answer = await app.raw(
      'POST /api/webhook/nobody HTTP/1.1\r\nHost: public.example\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}',
    );
    expect(answer).toContain('HTTP/1.1 404');
  });

  it('lets in what is declared, in any case, with any port, and what lies below a star', async () => {
    const app = await serveApp({ config: { gateway: { allowedHosts: ['GW.example', '*.home.example'] } } });
    for (const host of ['gw.example', 'GW.EXAMPLE:443', 'a.home.example', 'a.b.home.example:1'])
      expect(await ask(app, `Host: ${host}\r\n`)).toContain('HTTP/1.1 200');
    for (const host of ['home.example', 'xhome.example', 'a.gw.example'])
      expect(await ask(app, `Host: ${host}\r\n`)).toContain('HTTP/1.1 421');
  });

  it('asks for the header where HTTP does', async () => {
    const app = await serveApp();
    expect(await ask(app, '')).toContain('HTTP/1.1 400');
    expect(await ask(app, '', '1.0')).toContain('HTTP/1.1 200');
    for (const host of ['', 'a b', 'user@localhost', 'localhost/x', '<script>']) {
      const answer = await ask(app, `Host: ${host}\r\n`);
      expect([host, answer.slice(0, 12)]).toEqual([host, 'HTTP/1.1 400']);
      expect(answer).not.toContain('<script>');
    }
  });

  it('of a trusted proxy judges both names, the one it was asked by and the one it asks us by', async () => {
    const app = await serveApp({
      config: { gateway: { trustedProxies: ['127.0.0.1'], allowedHosts: ['gw.example'] } },
    });
    const status = async (host: string, forwarded: string): Promise<string> =>
      (await ask(app, `Host: ${host}\r\nX-Forwarded-Host: ${forwarded}\r\n`)).slice(9, 12);
    expect(await status('127.0.0.1', 'gw.example')).toBe('200');
    expect(await status('127.0.0.1', 'evil.example')).toBe('421');
    expect(await status('evil.example', 'gw.example')).toBe('421');
  });

  it('is not fooled by a name that somebody else forwards', async () => {
    const app = await serveApp({ config: { gateway: { allowedHosts: ['gw.example'] } } });
    const lines = `Host: evil.example\r\nX-Forwarded-Host: gw.example\r\nAuthorization: Bearer ${TOKEN}\r\n`;
    expect(await ask(app, lines)).toContain('HTTP/1.1 421');
  });
});

it('a rule without declared names lets in only what no stranger can point at us', () => {
  const isAllowed = createHostRule([]);
  expect(['localhost', '10.0.0.1', 'x.local', 'x.example'].map(isAllowed)).toEqual([true, true, true, false]);
});
