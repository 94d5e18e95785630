import { expect, it } from 'vitest';
import { readConfig } from '../../../lib/config/load.ts';
import { createLiveConfig } from '../../../worker/config/live-config.ts';

const read = (value: unknown) => readConfig(JSON.stringify(value), 'xopc.json', {}).config;

it('what holds the view reads what was taken, and nothing else of the other configuration', () => {
  const live = createLiveConfig(read({ agents: { default: 'a', turnTimeout: 1 }, logging: { level: 'warn' } }));
  const before = live.current();
  const { view } = live;
  live.take(read({ agents: { turnTimeout: 2 }, logging: { level: 'debug' } }), [
    'agents.default',
    'agents.turnTimeout',
  ]);
  expect(view.agents).toMatchObject({ turnTimeout: 2_000, list: [] });
  expect(view.agents.default).toBeUndefined();
  expect(view.logging.level).toBe('warn');
  expect(before.agents.default).toBe('a');
});
