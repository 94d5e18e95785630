import { describe, expect, it, vi } from 'vitest';
import { RateLimited, Rejected, Unknown, Unreachable } from '../../../worker/channels/plugin.ts';
import { REPEAT_MARK } from '../../../worker/messages/attempt.ts';
import type { OutboxState } from '../../../worker/store/outbox-row.ts';
import { createScriptedChannel } from '../scripted-channel.ts';
import { enqueueOne, openTemporaryStore, outboxRow, type TemporaryStore } from '../temporary-store.ts';
import { assemble, failedOnce, passTime, settled, startGateway, stored, to } from './deliveries.ts';

describe('a failure', () => {
  it('that the platform asks to wait for is waited for as long as it says, and the next one stays behind', async () => {
    const gateway = await startGateway();
    gateway.channel.script.set('1', [new RateLimited('slow down', 120.5)]);
    const begun = Date.now();
    await gateway.outbound.enqueue(to('1', 'a'));
    await gateway.outbound.enqueue(to('1', 'b'));
    await vi.waitFor(() => expect(stored(gateway, 'a')?.lastError).toBe('slow down'), { interval: 5 });
    await settled(gateway, 'b', 'sent');
    expect(Date.now() - begun).toBeGreaterThanOrEqual(118);
    expect(gateway.channel.sent.map(({ text }) => text)).toEqual(['a', 'a', 'b']);
    expect(gateway.channel.textsOf('1')[1]).toBe('a');
  });

  it.each([
    [0, 1_000],
    [3, 8_000],
    [40, 60_000],
  ])('to reach the platform after %i others is retried about %i ms later, without a mark', async (attempts, waitMs) => {
    const temporary = openTemporaryStore();
    await temporary.store.outbox.enqueue([outboxRow('a', { chatId: '1' })]);
    temporary.sql(`UPDATE outbox SET attempts=${attempts}`);
    const gateway = assemble({ temporary });
    gateway.channel.script.set('1', [new Unreachable('no route')]);
    await gateway.start();
    const row = await failedOnce(gateway, 'no route');
    const waits = row.nextAt - row.updatedAt;
    expect(waits).toBeGreaterThanOrEqual(waitMs * 0.8);
    expect(waits).toBeLessThanOrEqual(waitMs * 1.2);
    expect(row).toMatchObject({ state: 'queued', ambiguous: 0, attempts: attempts + 1 });
    await passTime(gateway);
    await settled(gateway, 'a', 'sent');
    expect(gateway.channel.textsOf('1')).toEqual(['a', 'a']);
  });

  it('that is a refusal ends it at once, says why, and the next one goes on', async () => {
    const gateway = await startGateway();
    gateway.channel.script.set('1', [new Rejected('the bot was blocked')]);
    await gateway.outbound.enqueue(to('1', 'a', { sessionKey: 's' }));
    await gateway.outbound.enqueue(to('1', 'b'));
    await settled(gateway, 'b', 'sent');
    expect(stored(gateway, 'a')).toMatchObject({ state: 'failed', lastError: 'the bot was blocked' });
    expect(gateway.seen.find(({ type }) => type === 'message.failed')).toMatchObject({
      session: 's',
      data: { content: 'a', reason: 'the bot was blocked' },
    });
  });

  it.each([
    ['resend', ['a', 'a']],
    ['resend-marked', ['a', `a${REPEAT_MARK}`]],
  ] as const)(
    'of which nobody knows whether it arrived is repeated as the policy %s says',
    async (ambiguous, texts) => {
      const temporary = openTemporaryStore();
      const gateway = await startGateway({ temporary, config: { outbox: { ambiguous } } });
      gateway.channel.script.set('1', [new Unknown('connection reset')]);
      await gateway.outbound.enqueue(to('1', 'a'));
      const row = await failedOnce(gateway, 'connection reset');
      expect(row).toMatchObject({ state: 'queued', ambiguous: 1 });
      expect(row.nextAt - row.updatedAt).toBeGreaterThanOrEqual(800);
      await passTime(gateway);
      await settled(gateway, 'a', 'sent');
      expect(gateway.channel.textsOf('1')).toEqual(texts);
    },
  );

  it.each([
    ['without an answer', new Unknown('connection reset')],
    ['of an unexpected kind', new TypeError('oops')],
  ])('%s ends it under the policy drop: nobody knows whether it arrived', async (_what, error) => {
    const gateway = await startGateway({ config: { outbox: { ambiguous: 'drop' } } });
    gateway.channel.script.set('1', [error]);
    await gateway.outbound.enqueue(to('1', 'a'));
    await settled(gateway, 'a', 'unknown');
    expect(gateway.channel.sent).toHaveLength(1);
  });

  it('that stays unknown is given up after five times', async () => {
    const temporary = openTemporaryStore();
    await temporary.store.outbox.enqueue([outboxRow('a', { chatId: '1' })]);
    temporary.sql('UPDATE outbox SET ambiguous=4');
    const gateway = assemble({ temporary });
    gateway.channel.script.set('1', [new Unknown('reset')]);
    await gateway.start();
    await settled(gateway, 'a', 'unknown');
  });

  it('of an idempotent channel is repeated without a mark', async () => {
    const temporary = openTemporaryStore();
    const gateway = await startGateway({ temporary, channel: createScriptedChannel({ isIdempotent: true }) });
    gateway.channel.script.set('1', [new Unknown('reset')]);
    await gateway.outbound.enqueue(to('1', 'a'));
    await failedOnce(gateway, 'reset');
    await passTime(gateway);
    await settled(gateway, 'a', 'sent');
    expect(gateway.channel.textsOf('1')).toEqual(['a', 'a']);
  });

  it('of one chat holds up no other', async () => {
    const gateway = await startGateway();
    gateway.channel.script.set('1', [new RateLimited('wait', 60_000)]);
    await gateway.outbound.enqueue(to('1', 'a'));
    await gateway.outbound.enqueue(to('2', 'b'));
    await settled(gateway, 'b', 'sent');
    expect(stored(gateway, 'a')).toMatchObject({ state: 'queued' });
  });
});

