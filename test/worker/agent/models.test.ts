import { describe, expect, it } from 'vitest';
import { parseModelRef, readAgentProfile } from '../../../worker/agent/models.ts';
import { createConfig } from '../assembled-gateway.ts';

describe('a model reference', () => {
  it.each([
    ['openai/gpt-4o', { provider: 'openai', model: 'gpt-4o' }],
    ['openrouter/meta/llama-3', { provider: 'openrouter', model: 'meta/llama-3' }],
    ['a/b:c', { provider: 'a', model: 'b:c' }],
    ['gpt-4o', undefined],
    ['/gpt', undefined],
    ['openai/', undefined],
    ['', undefined],
    ['/', undefined],
  ])('"%s" is read as %j', (ref, parsed) => {
    expect(parseModelRef(ref)).toEqual(parsed);
  });
});

describe("an agent's profile", () => {
  it('is built in without any configuration', () => {
    expect(readAgentProfile(createConfig(), 'main')).toEqual({
      agentId: 'main',
      models: [],
      systemPrompt: undefined,
      maxTokens: 8_192,
      temperature: undefined,
      historyLimit: 50,
    });
  });

  it("takes the agent's own settings before the defaults of all, each by itself", () => {
    const config = createConfig({
      agents: {
        defaults: { model: 'a/b', systemPrompt: 'All.', temperature: 0.5, historyLimit: 0 },
        list: [
          { id: 'own', model: { primary: 'c/d', fallbacks: ['e/f'] }, temperature: 0, systemPrompt: '' },
          { id: 'plain' },
        ],
      },
    });
    expect(readAgentProfile(config, 'own')).toMatchObject({
      models: ['c/d', 'e/f'],
      systemPrompt: '',
      temperature: 0,
      historyLimit: 0,
    });
    expect(readAgentProfile(config, 'plain')).toMatchObject({
      models: ['a/b'],
      systemPrompt: 'All.',
      temperature: 0.5,
    });
    expect(readAgentProfile(config, 'unknown')).toMatchObject({ models: ['a/b'] });
  });
});
