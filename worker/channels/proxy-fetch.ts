import type { HttpProxy } from '../../lib/proxy.ts';

/** Returns what requests are made with: the platform's own fetch, or one that goes through a proxy. Only that loads undici. */
export async function loadFetch(proxy: HttpProxy | undefined): Promise<typeof globalThis.fetch> {
  if (proxy === undefined) return globalThis.fetch;
  // Undici makes its agent that of the whole process if there is none yet, so the built-in one goes first: here it is loaded.
  void globalThis.Response;
  const { createTunnelFetch } = await import('./tunnel-fetch.ts');
  return createTunnelFetch(proxy);
}
