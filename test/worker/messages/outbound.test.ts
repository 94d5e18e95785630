import { describe, expect, it, vi } from 'vitest';
import { RateLimited } from '../../../worker/channels/plugin.ts';
import { REPEAT_MARK } from '../../../worker/messages/attempt.ts';
import { createGate, createScriptedChannel, untilCutOff } from '../scripted-channel.ts';
import { openTemporaryStore, outboxRow } from '../temporary-store.ts';
import { assemble, settled, startGateway, stored, to } from './deliveries.ts';

describe('a delivery', () => {
  it('is stored, sent and marked as sent with the id of the platform, and tells so in events', async () => {
    const gateway = await startGateway();
    const delivery = to('1', 'a', { silent: true, sessionKey: 's', runId: 'r' });
    delivery.target = { ...delivery.target, threadId: 't', replyTo: 'm' };
    const { rows, isRepeat } = await gateway.outbound.enqueue(delivery);
    expect(isRepeat).toBe(false);
    expect(rows).toMatchObject([{ part: 1, parts: 1, text: 'a' }]);
    const id = rows[0]?.id ?? '';
    await settled(gateway, 'a', 'sent');
    expect(gateway.channel.sent).toEqual([
      { id, accountId: 'default', chatId: '1', text: 'a', threadId: 't', replyTo: 'm', silent: true },
    ]);
    expect(stored(gateway, 'a')).toMatchObject({ remoteId: `remote-${id}`, attempts: 1 });
    await vi.waitFor(() =>
      expect(gateway.seen.map(({ type, session }) => [type, session])).toEqual([
        ['message.queued', 's'],
        ['message.sent', 's'],
      ]),
    );
    expect(gateway.seen[1]?.data).toMatchObject({
      message_id: id,
      chat_id: '1',
      run_id: 'r',
      remote_id: `remote-${id}`,
    });
  });

  it('with a key is sent once, however often it is handed in', async () => {
    const gateway = await startGateway();
    const once = { key: 'k', digest: 'd' };
    const receipts = await Promise.all([1, 2].map(() => gateway.outbound.enqueue(to('1', 'a'), once)));
    await settled(gateway, 'a', 'sent');
    receipts.push(await gateway.outbound.enqueue(to('1', 'other text'), once));
    await gateway.outbound.enqueue(to('1', 'b'));
    await settled(gateway, 'b', 'sent');
    expect(gateway.channel.textsOf('1')).toEqual(['a', 'b']);
    expect(receipts.map(({ isRepeat }) => isRepeat)).toEqual([false, true, true]);
    expect(new Set(receipts.map(({ rows }) => rows[0]?.id)).size).toBe(1);
    expect(gateway.seen.filter(({ type }) => type === 'message.queued')).toHaveLength(2);
  });

  it('that is too long goes out in parts, in order, only the first one as a reply', async () => {
    const gateway = await startGateway({ channel: createScriptedChannel({ textLimit: 200 }) });
    const text = Array.from({ length: 60 }, (_, index) => `word${index}`).join(' ');
    const delivery = to('1', 'a', { text });
    const { rows } = await gateway.outbound.enqueue({ ...delivery, target: { ...delivery.target, replyTo: '9' } });
    expect(rows.length).toBeGreaterThan(2);
    await settled(gateway, rows.at(-1)?.text ?? '', 'sent');
    expect(gateway.channel.sent.map(({ id }) => id)).toEqual(rows.map(({ id }) => id));
    expect(gateway.channel.sent.map(({ replyTo }) => replyTo)).toEqual(['9', ...rows.slice(1).map(() => undefined)]);
    expect(gateway.channel.textsOf('1').join(' ')).toBe(text);
    for (const { text: part } of rows) expect(part.length + REPEAT_MARK.length).toBeLessThanOrEqual(200);
  });

  it('keeps the order of a chat, while other chats and threads do not wait', async () => {
    const gateway = await startGateway();
    const gate = createGate();
    gateway.channel.script.set('slow', [gate.step]);
    for (const id of ['a', 'b', 'c']) await gateway.outbound.enqueue(to('slow', id));
    const thread = to('slow', 't');
    await gateway.outbound.enqueue({ ...thread, target: { ...thread.target, threadId: '7' } });
    for (const id of ['x', 'y']) await gateway.outbound.enqueue(to('quick', id));
    await settled(gateway, 'y', 'sent');
    await settled(gateway, 't', 'sent');
    expect(gateway.channel.sent.map(({ text }) => text)).not.toContain('b');
    expect(gateway.outbound.waiting).toBe(3);
    gate.pass();
    await settled(gateway, 'c', 'sent');
    expect(
      gateway.channel.sent.filter(({ threadId, chatId }) => threadId === undefined && chatId === 'slow'),
    ).toMatchObject([{ text: 'a' }, { text: 'b' }, { text: 'c' }]);
    await vi.waitFor(() => expect(gateway.outbound.waiting).toBe(0));
  });

  it('is not sent before the lease is held; then what waited goes first', async () => {
    const gateway = assemble();
    await gateway.outbound.enqueue(to('1', 'a'));
    await gateway.outbound.enqueue(to('1', 'b'));
    expect(gateway.channel.sent).toEqual([]);
    await gateway.start();
    await gateway.outbound.enqueue(to('1', 'c'));
    await settled(gateway, 'c', 'sent');
    expect(gateway.channel.textsOf('1')).toEqual(['a', 'b', 'c']);
  });

  it('that another worker committed is found, before later ones of ours, in order', async () => {
    const temporary = openTemporaryStore();
    const gateway = await startGateway({ temporary });
    await gateway.outbound.enqueue(to('1', 'first'));
    await settled(gateway, 'first', 'sent');
    await temporary
      .open()
      .outbox.enqueue([outboxRow('theirs', { chatId: '1' }), outboxRow('other chat', { chatId: '2' })]);
    await gateway.outbound.enqueue(to('1', 'ours'));
    await settled(gateway, 'ours', 'sent');
    await settled(gateway, 'other chat', 'sent');
    expect(gateway.channel.sent.filter(({ chatId }) => chatId === '1').map(({ text }) => text)).toEqual([
      'first',
      'theirs',
      'ours',
    ]);
  });

  it('that another worker committed is found within a moment when nothing else happens', async () => {
    const temporary = openTemporaryStore();
    const gateway = await startGateway({ temporary });
    await temporary.open().outbox.enqueue([outboxRow('theirs')]);
    await settled(gateway, 'theirs', 'sent');
  });

  it('is sent still when all older ones were removed from the store', async () => {
    const temporary = openTemporaryStore();
    const gateway = await startGateway({ temporary });
    for (const id of ['a', 'b', 'c']) await gateway.outbound.enqueue(to('1', id));
    await settled(gateway, 'c', 'sent');
    temporary.sql('UPDATE outbox SET updated_at=0');
    await temporary.store.prune();
    await gateway.outbound.enqueue(to('1', 'd'));
    await settled(gateway, 'd', 'sent');
  });
});

