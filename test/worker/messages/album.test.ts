import { expect, it } from 'vitest';
import type { InboundMessage } from '../../../worker/channels/plugin.ts';
import { inboxRow } from '../temporary-store.ts';
import { incoming, receive, startConversations, untilIdle } from './conversations.ts';

const photo = (ref: string) => ({ kind: 'image', ref }) as const;

it('the messages of an album become one question, and what follows waits for it', async () => {
  const gateway = await startConversations();
  await receive(gateway, incoming('1', 'look', { albumId: 'a', files: [photo('p1')] }));
  await receive(
    gateway,
    incoming('1', '', { albumId: 'a', files: [photo('p2')] }),
    incoming('1', 'afterwards'),
    incoming('2', 'other chat'),
  );
  await untilIdle(gateway);
  expect(gateway.channel.textsOf('1')).toEqual([expect.stringContaining('echo: look'), 'echo: afterwards']);
  expect(gateway.channel.textsOf('2')).toEqual(['echo: other chat']);
  expect(gateway.provider.requests).toHaveLength(3);
});

const inGroup = (text: string, more: Partial<InboundMessage> = {}) =>
  incoming('-5', text, {
    peer: { kind: 'group', id: '-5' },
    senderId: '7',
    albumId: 'a',
    files: [photo(text)],
    ...more,
  });

it.each([
  ['first', ['look', 'p2', 'p3'], 0],
  ['last', ['p1', 'p2', 'look'], 2],
])(
  'in a group one mention asks for the whole album, also when it stands under the %s picture',
  async (_which, texts, at) => {
    const gateway = await startConversations({ filesDir: '/nonexistent' });
    const parts = texts.map((text, index) =>
      inGroup(index === at ? text : '', { isAddressed: index === at, files: [photo(`p${index}`)] }),
    );
    await receive(gateway, ...parts.slice(0, 1));
    await receive(gateway, ...parts.slice(1));
    await untilIdle(gateway);
    expect(gateway.provider.requests).toHaveLength(1);
    const asked = gateway.provider.requests[0]?.messages.at(-1)?.text.split('\n') ?? [];
    expect(asked[0]).toBe('7: look');
    expect(asked.filter((line) => line.trim().startsWith('[image'))).toHaveLength(3);
    const told = gateway.seen.filter(({ type }) => type === 'message.received');
    expect(told.map(({ data }) => data)).toMatchObject([{ content: 'look', files: [{ media_type: 'photo' }] }]);
  },
);

it('in a group an album that asks nobody is no question, and leaves nothing behind', async () => {
  const gateway = await startConversations();
  const quiet = { isAddressed: false };
  await receive(gateway, inGroup('', quiet), inGroup('/stop', quiet), inGroup('', { ...quiet, albumId: 'b' }));
  await receive(gateway, incoming('-5', 'and you?', { peer: { kind: 'group', id: '-5' } }));
  await untilIdle(gateway);
  expect(gateway.channel.textsOf('-5')).toEqual([expect.stringContaining('and you?')]);
  expect(gateway.provider.requests).toHaveLength(1);
});

it('an album that a restart found incomplete is asked when it is complete', async () => {
  const gateway = await startConversations();
  const { store } = gateway;
  const row = { ...inboxRow('r1', '1', { text: 'look' }), album: { id: 'a', waitMs: 300, isAside: false } };
  await store.inbox.receive({ rows: [row] });
  await gateway.inbound.wakeAll();
  await untilIdle(gateway);
  expect(gateway.channel.textsOf('1')).toEqual(['echo: look']);
});
