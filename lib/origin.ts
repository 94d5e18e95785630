import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';

/** The name and port of a `Host` header; the name in lower case, IPv6 without brackets. */
export type Authority = { name: string; port: string };

/** Reads a `Host` header (RFC 9110, 7.2); undefined when it is none. */
export function parseAuthority(text: string): Authority | undefined {
  const [, v6, name, port = ''] = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::(\d{1,5}))?$/i.exec(text) ?? [];
  if (v6 !== undefined) return isIP(v6) === 6 ? { name: v6.toLowerCase(), port } : undefined;
  return name === undefined ? undefined : { name: name.toLowerCase().replace(/\.$/, ''), port };
}

/**
 * An origin in its one spelling: lower case, without default port, path or trailing slash (RFC 6454, 6.2). Undefined for what is
 * no origin, such as `null`.
 */
export function normalizeOrigin(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const { protocol, host, pathname, search, hash, username, password } = new URL(text);
  const isBare = (pathname === '' || pathname === '/') && search + hash + username + password === '';
  return host !== '' && isBare ? `${protocol}//${host}`.toLowerCase() : undefined;
}

/** A host name as `Host` headers carry it, or `*.` before one for all below it; undefined for anything else, such as a name with a port. */
export function normalizeHostName(text: string): string | undefined {
  const [, star = '', name = ''] = /^(\*\.)?(.+)$/.exec(text.trim()) ?? [];
  const ascii = domainToASCII(name).replace(/\.$/, '');
  return ascii !== '' && /^[a-z0-9._-]+$/.test(ascii) ? star + ascii : undefined;
}

/** True for names that no stranger's name server can point at this machine: addresses, `localhost` (RFC 6761), `.local` (RFC 6762). */
export function isUnrebindable(name: string): boolean {
  return isIP(name) !== 0 || name === 'localhost' || name.endsWith('.localhost') || name.endsWith('.local');
}
