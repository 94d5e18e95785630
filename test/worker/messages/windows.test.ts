import { describe, expect, it, vi } from 'vitest';
import type { InboundMessage } from '../../../worker/channels/plugin.ts';
import { Unknown, Unreachable, WindowClosed } from '../../../worker/channels/plugin.ts';
import { createScriptedChannel } from '../scripted-channel.ts';
import { serveApp } from '../served-app.ts';
import { openTemporaryStore, type TemporaryStore } from '../temporary-store.ts';
import { passTime, type Started, settled, startGateway, stored, to } from './deliveries.ts';

const HOUR_MS = 3_600_000;

let next = 0;
function say(text: string, more: Partial<InboundMessage> = {}): InboundMessage {
  next += 1;
  return {
    accountId: 'default',
    peer: { kind: 'direct', id: '1' },
    senderId: '1',
    text,
    isAddressed: true,
    dedupeKey: `m${next}`,
    window: { token: `token-${next}`, sends: 3, ttlMs: HOUR_MS },
    sentAt: Date.now(),
    ...more,
  };
}

/** A platform that lets us say three things for each of the peer's. The agent is shut out: only what a test sends is counted. */
function start(temporary?: TemporaryStore): Promise<Started> {
  return startGateway({
    channel: createScriptedChannel({ hasWindows: true }),
    policy: { dmPolicy: 'disabled' },
    ...(temporary === undefined ? {} : { temporary }),
  });
}

const receive = (gateway: Started, message: InboundMessage): Promise<unknown> =>
  gateway.inbound.receive({ channel: 'test', accountId: 'default', messages: [message] });

const sendAll = async (gateway: Started, texts: readonly string[]): Promise<void> => {
  for (const text of texts) await gateway.outbound.enqueue(to('1', text));
};

const held = (gateway: Started): unknown[] =>
  gateway.seen.filter(({ type }) => type === 'message.held').map(({ data }) => (data as { content: string }).content);

const isHeld = (gateway: Started, text: string): Promise<void> =>
  vi.waitFor(() => expect(held(gateway)).toContain(text));

const chat = { channel: 'test', accountId: 'default', chatId: '1' };

describe('what is over the number that the platform allows', () => {
  it('is held, in order, and sent when the peer writes', async () => {
    const gateway = await start();
    await receive(gateway, say('hello'));
    await sendAll(gateway, ['a', 'b', 'c', 'd', 'e']);
    await isHeld(gateway, 'd');
    expect(gateway.channel.textsOf('1')).toEqual(['a', 'b', 'c']);
    await receive(gateway, say('go on'));
    await settled(gateway, 'e', 'sent');
    expect(gateway.channel.textsOf('1')).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(gateway.channel.sent.at(-1)?.window).toMatchObject({ token: `token-${next}`, sendsLeft: 2 });
    expect(held(gateway)).toEqual(['d']);
  });

  it('is still held after a restart', async () => {
    const gateway = await start();
    await receive(gateway, say('hello'));
    await sendAll(gateway, ['a', 'b', 'c', 'd']);
    await isHeld(gateway, 'd');
    await passTime(gateway);
    await vi.waitFor(() => expect(gateway.outbound.waiting).toBe(1));
    expect(gateway.channel.textsOf('1')).toEqual(['a', 'b', 'c']);
    await receive(gateway, say('go on'));
    await settled(gateway, 'd', 'sent');
  });

  it('is held when the peer never wrote, or long ago', async () => {
    const gateway = await start();
    await sendAll(gateway, ['a']);
    await isHeld(gateway, 'a');
    await receive(gateway, say('x', { window: { token: 't', sends: 3, ttlMs: 0 } }));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(gateway.channel.sent).toEqual([]);
    await receive(gateway, say('y'));
    await settled(gateway, 'a', 'sent');
  });

  it('does not keep other chats, and ends when it is too old', async () => {
    const gateway = await start();
    await sendAll(gateway, ['a']);
    await isHeld(gateway, 'a');
    await receive(gateway, say('hello', { peer: { kind: 'direct', id: '2' } }));
    await gateway.outbound.enqueue(to('2', 'b'));
    await settled(gateway, 'b', 'sent');
    gateway.temporary.sql('UPDATE outbox SET expires_at=0');
    await passTime(gateway);
    await settled(gateway, 'a', 'failed');
  });
});

describe('the count', () => {
  const left = async (gateway: Started): Promise<number | undefined> =>
    (await gateway.store.windows.get(chat))?.sendsLeft;

  it('does not begin anew with a message that comes a second time, whose token counts', async () => {
    const gateway = await startGateway({ channel: createScriptedChannel({ hasWindows: true }) });
    const message = say('hello');
    await receive(gateway, message);
    await vi.waitFor(() => expect(gateway.channel.sent).toHaveLength(1));
    await receive(gateway, { ...message, window: { token: 'later', sends: 3, ttlMs: HOUR_MS } });
    expect(await gateway.store.windows.get(chat)).toMatchObject({ sendsLeft: 2, token: 'later' });
  });

  it('is for what may have been sent, and not for what certainly was not', async () => {
    const gateway = await start();
    await receive(gateway, say('hello'));
    gateway.channel.script.set('1', [new Unreachable('no route')]);
    await sendAll(gateway, ['a']);
    await vi.waitFor(() => expect(stored(gateway, 'a')?.lastError).toBe('no route'));
    expect(await left(gateway)).toBe(3);
    gateway.channel.script.set('1', [new Unknown('timeout')]);
    await passTime(gateway);
    await vi.waitFor(() => expect(stored(gateway, 'a')?.ambiguous).toBe(1));
    expect(await left(gateway)).toBe(2);
  });

  it('is over when the platform says so, whatever we counted', async () => {
    const gateway = await start();
    await receive(gateway, say('hello'));
    gateway.channel.script.set('1', [new WindowClosed('-2')]);
    await sendAll(gateway, ['a', 'b']);
    await isHeld(gateway, 'a');
    await vi.waitFor(async () => expect(await left(gateway)).toBe(0));
    expect(stored(gateway, 'a')).toMatchObject({ state: 'queued', lastError: '-2', attempts: 1 });
    await receive(gateway, say('go on'));
    await settled(gateway, 'b', 'sent');
    expect(gateway.channel.textsOf('1')).toEqual(['a', 'a', 'b']);
  });
});

it('who orders a message is told that it is held, and not that it is on its way', async () => {
  const { store } = openTemporaryStore();
  const served = await serveApp({
    store,
    channel: createScriptedChannel({ hasWindows: true }),
    policy: { dmPolicy: 'disabled' },
  });
  const order = (content: string) => served.call('POST', '/api/message', { channel: 'test', chat_id: '1', content });
  const answer = await order('a');
  expect(answer).toMatchObject({
    status: 202,
    body: { status: 'held', reason: expect.stringContaining('writes again') },
  });
  await vi.waitFor(async () => {
    const { body } = await served.call('GET', `/api/message/${answer.body['message_id']}`);
    expect(body['message']).toMatchObject({ state: 'held' });
  });
  await served.inbound.receive({ channel: 'test', accountId: 'default', messages: [say('hello')] });
  await vi.waitFor(() => expect(served.channel.textsOf('1')).toEqual(['a']));
  expect(await order('b')).toMatchObject({ status: 200, body: { status: 'ok' } });
});
