import { describe, expect, it } from 'vitest';
import { isUnrebindable, normalizeHostName, normalizeOrigin, parseAuthority } from '../../lib/origin.ts';

describe('a Host header', () => {
  it.each([
    ['localhost', { name: 'localhost', port: '' }],
    ['LocalHost.:18790', { name: 'localhost', port: '18790' }],
    ['[::1]:80', { name: '::1', port: '80' }],
    ['my_service:1', { name: 'my_service', port: '1' }],
  ])('%s is read', (text, authority) => {
    expect(parseAuthority(text)).toEqual(authority);
  });

  it.each(['', 'a b', 'a, b', 'user@host', 'http://host', '[::1', '[nothing]', 'host:port', 'host/path', 'a\u0000'])(
    'is none: %j',
    (text) => {
      expect(parseAuthority(text)).toBeUndefined();
    },
  );
});

describe('an origin', () => {
  it.each([
    ['https://App.Example.com:443', 'https://app.example.com'],
    ['http://app.example.com:80/', 'http://app.example.com'],
    ['http://app.example.com:8080', 'http://app.example.com:8080'],
    ['http://[::1]:5173', 'http://[::1]:5173'],
    ['chrome-extension://ABCDEF', 'chrome-extension://abcdef'],
  ])('%s has one spelling', (text, normalized) => {
    expect(normalizeOrigin(text)).toBe(normalized);
  });

  it.each([
    'null',
    '*',
    '',
    'app.example.com',
    'https://a/path',
    'https://a/?q',
    'https://u:p@a',
    'file://',
    'data:,x',
  ])('is none: "%s"', (text) => {
    expect(normalizeOrigin(text)).toBeUndefined();
  });
});

describe('a host name of the configuration', () => {
  it.each([
    ['Gateway.Example.com.', 'gateway.example.com'],
    ['*.example.com', '*.example.com'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['a:1', undefined],
    ['https://a', undefined],
    ['', undefined],
    ['*', undefined],
  ])('%s becomes %s', (text, name) => {
    expect(normalizeHostName(text)).toBe(name);
  });
});

describe('a name that no stranger can point at us', () => {
  it.each(['127.0.0.1', '192.168.1.5', '::1', '203.0.113.9', 'localhost', 'app.localhost', 'box.local'])(
    '%s',
    (name) => {
      expect(isUnrebindable(name)).toBe(true);
    },
  );

  it.each(['evil.example', 'localhost.evil.example', 'notlocalhost', 'xlocal', '127.0.0.1.evil.example', '2130706433'])(
    'is not %s',
    (name) => {
      expect(isUnrebindable(name)).toBe(false);
    },
  );
});
