import { describe, expect, it, vi } from 'vitest';
import { Rejected } from '../../../worker/channels/plugin.ts';
import { openTemporaryStore, outboxRow } from '../temporary-store.ts';
import { incoming, receive, startConversations } from './conversations.ts';
import { settled, startGateway, to } from './deliveries.ts';

const owner = { channel: 'test', chatId: 'owner' };

describe('a peer that is gone', () => {
  it('is not written to again until it writes itself', async () => {
    const gateway = await startGateway();
    gateway.channel.script.set('1', [new Rejected('blocked by the user', { isPeerGone: true })]);
    await gateway.outbound.enqueue(to('1', 'a'));
    await settled(gateway, 'a', 'failed');
    await gateway.outbound.enqueue(to('1', 'b'));
    await settled(gateway, 'b', 'failed');
    expect(gateway.channel.textsOf('1')).toEqual(['a']);
    await receive(gateway, incoming('1', 'I am back'));
    await vi.waitFor(() => expect(gateway.channel.textsOf('1')).toHaveLength(2));
    await gateway.outbound.enqueue(to('1', 'c'));
    await settled(gateway, 'c', 'sent');
  });

  it('is remembered over a restart, and tried again after an hour', async () => {
    const temporary = openTemporaryStore();
    const first = await startGateway({ temporary });
    first.channel.script.set('1', [new Rejected('blocked by the user', { isPeerGone: true })]);
    await first.outbound.enqueue(to('1', 'a'));
    await settled(first, 'a', 'failed');
    await first.outbound.stop(0);
    const second = await startGateway({ temporary });
    await second.outbound.enqueue(to('1', 'b'));
    await settled(second, 'b', 'failed');
    expect(second.channel.sent).toEqual([]);
    await second.outbound.stop(0);
    temporary.sql('UPDATE unreachable_peers SET since=since-3600001');
    const third = await startGateway({ temporary });
    await third.outbound.enqueue(to('1', 'c'));
    await settled(third, 'c', 'sent');
  });
});

it('a chat that was moved takes what waits for it along', async () => {
  const gateway = await startGateway();
  gateway.channel.script.set('-5', [async () => ({ remoteId: 'r', migratedTo: '-100' })]);
  await gateway.outbound.enqueue(to('-5', 'first'));
  await gateway.outbound.enqueue(to('-5', 'second'));
  await settled(gateway, 'second', 'sent');
  expect(gateway.channel.sent.map(({ chatId }) => chatId)).toEqual(['-5', '-100']);
});

describe('the owner', () => {
  it('is told of dead letters once an hour, and never of those in the own chat', async () => {
    const gateway = await startGateway({ config: { alerts: { owner } } });
    for (const chat of ['1', '2', 'owner']) gateway.channel.script.set(chat, [new Rejected('chat not found')]);
    await gateway.outbound.enqueue(to('owner', 'x'));
    await settled(gateway, 'x', 'failed');
    await gateway.outbound.enqueue(to('1', 'a'));
    await gateway.outbound.enqueue(to('2', 'b'));
    await settled(gateway, 'b', 'failed');
    await vi.waitFor(() => expect(gateway.channel.textsOf('owner')).toHaveLength(2));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(gateway.channel.textsOf('owner')).toEqual(['x', expect.stringContaining('chat not found')]);
  });
});

describe('a long queue', () => {
  it('is read in pages and delivered in order, each chat by itself', async () => {
    const temporary = openTemporaryStore();
    const rows = Array.from({ length: 2_500 }, (_none, index) => outboxRow(`${index}`, { chatId: `${index % 7}` }));
    await temporary.store.outbox.enqueue(rows);
    const gateway = await startGateway({ temporary });
    await vi.waitFor(() => expect(gateway.outbound.waiting).toBe(0), { timeout: 20_000 });
    expect(gateway.channel.sent).toHaveLength(2_500);
    const texts = gateway.channel.textsOf('3').map(Number);
    expect(texts).toEqual([...texts].sort((left, right) => left - right));
  });

  it('is dropped in part while it waits: what was dropped is not sent', async () => {
    const conversations = await startConversations();
    const { store, outbound, channel } = conversations;
    await outbound.stop(0);
    const { rows } = await outbound.enqueue(to('1', 'unwanted'));
    await outbound.enqueue(to('1', 'wanted'));
    expect(await store.outbox.drop(rows[0]?.id ?? '')).toMatchObject({ state: 'failed' });
    await conversations.start();
    await vi.waitFor(() => expect(channel.textsOf('1')).toEqual(['wanted']));
  });
});
