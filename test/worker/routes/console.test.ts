import { describe, expect, it } from 'vitest';
import { serveApp } from '../served-app.ts';

const NO_CREDENTIAL = { authorization: '' };

describe('the web console', () => {
  it.each([
    ['/', 'text/html'],
    ['/assets/console.js', 'text/javascript'],
    ['/assets/console.css', 'text/css'],
  ])('serves %s to everybody, and lets it do nothing but talk to the gateway', async (path, type) => {
    const { call } = await serveApp();
    const { status, headers, text } = await call('GET', path, undefined, NO_CREDENTIAL);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toContain(type);
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('content-security-policy')).not.toContain('unsafe');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(text).not.toMatch(/<script(?![^>]*\bsrc=)|\son\w+="|https?:\/\//);
  });

  it('answers 304 to a browser that has the file already', async () => {
    const { call } = await serveApp();
    const first = await call('GET', '/', undefined, NO_CREDENTIAL);
    const tag = first.headers.get('etag') ?? '';
    // As a browser revalidates; fetch by itself would ask for a fresh copy.
    const revalidate = { 'if-none-match': tag, 'cache-control': 'max-age=0' };
    const again = await call('GET', '/', undefined, { ...NO_CREDENTIAL, ...revalidate });
    expect([again.status, again.text]).toEqual([304, '']);
  });

  it('is no way to other files', async () => {
    const { call } = await serveApp();
    for (const path of ['/assets/', '/assets/../package.json', '/assets/%2e%2e/package.json', '/index.html']) {
      expect((await call('GET', path, undefined, NO_CREDENTIAL)).status, path).toBe(401);
    }
  });
});
