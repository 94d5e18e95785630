import { describe, expect, it } from 'vitest';
import { openTemporaryStore } from '../temporary-store.ts';
import { incoming, receive, startConversations, untilIdle } from './conversations.ts';

const inGroup = (senderId: string, text: string, more: object = {}) =>
  incoming('-5', text, { peer: { kind: 'group', id: '-5' }, senderId, ...more });

describe('a group message', () => {
  it('that speaks to others is not answered, unless the group needs no mention', async () => {
    const strict = await startConversations();
    await receive(strict, inGroup('7', 'hello all', { isAddressed: false }), inGroup('7', 'hello bot'));
    await untilIdle(strict);
    expect(strict.channel.textsOf('-5')).toEqual(['echo: 7: hello all\n\n7: hello bot']);
    const free = await startConversations({ policy: { groups: new Map([['-5', { requireMention: false }]]) } });
    await receive(free, inGroup('7', 'hello all', { isAddressed: false }));
    await untilIdle(free);
    expect(free.channel.textsOf('-5')).toEqual(['echo: 7: hello all']);
  });

  it('of a stranger is in the log with the ids that would let it in, only when it spoke to the bot', async () => {
    const gateway = await startConversations({ policy: { groupPolicy: 'allowlist' } });
    await receive(gateway, inGroup('7', 'a'), inGroup('8', 'b', { isAddressed: false }));
    const entries = gateway.logged.filter(({ message }) => message === 'A message was not let in');
    expect(entries.map(({ level, fields }) => [level, fields['chat'], fields['sender'], fields['verdict']])).toEqual([
      ['info', '-5', '7', 'drop'],
      ['debug', '-5', '8', 'drop'],
    ]);
    expect(gateway.channel.sent).toEqual([]);
  });
});

it('the new wording of a message is not answered, makes no code, and is confirmed', async () => {
  const { store } = openTemporaryStore();
  const gateway = await startConversations({ store, policy: { dmPolicy: 'pairing', allowFrom: ['8'] } });
  const edits = ['7', '8'].map((id) => incoming(id, 'better', { isEdit: true }));
  await gateway.channel.context().receive('default', edits, '12');
  await untilIdle(gateway);
  expect(gateway.channel.sent).toEqual([]);
  expect(await store.pairings.list()).toEqual([]);
  expect(await store.inbox.cursor('test', 'default')).toBe('12');
});

it('a crowd of strangers is told three codes; the others hear nothing and are in the log once', async () => {
  const { store } = openTemporaryStore();
  const gateway = await startConversations({ store, policy: { dmPolicy: 'pairing' } });
  for (const id of ['1', '2', '3', '4', '5', '4']) await receive(gateway, incoming(id, 'hello'));
  await untilIdle(gateway);
  expect(gateway.channel.sent.map(({ chatId }) => chatId).sort()).toEqual(['1', '2', '3']);
  const warnings = gateway.logged.filter(({ message }) => message.startsWith('Three people wait'));
  expect(warnings.map(({ level, fields }) => [level, fields['sender']])).toEqual([['warn', '4']]);
  const [first] = await store.pairings.list();
  await store.pairings.approve(first?.code ?? '');
  await receive(gateway, incoming('5', 'and now?'));
  await untilIdle(gateway);
  expect(gateway.channel.textsOf('5')).toEqual([expect.stringContaining('pairing approve')]);
});
