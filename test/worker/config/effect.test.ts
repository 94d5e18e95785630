import { expect, it } from 'vitest';
import { planChanges } from '../../../worker/config/effect.ts';

it.each([
  ['logging.level', 'live'],
  ['gateway.auth.token', 'live'],
  ['gateway.auth.tokens', 'restart'],
  ['gateway.auth.mode', 'restart'],
  ['gateway.port', 'start'],
  ['agents.defaults.model.primary', 'live'],
  ['agents.maxConcurrentTurns', 'restart'],
  ['channels.telegram.botToken', 'restart'],
  ['something.new', 'restart'],
] as const)('a change of %s takes effect: %s', (path, effect) => {
  expect(planChanges([path])).toEqual([{ path, effect }]);
});
