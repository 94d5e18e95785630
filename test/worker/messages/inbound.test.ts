import { describe, expect, it, vi } from 'vitest';
import { ProviderError } from '../../../worker/agent/providers/provider.ts';
import { endless } from '../scripted-provider.ts';
import { openTemporaryStore, sessionOf } from '../temporary-store.ts';
import { incoming, receive, startConversations, transcriptOf, untilIdle } from './conversations.ts';

describe('a message from a channel', () => {
  it('is stored before the channel may confirm it, together with its cursor', async () => {
    const gateway = await startConversations();
    gateway.provider.answers.push(endless());
    await gateway.channel.context().receive('default', [incoming('1', 'hello')], '17');
    expect(await gateway.store.inbox.count()).toBe(1);
    expect(await gateway.channel.context().readCursor('default')).toBe('17');
    expect(gateway.seen.find(({ type }) => type === 'message.received')).toMatchObject({
      session: sessionOf('1'),
      data: { channel: 'test', chat_id: '1', sender_id: '1', content: 'hello' },
    });
  });

  it('gets the answer of the model, in transcript, chat and events', async () => {
    const gateway = await startConversations();
    gateway.provider.answers.push('Good day.');
    await receive(gateway, incoming('1', 'hello'));
    await untilIdle(gateway);
    expect(gateway.channel.textsOf('1')).toEqual(['Good day.']);
    expect(await transcriptOf(gateway, '1')).toEqual([
      ['user', 'text', 'hello'],
      ['assistant', 'text', 'Good day.'],
    ]);
    const [, answer] = await gateway.store.sessions.messages(sessionOf('1'), { limit: 5 });
    expect(answer).toMatchObject({ model: 'scripted/model', usage: { inputTokens: 3, outputTokens: 5 } });
    const types = gateway.seen
      .filter(({ type }) => type === 'agent.stream')
      .map(({ data }) => (data as { event: { type: string } }).event.type);
    expect(types).toEqual(['status', 'token', 'result']);
  });

  it('reaches the model after the history of its session, without errors that were shown', async () => {
    const gateway = await startConversations();
    gateway.provider.answers.push('one', new ProviderError('invalid', 'broken'), 'three');
    for (const text of ['first', 'second', 'third']) {
      await receive(gateway, incoming('1', text));
      await untilIdle(gateway);
    }
    expect(gateway.provider.requests.at(-1)?.messages.map(({ role, text }) => `${role}: ${text}`)).toEqual([
      'user: first',
      'assistant: one',
      'user: second',
      'assistant: (This was not answered because of a failure.)',
      'user: third',
    ]);
  });

  it('that was delivered before is ignored', async () => {
    const gateway = await startConversations();
    const message = incoming('1', 'hello');
    await receive(gateway, message);
    await receive(gateway, message, incoming('1', 'next'));
    await untilIdle(gateway);
    await receive(gateway, message);
    await untilIdle(gateway);
    expect(gateway.channel.textsOf('1')).toEqual(['echo: hello', 'echo: next']);
    expect(gateway.logged.filter(({ fields }) => fields['duplicates'] === 1)).toHaveLength(2);
  });

  it('from a group is answered as a reply, one in private is not', async () => {
    const gateway = await startConversations();
    await receive(
      gateway,
      incoming('1', 'hi', { peer: { kind: 'group', id: '-1', threadId: '5' }, messageId: '77' }),
      incoming('2', 'hi', { messageId: '78' }),
    );
    await untilIdle(gateway);
    expect(gateway.channel.sent.find(({ chatId }) => chatId === '-1')).toMatchObject({ replyTo: '77', threadId: '5' });
    expect(gateway.channel.sent.find(({ chatId }) => chatId === '2')?.replyTo).toBeUndefined();
  });

  it('by a worker without the lease is not taken in, and its cursor stays', async () => {
    const { store, open } = openTemporaryStore();
    const gateway = await startConversations({ store });
    await open().leases.take('w2');
    await expect(gateway.channel.context().receive('default', [incoming('1', 'hi')], '5')).rejects.toThrow('is over');
    expect(await store.inbox.count()).toBe(0);
    expect(await store.inbox.cursor('test', 'default')).toBeUndefined();
  });
});

describe('a stranger', () => {
  const policy = { dmPolicy: 'pairing', groupPolicy: 'allowlist' } as const;

  it('is told a code once instead of an answer, and is answered after the owner approved', async () => {
    const gateway = await startConversations({ policy });
    await receive(gateway, incoming('7', 'hello', { senderName: 'Ann' }), incoming('7', 'hello?'));
    await untilIdle(gateway);
    await vi.waitFor(() => expect(gateway.channel.textsOf('7')).toHaveLength(1), { interval: 5 });
    const [pairing] = await gateway.store.pairings.list();
    expect(pairing).toMatchObject({ peerId: '7', name: 'Ann', state: 'pending' });
    expect(gateway.channel.textsOf('7')[0]).toContain(`pairing approve ${pairing?.code}`);
    expect(gateway.provider.requests).toEqual([]);
    await gateway.store.pairings.approve(pairing?.code ?? '');
    await receive(gateway, incoming('7', 'and now?'));
    await untilIdle(gateway);
    expect(gateway.channel.textsOf('7')[1]).toBe('echo: and now?');
  });

  it('whose code was made when the gateway crashed is told it with the next message', async () => {
    const { store } = openTemporaryStore();
    const expiresAt = Date.now() + 60_000;
    await store.pairings.request({ channel: 'test', accountId: 'default', peerId: '7', code: 'LOSTCODE', expiresAt });
    const gateway = await startConversations({ store, policy });
    await receive(gateway, incoming('7', 'hello'));
    await vi.waitFor(() => expect(gateway.channel.textsOf('7')).toEqual([expect.stringContaining('LOSTCODE')]), {
      interval: 5,
    });
  });

  it('in a batch holds up neither the others nor the cursor', async () => {
    const { store } = openTemporaryStore();
    const gateway = await startConversations({ store, policy: { dmPolicy: 'allowlist', allowFrom: ['8'] } });
    await gateway.channel.context().receive('default', [incoming('7', 'let me in'), incoming('8', 'hi')], '9');
    await untilIdle(gateway);
    expect(gateway.channel.sent).toMatchObject([{ chatId: '8', text: 'echo: hi' }]);
    expect(await store.inbox.cursor('test', 'default')).toBe('9');
  });

  it('cannot go around that through a group, where no code is told either', async () => {
    const gateway = await startConversations({ policy });
    const inGroup = (senderId: string, text: string) =>
      incoming('-5', text, { peer: { kind: 'group', id: '-5' }, senderId });
    await receive(gateway, inGroup('7', 'hello'));
    await untilIdle(gateway);
    expect(await gateway.store.pairings.list()).toEqual([]);
    await receive(gateway, incoming('7', 'hello'));
    const [pairing] = await gateway.store.pairings.list();
    await gateway.store.pairings.approve(pairing?.code ?? '');
    await receive(gateway, inGroup('7', 'and now?'), inGroup('8', 'and me?'));
    await untilIdle(gateway);
    expect(gateway.channel.textsOf('-5')).toEqual(['echo: 7: and now?']);
  });
});
