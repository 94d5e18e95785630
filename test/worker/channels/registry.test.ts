import { describe, expect, it, vi } from 'vitest';
import { type AccountStatus, type ChannelState, Rejected, Unreachable } from '../../../worker/channels/plugin.ts';
import { defineChannel } from '../../../worker/channels/registry.ts';
import { createWebchatChannel } from '../../../worker/channels/webchat.ts';
import { createScriptedChannel } from '../scripted-channel.ts';
import { channel, openRegistry } from './channel-bench.ts';

const message = { id: '1', accountId: 'default', chatId: '1', text: 'hi' };
const never = new AbortController().signal;

describe('a channel', () => {
  it('is asked for its limits; one that is not there has the usual one', () => {
    const { registry } = openRegistry([
      defineChannel(() => createScriptedChannel({ id: 'small', textLimit: 7, isIdempotent: true })),
    ]);
    const limitOf = (channel: string, reserve = 0): number =>
      registry.textLimit({ channel, accountId: 'default' }, reserve);
    expect([limitOf('small'), limitOf('small', 2), limitOf('none')]).toEqual([7, 5, 4_000]);
    expect([registry.isIdempotent('small'), registry.isIdempotent('none')]).toEqual([true, undefined]);
    expect([registry.isLocal('small'), registry.isLocal('none')]).toEqual([false, false]);
    expect([registry.has('small'), registry.has('none')]).toEqual([true, false]);
  });

  it('cuts as short as an account wishes, never longer than its platform takes', () => {
    const wishes = new Map([
      ['short', 3],
      ['long', 90],
    ]);
    const plugin = createScriptedChannel({ id: 'small', textLimit: 7 });
    const { registry } = openRegistry([
      defineChannel(() => ({ ...plugin, chunkLimit: (accountId) => wishes.get(accountId) })),
    ]);
    const limitOf = (accountId: string): number => registry.textLimit({ channel: 'small', accountId }, 1);
    expect(['short', 'long', 'other'].map(limitOf)).toEqual([3, 6, 6]);
  });

  it('that is not there is not reached', async () => {
    const { registry } = openRegistry([]);
    const target = { accountId: 'default', chatId: '1', remoteId: '1', text: 'hi' };
    await expect(registry.send('none', message, never)).rejects.toThrow(Unreachable);
    expect(registry.edit('none', target, never)).toBeUndefined();
    expect(registry.streaming('none', 'default', 'direct')).toBeUndefined();
    await expect(registry.fetchFile('none', { accountId: 'default', ref: '1' }, never)).rejects.toThrow(Unreachable);
  });

  it('hands out the files that came in; one that has none never will', async () => {
    const asked: unknown[] = [];
    const fetchFile = async (accountId: string, ref: string): Promise<ReadableStream<Uint8Array>> => {
      asked.push([accountId, ref]);
      return new ReadableStream();
    };
    const { registry } = openRegistry([channel('a', { fetchFile }), channel('plain')]);
    await registry.fetchFile('a', { accountId: 'main', ref: '7' }, never);
    expect(asked).toEqual([['main', '7']]);
    await expect(registry.fetchFile('plain', { accountId: 'main', ref: '7' }, never)).rejects.toThrow(Rejected);
  });

  it('is started in its phase only, and once', async () => {
    const started: string[] = [];
    const note = (id: string) => ({ start: async () => void started.push(id) });
    const { registry } = openRegistry([channel('early', note('early')), channel('late', note('late'), true)]);
    await registry.start('before-listen');
    expect(started).toEqual(['early']);
    await registry.start('after-listen');
    await registry.start('after-listen');
    expect(started).toEqual(['early', 'late']);
  });

  it('is not started any more once the channels were stopped', async () => {
    const started: string[] = [];
    const { registry } = openRegistry([channel('a', { start: async () => void started.push('a') })]);
    await registry.stop();
    await registry.start('before-listen');
    expect(started).toEqual([]);
  });

  it('still sends after the intake was stopped', async () => {
    const { registry } = openRegistry([channel('a')]);
    await registry.start('before-listen');
    await registry.stop();
    expect(await registry.send('a', message, never)).toEqual({ remoteId: 'remote-1' });
  });
});