describe('age', () => {
  it('makes a message that nobody needs any more a dead letter, unsent', async () => {
    const temporary = openTemporaryStore();
    await temporary.store.outbox.enqueue([
      outboxRow('old', { chatId: '1', expiresAt: Date.now() - 1 }),
      outboxRow('new', { chatId: '1' }),
    ]);
    const gateway = await startGateway({ temporary });
    await settled(gateway, 'new', 'sent');
    expect(stored(gateway, 'old')).toMatchObject({ state: 'failed', lastError: expect.stringContaining('too old') });
    expect(gateway.channel.sent.map(({ text }) => text)).toEqual(['new']);
  });

  it('ends the waiting for a platform that asks for more than that', async () => {
    const gateway = await startGateway();
    gateway.channel.script.set('1', [new RateLimited('wait an hour', 3_600_000)]);
    await gateway.store.outbox.enqueue([outboxRow('a', { chatId: '1', expiresAt: Date.now() + 300 })]);
    await gateway.outbound.enqueue(to('1', 'b'));
    await settled(gateway, 'b', 'sent');
    expect(stored(gateway, 'a')).toMatchObject({ state: 'failed' });
    expect(gateway.channel.sent.map(({ text }) => text)).toEqual(['a', 'b']);
  });
});

describe('a start', () => {
  async function leaveSending(): Promise<TemporaryStore> {
    const temporary = openTemporaryStore();
    const epoch = await temporary.store.leases.take('gone');
    const row = await enqueueOne(temporary.store, 'a', { chatId: '1' });
    await temporary.store.outbox.markSending(row, { epoch, hasWindows: false });
    return temporary;
  }

  it.each([
    ['resend', 'sent', ['a']],
    ['resend-marked', 'sent', [`a${REPEAT_MARK}`]],
    ['drop', 'unknown', []],
  ] as const)('that finds a message half sent follows the policy %s', async (ambiguous, state, texts) => {
    const temporary = await leaveSending();
    const gateway = await startGateway({ temporary, config: { outbox: { ambiguous } } });
    await settled(gateway, 'a', state);
    expect(gateway.channel.textsOf('1')).toEqual(texts);
  });

  it('keeps a message for a channel that is not there, and tells why', async () => {
    const gateway = await startGateway({ plugins: [] });
    await gateway.outbound.enqueue(to('1', 'a'));
    await vi.waitFor(() =>
      expect(stored(gateway, 'a')).toMatchObject({
        state: 'queued',
        lastError: 'the channel test is not enabled',
      }),
    );
    await gateway.outbound.stop(0);
    const row = await gateway.store.outbox.bySeq(1);
    expect(row?.nextAt).toBeGreaterThan(Date.now());
  });

  it('never has an idempotent channel in the state "sending": a crash needs no caution', async () => {
    const gateway = await startGateway({ channel: createScriptedChannel({ isIdempotent: true }) });
    const states: (OutboxState | undefined)[] = [];
    gateway.channel.script.set('1', [
      async () => {
        states.push(stored(gateway, 'a')?.state);
        return { remoteId: 'r' };
      },
    ]);
    await gateway.outbound.enqueue(to('1', 'a'));
    await settled(gateway, 'a', 'sent');
    expect(states).toEqual(['queued']);
  });
});

describe('the pace of the platform', () => {
  it('is kept before a message is taken in hand, and only by the chat that it concerns', async () => {
    const channel = createScriptedChannel();
    const paced = { ...channel, bookSend: ({ chatId }: { chatId: string }) => (chatId === '1' ? 150 : 0) };
    const gateway = await startGateway({ channel: paced });
    const begun = Date.now();
    await gateway.outbound.enqueue(to('1', 'slow'));
    await gateway.outbound.enqueue(to('2', 'quick'));
    await settled(gateway, 'quick', 'sent');
    expect(stored(gateway, 'slow')).toMatchObject({ state: 'queued', attempts: 0 });
    await settled(gateway, 'slow', 'sent');
    expect(Date.now() - begun).toBeGreaterThanOrEqual(149);
  });
});
