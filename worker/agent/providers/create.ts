import type { Config } from '../../../lib/config/schema.ts';
import type { Environment } from '../../../lib/env.ts';
import { createAnthropicProvider } from './anthropic.ts';
import { KNOWN_PROVIDERS } from './known.ts';
import { createOpenAiProvider } from './openai.ts';
import type { RemoteProvider, RemoteSettings } from './remote.ts';

/**
 * Creates every usable provider by id: those of the configuration, and known ones whose key is in the environment. Throws
 * when an entry cannot be understood, naming the path and the fix. The built-in `offline` is not among them.
 */
export function createProviders(configured: Config['providers'], env: Environment): Map<string, RemoteProvider> {
  const ids = new Set([...Object.keys(configured), ...findKeyedProviders(env)]);
  return new Map([...ids].map((id) => [id, createProvider(id, configured[id], env)]));
}

/** Every key that a provider may send, also in a header or in its address, for taking them out of logs. */
export function listProviderSecrets(configured: Config['providers'], env: Environment): string[] {
  const own = Object.values(configured).flatMap((provider) =>
    typeof provider === 'string'
      ? [provider]
      : [
          provider.apiKey,
          ...listSecretHeaders(provider.headers ?? {}),
          ...listUserInfo(provider.baseUrl ?? 'http://localhost'),
        ],
  );
  const known = [...KNOWN_PROVIDERS.keys()].map((id) => readKey(id, env));
  return [...own, ...known].filter((secret) => secret !== undefined);
}

/** The others are titles and addresses, whose redaction would only make a log harder to read. */
function listSecretHeaders(headers: Readonly<Record<string, string>>): string[] {
  const secrets = Object.entries(headers).filter(([name]) => /auth|key|token|secret|cookie/i.test(name));
  return secrets.map(([, value]) => value);
}

/** Messages of the transport carry the whole address. */
function listUserInfo(address: string): string[] {
  const { username, password } = new URL(address);
  return password === '' ? [username] : [`${username}:${password}`, password];
}

type ConfiguredProvider = Config['providers'][string];
type ProviderObject = Exclude<ConfiguredProvider, string>;

function findKeyedProviders(env: Environment): string[] {
  return [...KNOWN_PROVIDERS.keys()].filter((id) => readKey(id, env) !== undefined);
}

function readKey(id: string, env: Environment): string | undefined {
  const names = KNOWN_PROVIDERS.get(id)?.keyNames ?? [];
  return names.map((name) => env[name]).find((key) => key !== undefined);
}

function createProvider(id: string, configured: ConfiguredProvider | undefined, env: Environment): RemoteProvider {
  const own: Partial<ProviderObject> = typeof configured === 'string' ? { apiKey: configured } : (configured ?? {});
  const known = KNOWN_PROVIDERS.get(id);
  const settings: RemoteSettings = {
    id,
    baseUrl: (own.baseUrl ?? known?.baseUrl ?? failUnknown(id)).replace(/\/+$/, ''),
    apiKey: own.apiKey ?? readKey(id, env),
    headers: own.headers ?? {},
    models: own.models,
    requestTimeoutMs: own.requestTimeout ?? REQUEST_TIMEOUT_MS,
  };
  const api = own.api ?? known?.api ?? 'openai';
  switch (api) {
    case 'openai':
      return createOpenAiProvider(settings);
    case 'anthropic':
      return createAnthropicProvider(settings);
  }
}

/** The schema's default, for entries that are only a key. */
const REQUEST_TIMEOUT_MS = 120_000;

function failUnknown(id: string): never {
  const known = [...KNOWN_PROVIDERS.keys()].join(', ');
  throw new Error(
    `providers.${id}: no such provider is built in, and there is no baseUrl. Write "${id}": {"baseUrl": "https://…/v1", "apiKey": "…"}, or use one of: ${known}.`,
  );
}
