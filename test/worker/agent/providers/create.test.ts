import * as v from 'valibot';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type ConfigInput, configSchema } from '../../../../lib/config/schema.ts';
import { createProviders } from '../../../../worker/agent/providers/create.ts';
import { KNOWN_PROVIDERS } from '../../../../worker/agent/providers/known.ts';
import { type LlmEmulator, startLlmEmulator } from '../../../emulators/start.ts';
import { ask, collect, failureOf, textOf } from './request.ts';

let llm: LlmEmulator;
beforeAll(async () => {
  llm = await startLlmEmulator();
});
afterAll(() => llm.stop());
beforeEach(() => llm.reset());

function create(providers: ConfigInput['providers'], env: Record<string, string> = {}) {
  return createProviders(v.parse(configSchema, { providers }).providers, env);
}

it('creates nothing when nothing is configured', () => {
  expect(create({}).size).toBe(0);
});

it('takes a bare key, an object, and a known provider whose key is only in the environment', () => {
  const providers = create({ openai: 'sk-1', groq: { apiKey: 'k' } }, { ANTHROPIC_API_KEY: 'a', GOOGLE_API_KEY: 'g' });
  expect([...providers.keys()]).toEqual(['openai', 'groq', 'anthropic', 'google']);
  expect(providers.get('groq')?.id).toBe('groq');
});

it('knows an https address and the name of a key for every built-in provider but the local one', () => {
  for (const [id, { baseUrl, keyNames }] of KNOWN_PROVIDERS) {
    expect(baseUrl, id).toMatch(id === 'ollama' ? /^http:\/\/127\.0\.0\.1/ : /^https:\/\/[^/]+\/.*[^/]$/);
    expect(keyNames.length, id).toBeGreaterThan(0);
    for (const name of keyNames) expect(name).toMatch(/^[A-Z][A-Z0-9_]+$/);
  }
});

it('talks to a configured base URL with a key from the environment', async () => {
  await llm.configure({ apiKey: 'from-env' });
  const providers = create({ openai: { baseUrl: `${llm.url}/v1/` } }, { OPENAI_API_KEY: 'from-env' });
  const provider = providers.get('openai');
  if (provider === undefined) throw new Error('missing');
  expect(textOf(await collect(provider, ask('hello')))).toContain('hello');
});

it('prefers the configured key over the environment', async () => {
  await llm.configure({ apiKey: 'from-env' });
  const providers = create({ openai: { baseUrl: `${llm.url}/v1`, apiKey: 'other' } }, { OPENAI_API_KEY: 'from-env' });
  const provider = providers.get('openai');
  if (provider === undefined) throw new Error('missing');
  expect((await failureOf(collect(provider, ask('hello')))).kind).toBe('auth');
});

it('speaks the protocol an entry of its own names', async () => {
  const provider = create({ mine: { api: 'anthropic', baseUrl: `${llm.url}/v1`, apiKey: 'k' } }).get('mine');
  if (provider === undefined) throw new Error('missing');
  expect(textOf(await collect(provider, ask('hello')))).toContain('hello');
  expect((await llm.calls())[0]?.path).toBe('/v1/messages');
});

it('refuses an unknown provider without a base URL, naming the path and the fix', () => {
  expect(() => create({ mine: 'key' })).toThrow(/^providers\.mine: .*baseUrl/);
});