describe('a stop', () => {
  it('waits for what is being sent, marks it as sent, and begins nothing more', async () => {
    const gateway = await startGateway();
    const gate = createGate();
    gateway.channel.script.set('1', [gate.step]);
    await gateway.outbound.enqueue(to('1', 'a'));
    await gateway.outbound.enqueue(to('1', 'b'));
    await vi.waitFor(() => expect(gate.isReached()).toBe(true), { interval: 5 });
    const stopped = gateway.outbound.stop(5_000);
    gate.pass();
    await stopped;
    expect(stored(gateway, 'a')).toMatchObject({ state: 'sent', remoteId: 'late' });
    expect(stored(gateway, 'b')).toMatchObject({ state: 'queued', attempts: 0 });
    expect(gateway.channel.sent).toHaveLength(1);
  });

  it('cuts off what takes too long and leaves it as being sent, for the next start to judge', async () => {
    const gateway = await startGateway();
    gateway.channel.script.set('1', [untilCutOff]);
    await gateway.outbound.enqueue(to('1', 'a'));
    await vi.waitFor(() => expect(gateway.channel.sent).toHaveLength(1), { interval: 5 });
    const begun = Date.now();
    await gateway.outbound.stop(50);
    expect(Date.now() - begun).toBeLessThan(1_000);
    expect(stored(gateway, 'a')).toMatchObject({ state: 'sending', attempts: 1 });
  });

  it('does not wait for a channel that goes on although it was told to end', async () => {
    const gateway = await startGateway();
    gateway.channel.script.set('1', [() => new Promise(() => undefined)]);
    await gateway.outbound.enqueue(to('1', 'a'));
    await vi.waitFor(() => expect(gateway.channel.sent).toHaveLength(1), { interval: 5 });
    const begun = Date.now();
    await gateway.outbound.stop(50);
    expect(Date.now() - begun).toBeLessThan(1_000);
    expect(stored(gateway, 'a')).toMatchObject({ state: 'sending' });
  });

  it('ends all waiting at once and leaves what waits as it is', async () => {
    const gateway = await startGateway();
    gateway.channel.script.set('1', [new RateLimited('wait', 60_000)]);
    await gateway.outbound.enqueue(to('1', 'a'));
    await vi.waitFor(() => expect(stored(gateway, 'a')?.lastError).toBe('wait'), { interval: 5 });
    const begun = Date.now();
    await gateway.outbound.stop(5_000);
    expect(Date.now() - begun).toBeLessThan(1_000);
    expect(stored(gateway, 'a')).toMatchObject({ state: 'queued' });
  });

  it('and a start of the next worker hand every message over, each sent once', async () => {
    const temporary = openTemporaryStore();
    const old = await startGateway({ temporary });
    for (let index = 0; index < 30; index += 1) void old.outbound.enqueue(to(`${index % 3}`, `m${index}`));
    await vi.waitFor(() => expect(old.channel.sent.length).toBeGreaterThan(3), { interval: 1 });
    await old.outbound.stop(5_000);
    const next = await startGateway({ temporary, store: temporary.open(), owner: 'w2', channel: old.channel });
    await settled(next, 'm29', 'sent');
    await vi.waitFor(() => expect(next.outbound.waiting).toBe(0), { interval: 5 });
    const texts = old.channel.sent.map(({ text }) => text);
    expect([...texts].sort()).toEqual(Array.from({ length: 30 }, (_, index) => `m${index}`).sort());
    for (const chat of ['0', '1', '2']) {
      const order = old.channel.sent.filter(({ chatId }) => chatId === chat).map(({ text }) => Number(text.slice(1)));
      expect(order).toEqual([...order].sort((left, right) => left - right));
    }
  });
});

