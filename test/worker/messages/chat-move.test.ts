import { expect, it } from 'vitest';
import { OPEN } from '../policies.ts';
import { incoming, receive, startConversations, untilIdle } from './conversations.ts';

const inGroup = (id: string) => ({ peer: { kind: 'group' as const, id } });
const moved = { ...inGroup('-100'), movedFrom: '-5', isAddressed: false };

it('a conversation goes on in the chat that its group became, however often that is told', async () => {
  const gateway = await startConversations();
  await receive(gateway, incoming('1', 'before', inGroup('-5')));
  await untilIdle(gateway);
  await receive(gateway, incoming('1', '', moved), incoming('1', '', moved), incoming('1', 'after', inGroup('-100')));
  await untilIdle(gateway);
  expect(gateway.provider.requests.at(-1)?.messages.map(({ text }) => text)).toEqual([
    '1: before',
    'echo: 1: before',
    '1: after',
  ]);
  expect(gateway.channel.textsOf('-100')).toEqual(['echo: 1: after']);
  expect(gateway.provider.requests).toHaveLength(2);
});

it('the operator is told which line of the configuration still names the old chat', async () => {
  const groups = new Map([['-5', {}]]);
  const gateway = await startConversations({ policy: { ...OPEN, groups } });
  await receive(gateway, incoming('1', '', moved));
  const warning = gateway.logged.find(({ level }) => level === 'warn');
  expect(warning?.message).toContain('change the key "-5" to "-100" in channels.test.groups');
  groups.set('-100', {});
  await receive(gateway, incoming('1', '', moved));
  expect(gateway.logged.filter(({ level }) => level === 'warn')).toHaveLength(1);
});
