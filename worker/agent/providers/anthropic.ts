import { createRemoteProvider, type RemoteProvider, type RemoteSettings } from './remote.ts';

/** A provider that speaks Anthropic's messages API. */
export function createAnthropicProvider(settings: RemoteSettings): RemoteProvider {
  const { baseUrl, headers } = settings;
  // Left out, the library would look for a key in the environment by itself.
  const apiKey = settings.apiKey ?? '';
  return createRemoteProvider(settings, {
    authHeaders: { 'x-api-key': apiKey, 'anthropic-version': '2023-06-01' },
    async load() {
      const { createAnthropic } = await import('@ai-sdk/anthropic');
      const client = createAnthropic({ baseURL: baseUrl, apiKey, headers: { ...headers }, fetch: globalThis.fetch });
      return (model) => client(model);
    },
  });
}
