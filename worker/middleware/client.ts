import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import type { Next } from 'koa';
import { createRangeMatcher, normalizeAddress } from '../../lib/ip-range.ts';
import type { Client, Context } from './state.ts';

/** Finds out who calls, across the proxies of `gateway.trustedProxies` (ORIGIN-2); says once that a proxy is missing there (INJ-5). */
export function client(trustedProxies: readonly string[]) {
  const isTrusted = createRangeMatcher(trustedProxies);
  let isTold = false;
  return (ctx: Context, next: Next): Promise<unknown> => {
    const found = readClient({ peer: ctx.req.socket.remoteAddress ?? '', headers: ctx.headers, isTrusted });
    ctx.state.client = found;
    if (found.via === 'unknown-proxy' && !isTold) {
      isTold = true;
      ctx.state.log.warn({ address: found.address }, UNDECLARED);
    }
    return next();
  };
}

const UNDECLARED =
  'A proxy that gateway.trustedProxies does not name relays requests: what it says of their callers does not count. If it is yours, name its address there.';

type Arrival = { peer: string; headers: IncomingHttpHeaders; isTrusted(address: string): boolean };

/** A chain longer than this is no chain of proxies. */
const MAX_HOPS = 32;

/** The client of a request: the peer of the connection, or the right-most hop that no trusted proxy is. */
export function readClient({ peer, headers, isTrusted }: Arrival): Client {
  const address = normalizeAddress(peer);
  if (!isTrusted(address)) {
    const via = isRelayed(headers) ? 'unknown-proxy' : 'direct';
    return { address, via, forwardedProto: undefined, forwardedHost: undefined };
  }
  return {
    address: findCaller(address, textOf(headers['x-forwarded-for']), isTrusted),
    via: 'trusted-proxy',
    // The last value is the one that our own proxy wrote.
    forwardedProto: lastOf(headers['x-forwarded-proto'])?.toLowerCase(),
    forwardedHost: lastOf(headers['x-forwarded-host']),
  };
}

function isRelayed(headers: IncomingHttpHeaders): boolean {
  return (
    headers['x-forwarded-for'] !== undefined ||
    headers['forwarded'] !== undefined ||
    headers['x-real-ip'] !== undefined ||
    headers['x-forwarded-host'] !== undefined
  );
}

/** Walks the chain from our end. What is no address was not written by a proxy of ours: whoever passed it on is the client then. */
function findCaller(peer: string, chain: string, isTrusted: (address: string) => boolean): string {
  let caller = peer;
  const hops = chain.split(',').slice(-MAX_HOPS).reverse();
  for (const hop of hops) {
    const address = readHop(hop);
    if (address === undefined) return caller;
    caller = address;
    if (!isTrusted(address)) return caller;
  }
  return caller;
}

/** An address as proxies write it: bare, or with a port, or an IPv6 address in brackets. */
function readHop(text: string): string | undefined {
  const hop = text.trim();
  const [, inside] = /^\[([^\]]+)\](?::\d+)?$/.exec(hop) ?? /^([\d.]+):\d+$/.exec(hop) ?? [];
  const address = normalizeAddress(inside ?? hop);
  return isIP(address) === 0 ? undefined : address;
}

function lastOf(header: string | string[] | undefined): string | undefined {
  const value = textOf(header).split(',').at(-1)?.trim();
  return value === '' ? undefined : value;
}

function textOf(header: string | string[] | undefined): string {
  return Array.isArray(header) ? header.join(',') : (header ?? '');
}
