import { createRemoteProvider, type RemoteProvider, type RemoteSettings } from './remote.ts';

/** A provider that speaks OpenAI's chat completions: OpenAI itself and everything compatible. */
export function createOpenAiProvider(settings: RemoteSettings): RemoteProvider {
  const { id, baseUrl, apiKey, headers } = settings;
  return createRemoteProvider(settings, {
    authHeaders: apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` },
    async load() {
      const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible');
      const client = createOpenAICompatible({
        name: id,
        baseURL: baseUrl,
        ...(apiKey === undefined ? {} : { apiKey }),
        headers: { ...headers },
        includeUsage: true,
        fetch: globalThis.fetch,
      });
      return (model) => client.chatModel(model);
    },
  });
}
