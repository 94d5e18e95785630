import type { Next } from 'koa';
import { GatewayError } from '../../lib/errors.ts';
import { isUnrebindable, parseAuthority } from '../../lib/origin.ts';
import type { Context } from './state.ts';

/**
 * Refuses requests for host names that nobody declared (ORIGIN-1). A page on the Internet can make its own name point at this
 * machine and would then be of one origin with the gateway; it cannot do so with an address, `localhost` or a `.local` name.
 * Platforms that push come by a public name and prove themselves in their own way.
 */
export function hostGuard(allowedHosts: readonly string[]) {
  const isAllowed = createHostRule(allowedHosts);
  // Nearly all requests carry the same one.
  let lastAllowed: string | undefined;
  return (ctx: Context, next: Next): Promise<unknown> => {
    if (ctx.path.startsWith('/api/webhook/')) return next();
    const { host } = ctx.headers;
    const { forwardedHost } = ctx.state.client;
    if (host === undefined) assertOldProtocol(ctx);
    else if (host !== lastAllowed) assertAllowed(host, isAllowed);
    lastAllowed = host;
    if (forwardedHost !== undefined) assertAllowed(forwardedHost, isAllowed);
    return next();
  };
}

/** Tells whether a host name, in lower case and without port, is one that the gateway answers to. */
export function createHostRule(allowedHosts: readonly string[]): (name: string) => boolean {
  const names = new Set(allowedHosts);
  const suffixes = allowedHosts.filter((name) => name.startsWith('*.')).map((name) => name.slice(1));
  return (name) => isUnrebindable(name) || names.has(name) || suffixes.some((suffix) => name.endsWith(suffix));
}

/** Only HTTP/1.0 may leave the name out (RFC 9112, 3.2); no browser speaks it. */
function assertOldProtocol(ctx: Context): void {
  if (ctx.req.httpVersion !== '1.0') throw new GatewayError('INVALID_REQUEST', 'The request has no Host header.');
}

function assertAllowed(host: string, isAllowed: (name: string) => boolean): void {
  const authority = parseAuthority(host);
  if (authority === undefined) throw new GatewayError('INVALID_REQUEST', 'The Host header names no host.');
  const { name } = authority;
  if (isAllowed(name)) return;
  const seen = `The host name "${name}" is not one that this gateway answers to, lest a page of a stranger reach it by DNS rebinding.`;
  const fix = `If the name is yours, put it into the configuration: "gateway": {"allowedHosts": ["${name}"]}. An IP address or localhost needs no entry.`;
  throw new GatewayError('FORBIDDEN', `${seen} ${fix}`, { status: 421 });
}
