import { describe, expect, it } from 'vitest';
import { serveApp } from '../served-app.ts';

const NO_CREDENTIAL = { authorization: '' };

describe('GET /api/docs', () => {
  it('shows every route with an example, without script or anything from elsewhere', async () => {
    const { call, productRoutes } = await serveApp();
    const { status, headers, text } = await call('GET', '/api/docs', undefined, NO_CREDENTIAL);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
    for (const { path } of productRoutes) expect(text).toContain(`<code>${path.replace(/:(\w+)/g, '{$1}')}</code>`);
    expect(text).toContain('curl -X POST &quot;$GATEWAY/api/agent&quot;');
    expect(text).not.toMatch(/<script|<link|\son\w+=|https?:\/\//);
  });

  it('is allowed its own style by a hash, and nothing else', async () => {
    const { call } = await serveApp();
    const { headers, text } = await call('GET', '/api/docs', undefined, NO_CREDENTIAL);
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none'/);
    expect(policy).not.toContain('unsafe');
    const style = /<style>([\s\S]*?)<\/style>/.exec(text)?.[1] ?? '';
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(style));
    expect(policy).toContain(`'sha256-${Buffer.from(digest).toString('base64')}'`);
  });

  it.each([
    ['/api/docs?lang=zh', 'en', 'zh-CN'],
    ['/api/docs', 'zh-CN,zh;q=0.9,en;q=0.5', 'zh-CN'],
    ['/api/docs', 'de', 'en'],
    ['/api/docs?lang=en', 'zh', 'en'],
  ])('at %s speaks the language of the reader who prefers %s', async (path, accepted, expected) => {
    const { call } = await serveApp();
    const { text } = await call('GET', path, undefined, { 'accept-language': accepted });
    expect(text).toContain(`<html lang="${expected}">`);
  });

  it('refuses a language that it does not speak', async () => {
    const { call } = await serveApp();
    expect((await call('GET', '/api/docs?lang=xx')).status).toBe(400);
  });
});