describe('a worker that lost the lease', () => {
  it('sends nothing more, and leaves it to the holder', async () => {
    const temporary = openTemporaryStore();
    const old = await startGateway({ temporary });
    await temporary.open().leases.take('w2');
    await old.outbound.enqueue(to('1', 'a'));
    await vi.waitFor(() => expect(old.outbound.waiting).toBe(0), { interval: 5 });
    expect(old.channel.sent).toEqual([]);
    expect(stored(old, 'a')).toMatchObject({ state: 'queued' });
  });
});

describe('a message to a local channel', () => {
  const local = (): ReturnType<typeof createScriptedChannel> =>
    createScriptedChannel({ isLocal: true, isIdempotent: true });

  it('has arrived when it is committed: nothing is sent, and both events tell so', async () => {
    const gateway = await startGateway({ channel: local() });
    const { rows } = await gateway.outbound.enqueue(to('1', 'a', { sessionKey: 's' }));
    const id = rows[0]?.id;
    expect(stored(gateway, 'a')).toMatchObject({ state: 'sent', attempts: 0 });
    expect(gateway.seen.map(({ type, session, data }) => [type, session, data])).toEqual([
      ['message.queued', 's', expect.objectContaining({ message_id: id, state: 'queued' })],
      ['message.sent', 's', expect.objectContaining({ message_id: id, state: 'sent', remote_id: id })],
    ]);
    expect(gateway.outbound.waiting).toBe(0);
    expect(gateway.channel.sent).toEqual([]);
  });

  it('waits for the worker that delivers when this one does not', async () => {
    const gateway = assemble({ channel: local() });
    await gateway.outbound.enqueue(to('1', 'a'));
    expect(stored(gateway, 'a')).toMatchObject({ state: 'queued' });
    expect(gateway.seen.map(({ type }) => type)).toEqual(['message.queued']);
    await gateway.start();
    await settled(gateway, 'a', 'sent');
    expect(gateway.channel.textsOf('1')).toEqual(['a']);
  });

  it('overtakes nothing that waits in its chat', async () => {
    const temporary = openTemporaryStore();
    await temporary.store.outbox.enqueue([outboxRow('old', { chatId: '1' })]);
    const channel = local();
    const gate = createGate();
    channel.script.set('1', [gate.step]);
    const gateway = await startGateway({ temporary, channel });
    await gateway.outbound.enqueue(to('1', 'new'));
    await gateway.outbound.enqueue(to('2', 'elsewhere'));
    expect(stored(gateway, 'new')).toMatchObject({ state: 'queued' });
    expect(stored(gateway, 'elsewhere')).toMatchObject({ state: 'sent' });
    gate.pass();
    await settled(gateway, 'new', 'sent');
    expect(channel.textsOf('1')).toEqual(['old', 'new']);
  });
});
