import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';

/** A block of addresses such as `10.0.0.0/8`; a single address is a block of its own. */
export type IpRange = { address: string; prefix: number; family: 'ipv4' | 'ipv6' };

/** One spelling for each address: without zone, and an IPv4 address inside IPv6 as what it is (RFC 4291, 2.5.5.2). Other text is returned as it is. */
export function normalizeAddress(text: string): string {
  // Each request passes here, and most come over IPv4.
  if (!text.includes(':')) return text;
  const [address = ''] = text.split('%', 1);
  if (!isIPv6(address)) return address;
  const groups = readGroups(address);
  const [high = 0, low = 0] = groups.slice(6);
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  return isMapped ? [high >> 8, high & 255, low >> 8, low & 255].join('.') : address.toLowerCase();
}

/** What one subscriber has: an IPv4 address, or the /64 of an IPv6 address. */
export function networkOf(text: string): string {
  const address = normalizeAddress(text);
  if (!isIPv6(address)) return address;
  return `${readGroups(address)
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`;
}

/** Reads an address or a CIDR block; undefined when it is neither. */
export function parseIpRange(text: string): IpRange | undefined {
  const [, address = '', bits] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(text.trim()) ?? [];
  const family = isIPv4(address) ? 'ipv4' : isIP(address) === 6 ? 'ipv6' : undefined;
  if (family === undefined) return undefined;
  const longest = family === 'ipv4' ? 32 : 128;
  const prefix = bits === undefined ? longest : Number(bits);
  return prefix <= longest ? { address, prefix, family } : undefined;
}

/** Tells whether an address lies in one of the blocks. What is no block is left out. */
export function createRangeMatcher(ranges: readonly string[]): (address: string) => boolean {
  if (ranges.length === 0) return () => false;
  const list = new BlockList();
  for (const range of ranges.map(parseIpRange)) {
    if (range !== undefined) list.addSubnet(range.address, range.prefix, range.family);
  }
  return (text) => {
    const address = normalizeAddress(text);
    return isIP(address) !== 0 && list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
  };
}

/** The eight groups of an IPv6 address. */
function readGroups(address: string): number[] {
  const [head = '', tail] = address.split('::');
  const left = parseGroups(head);
  const right = tail === undefined ? [] : parseGroups(tail);
  return [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right];
}

function parseGroups(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}
