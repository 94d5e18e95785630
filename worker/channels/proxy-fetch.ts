import type { RequestInfo, RequestInit } from 'undici';
import type { HttpProxy } from '../../lib/proxy.ts';

/** Returns what requests are made with: the platform's own fetch, or one that goes through a proxy, always by CONNECT. */
export async function loadFetch(proxy: HttpProxy | undefined): Promise<typeof globalThis.fetch> {
  if (proxy === undefined) return globalThis.fetch;
  // Undici makes its agent that of the whole process if there is none yet, so the built-in one goes first: here it is loaded.
  void globalThis.Response;
  const { fetch, ProxyAgent } = await import('undici');
  const { url: uri, authorization } = proxy;
  // Even plain requests are tunnelled: their paths hold tokens that are no business of a proxy.
  const dispatcher = new ProxyAgent({ uri, ...(authorization === undefined ? {} : { token: authorization }) });
  const send = (input: RequestInfo, init?: RequestInit) => fetch(input, { ...init, dispatcher });
  // The same interface, declared twice.
  return send as unknown as typeof globalThis.fetch;
}