describe('the list of channels', () => {
  const account = (accountId: string, state: ChannelState): AccountStatus => ({ accountId, state, since: 1 });

  it.each<[ChannelState[], ChannelState]>([
    [['up', 'up'], 'up'],
    [['up', 'idle', 'starting'], 'starting'],
    [['degraded', 'up'], 'degraded'],
    [['conflict', 'degraded'], 'conflict'],
    [['up', 'down', 'conflict'], 'down'],
  ])('shows of accounts that are %j the worst: %s', async (states, state) => {
    const { registry } = openRegistry([
      channel('a', { status: () => states.map((one, index) => account(String(index), one)) }),
    ]);
    await registry.start('before-listen');
    expect(registry.list()).toMatchObject([{ id: 'a', label: 'a', state, restarts: 0, generation: 1 }]);
  });

  it('shows how a channel without accounts is by its life', async () => {
    const { registry } = openRegistry([defineChannel(createWebchatChannel)]);
    expect(registry.list()).toMatchObject([{ state: 'idle', accounts: [] }]);
    await registry.start('before-listen');
    expect(registry.list()).toMatchObject([{ state: 'up' }]);
    await registry.stop();
    expect(registry.list()).toMatchObject([{ state: 'idle' }]);
  });
});

describe('a new proof of the transport', () => {
  it('is asked of every channel that can give it; one that fails keeps no other from it', async () => {
    const asked: string[] = [];
    const broken = {
      reprobe() {
        throw new Error('no');
      },
    };
    const { registry, entries } = openRegistry([
      channel('broken', broken),
      channel('plain'),
      channel('good', { reprobe: () => void asked.push('good') }),
    ]);
    await registry.start('before-listen');
    registry.reprobe();
    expect(asked).toEqual(['good']);
    expect(entries.map(({ message: text }) => text)).toEqual(['A channel could not be checked anew']);
  });

  it('is the next attempt of a channel that waits before it connects again', async () => {
    let tries = 0;
    const start = async (): Promise<void> => {
      tries += 1;
      if (tries === 1) throw new Error('no network');
    };
    const hour = { retryMinMs: 3_600_000, retryMaxMs: 3_600_000 };
    const { registry } = openRegistry([channel('a', { start })], { timing: hour });
    await registry.start('before-listen');
    expect(registry.list()).toMatchObject([{ state: 'down', lastError: 'no network' }]);
    registry.reprobe();
    await vi.waitFor(() => expect(registry.list()).toMatchObject([{ state: 'up' }]));
  });
});

describe('typing', () => {
  const target = { channel: 'test', accountId: 'default', chatId: '7', threadId: '3' };

  it('is shown in the chat, and ends with its signal', async () => {
    const shown: unknown[] = [];
    const { registry } = openRegistry([channel('test', { showTyping: async (chat) => void shown.push(chat) })]);
    const controller = new AbortController();
    registry.showTyping(target, controller.signal);
    expect(shown).toEqual([{ accountId: 'default', chatId: '7', threadId: '3' }]);
    controller.abort();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(shown).toHaveLength(1);
  });

  it('is shown again before the platform lets it go out, and its failures harm nobody', async () => {
    let shown = 0;
    const showTyping = async (): Promise<void> => {
      shown += 1;
      throw new Error('no');
    };
    const { registry } = openRegistry([channel('test', { showTyping }), channel('silent')]);
    const controller = new AbortController();
    for (const id of ['test', 'silent', 'none']) registry.showTyping({ ...target, channel: id }, controller.signal);
    await vi.waitFor(() => expect(shown).toBe(2), { timeout: 5_000 });
    controller.abort();
  });
});

describe('webchat', () => {
  it('has delivered a message as soon as it is stored', async () => {
    const webchat = createWebchatChannel();
    expect(await webchat.send(message, never)).toEqual({ remoteId: '1' });
    expect(webchat.meta).toMatchObject({ id: 'webchat', isIdempotent: true, isLocal: true });
  });
});
