import { describe, expect, it } from 'vitest';
import { findProxy, parseProxy } from '../../lib/proxy.ts';

const TARGET = 'https://api.telegram.org';
const urlOf = (env: Record<string, string>, target = TARGET): string | undefined => {
  const proxy = findProxy(target, undefined, env);
  return proxy === undefined || 'problem' in proxy ? proxy?.problem : proxy.url;
};

describe('the URL of a proxy', () => {
  it('is split into where it is and what it wants to see', () => {
    expect(parseProxy('http://proxy.example:3128')).toEqual({ url: 'http://proxy.example:3128', secrets: [] });
    expect(parseProxy('https://ann:p%40ss%3Aword@proxy.example')).toEqual({
      url: 'https://proxy.example',
      authorization: `Basic ${Buffer.from('ann:p@ss:word').toString('base64')}`,
      secrets: ['ann:p@ss:word', 'p@ss:word', 'ann:p%40ss%3Aword', 'p%40ss%3Aword'],
    });
    expect(parseProxy('http://token@proxy.example')).toMatchObject({ authorization: 'Basic dG9rZW46' });
    expect(parseProxy('proxy.example:3128')).toMatchObject({ url: 'http://proxy.example:3128' });
  });

  it.each([
    ['socks5://proxy.example:1080', 'SOCKS'],
    ['socks5h://ann:secret@proxy.example:1080', 'SOCKS'],
    ['ftp://proxy.example', 'must begin with http'],
    ['http://', 'must be the URL'],
    ['', 'must be the URL'],
    ['http://ann:%@proxy.example', '%25'],
  ])('%s is refused with the reason', (text, why) => {
    expect(parseProxy(text)).toEqual({ problem: expect.stringContaining(why) });
    expect(JSON.stringify(parseProxy(text))).not.toContain('ann:');
  });
});

describe('the proxy for a server', () => {
  it('is the configured one, before what the environment says', () => {
    const env = { HTTPS_PROXY: 'http://env.example' };
    expect(findProxy(TARGET, 'http://own.example:1', env)).toMatchObject({ url: 'http://own.example:1' });
    expect(findProxy(TARGET, 'none', env)).toBeUndefined();
    expect(findProxy(TARGET, undefined, {})).toBeUndefined();
  });

  it('is that of the environment for its protocol, else the one for all', () => {
    const env = { https_proxy: 'a:1', HTTPS_PROXY: 'b:1', HTTP_PROXY: 'http://c:1', ALL_PROXY: 'http://d:1' };
    expect(urlOf(env)).toBe('http://a:1');
    expect(urlOf(env, 'http://local')).toBe('http://c:1');
    expect(urlOf({ all_proxy: 'http://d:1' })).toBe('http://d:1');
  });

  it('that cannot be used is told with the name of the variable', () => {
    expect(urlOf({ ALL_PROXY: 'socks5://d:1' })).toContain('The environment variable ALL_PROXY names a SOCKS proxy');
  });

  it.each([
    ['*', true],
    ['localhost, api.telegram.org', true],
    ['telegram.org', true],
    ['.telegram.org', true],
    ['*.Telegram.org', true],
    ['api.telegram.org:443', true],
    ['api.telegram.org:80', false],
    ['egram.org', false],
    ['localhost,,', false],
  ])('is passed by for the servers in NO_PROXY: %s', (list, isExcepted) => {
    expect(urlOf({ HTTPS_PROXY: 'http://p:1', NO_PROXY: list }) === undefined).toBe(isExcepted);
  });

  it('is passed by for addresses in NO_PROXY, too', () => {
    const env = { http_proxy: 'http://p:1', no_proxy: '127.0.0.1:8081 ::1' };
    expect(urlOf(env, 'http://127.0.0.1:8081')).toBeUndefined();
    expect(urlOf(env, 'http://[::1]:8081')).toBeUndefined();
    expect(urlOf({ ...env, no_proxy: '[::1]:8081' }, 'http://[::1]:8081')).toBeUndefined();
    expect(urlOf(env, 'http://127.0.0.1:8082')).toBe('http://p:1');
  });
});
