import { lookup as resolve } from 'node:dns';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { isPublicAddress } from './public-address.ts';

/** An address that must not be fetched, or one that gives nothing; the message may be shown to whoever named it. */
export class FetchRefused extends Error {
  override readonly name = 'FetchRefused';
}

export type PublicFetchOptions = {
  /** Hosts that may be elsewhere than on the public internet, as they stand in a URL, with their port. */
  allowedHosts: readonly string[];
  /** The setting that names them. */
  allowedBy: string;
  signal: AbortSignal;
};

export type PublicPostOptions = PublicFetchOptions & { body: Buffer; headers: Readonly<Record<string, string>> };

/**
 * Begins to fetch an http or https address of the public internet and returns its answer, which is a success. Follows
 * redirections. Whatever a name resolves to is checked at the moment of connecting, so that no name can lead into our own
 * network. Throws FetchRefused, and what went wrong on the way.
 */
export async function fetchPublic(address: string, options: PublicFetchOptions): Promise<IncomingMessage> {
  let url = readUrl(address);
  for (let hops = 0; hops <= MAX_HOPS; hops += 1) {
    const response = await send(url, options, { method: 'GET', headers: { accept: '*/*' } });
    const status = response.statusCode ?? 0;
    const { location } = response.headers;
    if (status >= 200 && status < 300) return response;
    response.destroy();
    if (status < 300 || status >= 400 || location === undefined)
      throw new FetchRefused(`${url.host} answered with status ${status}`);
    url = readUrl(location, url);
  }
  throw new FetchRefused(`more than ${MAX_HOPS} redirections`);
}

/**
 * Posts to an http or https address of the public internet and returns the answer, whatever it says; redirections are for the
 * caller to judge. Guarded as `fetchPublic` is. Throws FetchRefused, and what went wrong on the way.
 */
export async function postPublic(
  address: string,
  { body, headers, ...options }: PublicPostOptions,
): Promise<IncomingMessage> {
  return send(readUrl(address), options, { method: 'POST', headers, body });
}

const MAX_HOPS = 5;

function readUrl(text: string, base?: URL): URL {
  const url = URL.canParse(text, base?.href) ? new URL(text, base) : undefined;
  if (url === undefined) throw new FetchRefused('it is no complete URL');
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new FetchRefused(`${url.protocol} addresses are not fetched, only http: and https:`);
  if (url.username !== '' || url.password !== '') throw new FetchRefused('it holds a user name or password');
  return url;
}

type Order = { method: 'GET' | 'POST'; headers: Readonly<Record<string, string>>; body?: Buffer };

function send(
  url: URL,
  { allowedHosts, allowedBy, signal }: PublicFetchOptions,
  { method, headers, body }: Order,
): Promise<IncomingMessage> {
  const isAllowed = allowedHosts.includes(url.host);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  // An address needs no look-up, so that it never comes to the check of names.
  if (!isAllowed && isIP(host) !== 0 && !isPublicAddress(host)) throw notPublic(url.host, allowedBy);
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  const options = {
    method,
    agent: false,
    headers: { ...headers, 'user-agent': 'xopc' },
    signal,
    ...(isAllowed ? {} : { lookup: lookUpPublic(allowedBy) }),
  };
  return new Promise((done, fail) => {
    request(url, options, done).on('error', fail).end(body);
  });
}

function lookUpPublic(allowedBy: string): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, '', 0);
      const [first] = addresses;
      // One that is ours among others is no accident.
      if (first === undefined || !addresses.every(({ address }) => isPublicAddress(address)))
        return callback(notPublic(hostname, allowedBy), '', 0);
      return options.all === true ? callback(null, addresses) : callback(null, first.address, first.family);
    });
  };
}

function notPublic(host: string, allowedBy: string): FetchRefused {
  return new FetchRefused(`${host} is not on the public internet and not among ${allowedBy}`);
}
