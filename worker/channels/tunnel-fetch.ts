import { fetch, ProxyAgent, type RequestInfo, type RequestInit } from 'undici';
import type { HttpProxy } from '../../lib/proxy.ts';

/** Creates a fetch that goes through a proxy. Even plain requests are tunnelled: a proxy that forwards them reads the tokens in their paths. */
export function createTunnelFetch({ url: uri, authorization }: HttpProxy): typeof globalThis.fetch {
  const dispatcher = new ProxyAgent({ uri, ...(authorization === undefined ? {} : { token: authorization }) });
  const send = (input: RequestInfo, init?: RequestInit) => fetch(input, { ...init, dispatcher });
  // The same interface, declared twice.
  return send as unknown as typeof globalThis.fetch;
}
