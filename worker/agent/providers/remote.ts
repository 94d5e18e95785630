import type { OpenAICompatibleProvider } from '@ai-sdk/openai-compatible';
import { listModels } from './list-models.ts';
import type { Provider } from './provider.ts';
import { streamModel } from './stream.ts';

/** What it takes to talk to a model server. */
export type RemoteSettings = {
  /** Id of the provider in the configuration. */
  id: string;
  /** Without a trailing slash. */
  baseUrl: string;
  apiKey?: string | undefined;
  headers?: Readonly<Record<string, string>> | undefined;
  /** Ids to offer; the server is asked when there are none. */
  models?: readonly string[] | undefined;
  /** Milliseconds of silence before a request is given up. */
  requestTimeoutMs: number;
};

/** The one method of an AI SDK model that we use. */
export type LanguageModel = Pick<ReturnType<OpenAICompatibleProvider['chatModel']>, 'doStream'>;

/** A provider whose code and connection are got ready before the first request. */
export type RemoteProvider = Provider & { warm(): Promise<void> };

type RemoteDriver = {
  /** Loads the client library; called once, at the first use. */
  load(): Promise<(model: string) => LanguageModel>;
  /** Headers that prove who asks, for the model list. */
  authHeaders: Readonly<Record<string, string>>;
};

/** A provider on an AI SDK client, which is loaded at the first use. */
export function createRemoteProvider(settings: RemoteSettings, driver: RemoteDriver) {
  const models = new Map<string, LanguageModel>();
  let factory: Promise<(model: string) => LanguageModel> | undefined;
  const open = async (id: string): Promise<LanguageModel> => {
    const cached = models.get(id);
    if (cached !== undefined) return cached;
    factory ??= driver.load();
    const created = (await factory)(id);
    models.set(id, created);
    return created;
  };
  return {
    id: settings.id,
    models: async (signal) => settings.models ?? listModels(settings, driver.authHeaders, signal),
    stream: (request, signal) => streamModel({ settings, open, request, signal }),
    async warm() {
      factory ??= driver.load();
      await factory;
    },
  } satisfies RemoteProvider;
}
