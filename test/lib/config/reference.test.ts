import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NOT_USED_YET } from '../../../lib/config/describe.ts';
import { buildConfigJsonSchema } from '../../../lib/config/json-schema.ts';
import { readConfig } from '../../../lib/config/load.ts';
import { renderReference } from '../../../lib/config/reference.ts';

const docs = join(import.meta.dirname, '../../../docs');

type Node = { description?: string; [key: string]: unknown };

/** Keys without a text of their own. What an unused section holds is told by its text. */
function findSilent(node: Node, path: string): string[] {
  if (node.description?.endsWith(NOT_USED_YET) === true) return [];
  const inner = [node['additionalProperties'], node['items'], ...((node['anyOf'] as Node[] | undefined) ?? [])];
  return [
    ...Object.entries((node['properties'] as Record<string, Node> | undefined) ?? {}).flatMap(([key, item]) => [
      ...(item.description === undefined ? [`${path}${key}`] : []),
      ...findSilent(item, `${path}${key}.`),
    ]),
    ...inner.flatMap((item) => (typeof item === 'object' && item !== null ? findSilent(item as Node, path) : [])),
  ];
}

describe('the reference of the configuration', () => {
  it('tells of every setting', () => {
    const chain = ['primary', 'fallbacks'];
    const silent = findSilent(buildConfigJsonSchema() as Node, '').filter(
      (path) => !chain.includes(path.split('.').at(-1) ?? ''),
    );
    expect(silent).toEqual([]);
  });

  // Write them anew with: npx vitest run test/lib/config/reference.test.ts -u
  it('is the one in docs/, in both languages', async () => {
    await expect(renderReference('en')).toMatchFileSnapshot(join(docs, 'config.md'));
    await expect(renderReference('zh')).toMatchFileSnapshot(join(docs, 'config.zh-CN.md'));
  });
});

describe('a setting of a feature that is still to come', () => {
  it('is checked and accepted, and a warning says that it has no effect', () => {
    const text = JSON.stringify({
      cron: { enabled: true },
      extensions: { enabled: ['weather'], weather: { city: 'x' } },
      channels: { feishu: { enabled: true, appId: 'x' } },
      agents: { defaults: { imageModel: 'a/b' } },
    });
    expect(readConfig(text, 'xopc.json', {}).warnings.map(({ path }) => path)).toEqual([
      'cron',
      'extensions',
      'channels.feishu',
      'agents.defaults.imageModel',
    ]);
    expect(() => readConfig('{"cron": {"maxConcurrentJobs": "x"}}', 'xopc.json', {})).toThrow('cron.maxConcurrentJobs');
  });
});

describe('an older spelling', () => {
  const load = (value: unknown): ReturnType<typeof readConfig> => readConfig(JSON.stringify(value), 'xopc.json', {});

  it('means the same as the one of today', () => {
    const { config, warnings } = load({
      agents: { defaults: { max_tokens: 5 }, list: [{ id: 'a', systemPromptOverride: 'x' }] },
      providers: { p: { baseUrl: 'http://p', request: { timeoutMs: 1_500, headers: { a: 'b' } } } },
    });
    expect(config.agents).toMatchObject({ defaults: { maxTokens: 5 }, list: [{ systemPrompt: 'x' }] });
    expect(config.providers['p']).toMatchObject({ requestTimeout: 1_500, headers: { a: 'b' } });
    expect(warnings).toEqual([]);
    expect(load({ heartbeat: { intervalMs: 5_000 } }).config.gateway.heartbeat).toEqual({ intervalMs: 5_000 });
  });

  it('that contradicts the one of today is an error', () => {
    expect(() => load({ agents: { defaults: { max_tokens: 5, maxTokens: 6 } } })).toThrow('agents.defaults.maxTokens');
  });
});
