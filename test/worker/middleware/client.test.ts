import { describe, expect, it } from 'vitest';
import { createRangeMatcher } from '../../../lib/ip-range.ts';
import { readClient } from '../../../worker/middleware/client.ts';
import { serveApp } from '../served-app.ts';

const PROXIES = createRangeMatcher(['10.0.0.0/8', '127.0.0.1']);

const read = (peer: string, headers: Record<string, string> = {}) => readClient({ peer, headers, isTrusted: PROXIES });

describe('the client of a request', () => {
  it.each([
    ['a direct one', '192.0.2.1', undefined, '192.0.2.1'],
    ['one that claims another address', '192.0.2.1', '127.0.0.1', '192.0.2.1'],
    ['one behind a proxy', '10.0.0.1', '192.0.2.1', '192.0.2.1'],
    ['one behind two proxies', '10.0.0.1', '192.0.2.1, 10.0.0.2', '192.0.2.1'],
    ['one that wrote the beginning of the chain itself', '10.0.0.1', '127.0.0.1, 192.0.2.1', '192.0.2.1'],
    ['one that wrote no address', '10.0.0.1', 'unknown', '10.0.0.1'],
    ['one whose chain breaks off', '10.0.0.1', '192.0.2.1, <script>, 10.0.0.2', '10.0.0.2'],
    ['a proxy itself', '10.0.0.1', undefined, '10.0.0.1'],
    ['with a port', '10.0.0.1', '192.0.2.1:5555', '192.0.2.1'],
    ['IPv6 with a port', '10.0.0.1', '[2001:db8::1]:5555', '2001:db8::1'],
    ['IPv4 inside IPv6', '::ffff:10.0.0.1', '::ffff:192.0.2.1', '192.0.2.1'],
  ])('%s', (_who, peer, chain, address) => {
    expect(read(peer, chain === undefined ? {} : { 'x-forwarded-for': chain }).address).toBe(address);
  });

  it('is told apart by how it came', () => {
    expect(read('192.0.2.1').via).toBe('direct');
    expect(read('10.0.0.1').via).toBe('trusted-proxy');
    for (const name of ['x-forwarded-for', 'forwarded', 'x-real-ip', 'x-forwarded-host'])
      expect(read('192.0.2.1', { [name]: 'x' }).via).toBe('unknown-proxy');
  });

  it('has the protocol and host that the nearest trusted proxy names, and none that anybody else does', () => {
    const headers = { 'x-forwarded-proto': 'http, HTTPS', 'x-forwarded-host': 'evil.example, gw.example' };
    expect(read('10.0.0.1', headers)).toMatchObject({ forwardedProto: 'https', forwardedHost: 'gw.example' });
    expect(read('192.0.2.1', headers)).toMatchObject({ forwardedProto: undefined, forwardedHost: undefined });
    expect(read('10.0.0.1')).toMatchObject({ forwardedProto: undefined, forwardedHost: undefined });
  });

  it('is told about once when a proxy relays it that nobody declared', async () => {
    const { call, requests } = await serveApp();
    for (let count = 0; count < 3; count += 1)
      await call('GET', '/health', undefined, { 'x-forwarded-for': '192.0.2.1' });
    expect(requests.filter(({ level }) => level === 'warn')).toMatchObject([
      { message: expect.stringContaining('gateway.trustedProxies'), fields: { address: '127.0.0.1' } },
    ]);
  });

  it('is in the log, and who it proved to be', async () => {
    const { call, requests } = await serveApp({ config: { gateway: { trustedProxies: ['127.0.0.1'] } } });
    await call('GET', '/api/sessions', undefined, { 'x-forwarded-for': '192.0.2.1' });
    expect(requests.at(-1)?.fields).toMatchObject({ ip: '192.0.2.1', caller: 'owner' });
  });
});
