import { expect, it } from 'vitest';
import { listAccounts } from '../../worker/channel-views.ts';
import { channel, openRegistry } from './channels/channel-bench.ts';

it('shows every account, and a channel that is down as a whole although it has none', () => {
  const fails = (): never => {
    throw new Error('no such account');
  };
  const { registry } = openRegistry([
    channel('broken', { init: fails }),
    channel('quiet'),
    channel('busy', { status: () => [{ accountId: 'work', state: 'conflict', since: 7 }] }),
  ]);
  expect(listAccounts(registry.list())).toEqual([
    { channel: 'broken', accountId: '*', state: 'down', since: expect.any(Number) },
    { channel: 'busy', accountId: 'work', state: 'conflict', since: 7 },
  ]);
});
