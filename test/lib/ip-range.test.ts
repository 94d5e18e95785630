import { describe, expect, it } from 'vitest';
import { createRangeMatcher, networkOf, normalizeAddress, parseIpRange } from '../../lib/ip-range.ts';

describe('an address', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::ffff:127.0.0.1', '127.0.0.1'],
    ['::FFFF:7f00:1', '127.0.0.1'],
    ['0:0:0:0:0:ffff:10.1.2.3', '10.1.2.3'],
    ['fe80::1%eth0', 'fe80::1'],
    ['2001:DB8::1', '2001:db8::1'],
    ['no address', 'no address'],
    ['', ''],
  ])('%s has one spelling: %s', (given, normalized) => {
    expect(normalizeAddress(given)).toBe(normalized);
  });

  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::ffff', '2001:db8:1:2::/64'],
    ['2001:db8:1:3::', '2001:db8:1:3::/64'],
    ['::1', '0:0:0:0::/64'],
  ])('%s is of the network %s', (given, network) => {
    expect(networkOf(given)).toBe(network);
  });
});

describe('a block of addresses', () => {
  it.each(['10.0.0.0/33', '::/129', '10.0.0', 'localhost', '10.0.0.0/x', '10.0.0.0/8/8', '', '/8'])(
    'is none: "%s"',
    (text) => {
      expect(parseIpRange(text)).toBeUndefined();
    },
  );

  it('holds its addresses, in whatever spelling, and no others', () => {
    const isInside = createRangeMatcher(['10.0.0.0/8', '2001:db8::/32', '192.0.2.7']);
    for (const address of ['10.255.0.1', '::ffff:10.0.0.1', '2001:db8:ffff::1', '192.0.2.7'])
      expect([address, isInside(address)]).toEqual([address, true]);
    for (const address of ['11.0.0.1', '2001:db9::1', '192.0.2.8', 'unknown', ''])
      expect([address, isInside(address)]).toEqual([address, false]);
  });

  it('of none is empty', () => {
    expect(createRangeMatcher([])('127.0.0.1')).toBe(false);
  });
});
