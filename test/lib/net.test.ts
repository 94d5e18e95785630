import { describe, expect, it } from 'vitest';
import { displayUrl, isLoopbackAddress, planBind } from '../../lib/net.ts';

describe('a bind plan', () => {
  it.each([
    ['loopback', undefined, {}, ['127.0.0.1', '::1'], true],
    ['lan', undefined, {}, ['0.0.0.0'], false],
    ['auto', undefined, { XOPC_CONTAINER: '1' }, ['0.0.0.0'], false],
    ['auto', undefined, { KUBERNETES_SERVICE_HOST: '10.0.0.1' }, ['0.0.0.0'], false],
    ['custom', '10.1.2.3', {}, ['10.1.2.3'], false],
    ['custom', '127.0.0.2', {}, ['127.0.0.2'], true],
    ['custom', '::1', {}, ['::1'], true],
    ['custom', undefined, {}, ['127.0.0.1'], true],
  ] as const)('for %s, %s, %j is %j', (mode, host, env, hosts, isLoopback) => {
    expect(planBind(mode, host, env)).toEqual({ hosts, isLoopback });
  });

  it('for a tailnet that is not there is loopback, with a warning, never more', () => {
    const plan = planBind('tailnet', undefined, {});
    if (plan.isLoopback)
      expect(plan).toMatchObject({ hosts: ['127.0.0.1', '::1'], warning: expect.stringContaining('tailnet') });
    else expect(plan.hosts[0]).toMatch(/^100\./);
  });
});

describe('a loopback address', () => {
  it.each(['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1'])('is %s', (address) => {
    expect(isLoopbackAddress(address)).toBe(true);
  });

  it.each(['0.0.0.0', '::', '10.0.0.1', '127.evil.example', '1.127.0.0', '::ffff:10.0.0.1', 'localhost', ''])(
    'is not "%s"',
    (address) => {
      expect(isLoopbackAddress(address)).toBe(false);
    },
  );
});

describe('the URL for people', () => {
  it.each([
    ['127.0.0.1', 'http://localhost:80'],
    ['::1', 'http://localhost:80'],
    ['0.0.0.0', 'http://localhost:80'],
    ['::', 'http://localhost:80'],
    ['10.0.0.1', 'http://10.0.0.1:80'],
    ['fd00::1', 'http://[fd00::1]:80'],
  ])('of %s is %s', (host, url) => {
    expect(displayUrl(host, 80)).toBe(url);
    expect(() => new URL(url)).not.toThrow();
  });
});
