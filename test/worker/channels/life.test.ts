import { describe, expect, it, vi } from 'vitest';
import { retryDelayMs } from '../../../worker/channels/life.ts';
import { type ChannelPlugin, type InboundMessage, Unreachable } from '../../../worker/channels/plugin.ts';
import { channel, createRecordedFactory, openRegistry } from './channel-bench.ts';

const message = { id: '1', accountId: 'default', chatId: '1', text: 'hi' };
const never = new AbortController().signal;

const hangs = (): Promise<void> => new Promise(() => undefined);

/** A channel of which only the first instance is different. */
function createFirst(more: Partial<ChannelPlugin>): ReturnType<typeof createRecordedFactory> {
  return createRecordedFactory('a', (number) => (number === 1 ? more : {}));
}

describe('a channel that cannot be initialised', () => {
  const factory = () =>
    createFirst({
      init() {
        throw new Error('no such account');
      },
    });

  it('is listed as down, takes no message yet, and the others work', async () => {
    const { registry, entries } = openRegistry([factory(), channel('good')]);
    expect(registry.list()).toMatchObject([
      { id: 'a', state: 'down', lastError: 'no such account', accounts: [] },
      { id: 'good', state: 'idle' },
    ]);
    expect(entries).toMatchObject([{ level: 'error', message: expect.stringContaining('no such account') }]);
    await expect(registry.send('a', message, never)).rejects.toThrow(Unreachable);
    await expect(registry.send('a', message, never)).rejects.toThrow('no such account');
    expect([registry.has('a'), registry.isIdempotent('a')]).toEqual([true, false]);
    expect(await registry.send('good', message, never)).toEqual({ remoteId: 'remote-1' });
  });

  it('is made anew until it can', async () => {
    const recorded = factory();
    const { registry } = openRegistry([recorded]);
    await registry.start('before-listen');
    expect(registry.list()).toMatchObject([{ state: 'down' }]);
    await vi.waitFor(() => expect(registry.list()).toMatchObject([{ state: 'up', generation: 2, restarts: 0 }]));
    expect(registry.list()[0]).not.toHaveProperty('lastError');
    await registry.send('a', message, never);
    expect(recorded.made[1]?.sent).toHaveLength(1);
  });
});

describe('a channel that cannot start', () => {
  it('is tried again for ever with a growing wait, and holds up nobody', async () => {
    let tries = 0;
    const start = async (): Promise<void> => {
      tries += 1;
      if (tries <= 4) throw new Error('no network');
    };
    const { registry, entries } = openRegistry([channel('a', { start }), channel('good')]);
    await registry.start('before-listen');
    expect(registry.list()).toMatchObject([{ state: 'down', lastError: 'no network' }, { state: 'up' }]);
    await vi.waitFor(() => expect(registry.list()).toMatchObject([{ state: 'up', generation: 1 }, {}]));
    expect(entries.map(({ fields }) => [fields['channel'], fields['attempt']])).toEqual([
      ['a', 1],
      ['a', 2],
      ['a', 3],
      ['a', 4],
    ]);
  });

  it('waits 1 s, 2 s … 60 s, a tenth more or less', () => {
    const limits = { retryMinMs: 1_000, retryMaxMs: 60_000 };
    const waits = [1, 2, 6, 7, 5_000].map((attempt) => retryDelayMs(attempt, limits));
    const plain = [1_000, 2_000, 32_000, 60_000, 60_000];
    for (const [index, wait] of waits.entries()) {
      expect(Math.abs(wait / (plain[index] ?? 0) - 1)).toBeLessThanOrEqual(0.1 + Number.EPSILON);
    }
    expect(new Set(Array.from({ length: 50 }, () => retryDelayMs(1, limits))).size).toBeGreaterThan(10);
  });

  it('and hangs instead holds up the start only for its budget', async () => {
    const { registry } = openRegistry([channel('a', { start: hangs }), channel('good')]);
    await registry.start('before-listen');
    expect(registry.list()).toMatchObject([{ state: 'starting' }, { state: 'up' }]);
  });

  it('is not tried any more once it was stopped', async () => {
    let tries = 0;
    const start = async (): Promise<void> => {
      tries += 1;
      throw new Error('no network');
    };
    const { registry } = openRegistry([channel('a', { start })]);
    await registry.start('before-listen');
    await registry.stop();
    const before = tries;
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(tries).toBe(before);
  });
});

describe('the stop of a channel', () => {
  it('is told to one that waits in its start, and waits for it', async () => {
    let isEnded = false;
    const start = async (signal: AbortSignal): Promise<void> => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      await new Promise((resolve) => setTimeout(resolve, 10));
      isEnded = true;
    };
    const { registry } = openRegistry([channel('slow', { start })]);
    void registry.start('before-listen');
    await registry.stop();
    expect(isEnded).toBe(true);
  });

  it('that hangs or fails is abandoned', async () => {
    const { registry, entries } = openRegistry([
      channel('hangs', { stop: hangs }),
      channel('fails', { stop: () => Promise.reject(new Error('no')) }),
      channel('plain'),
    ]);
    await registry.stop();
    expect(entries.map(({ message: text }) => text)).toEqual([
      'A channel did not stop cleanly',
      expect.stringContaining('abandoned'),
    ]);
  });
});

describe('the restart of a channel', () => {
  it('ends one instance and starts a fresh one; the others go on', async () => {
    const told: string[] = [];
    const recorded = createRecordedFactory('a', (number) => ({
      async start(signal) {
        told.push(`start ${number}`);
        signal.addEventListener('abort', () => told.push(`abort ${number}`), { once: true });
      },
      stop: async () => void told.push(`stop ${number}`),
    }));
    const other = createRecordedFactory('b');
    const { registry } = openRegistry([recorded, other]);
    await registry.start('before-listen');
    await registry.restart('a');
    expect(told).toEqual(['start 1', 'abort 1', 'stop 1', 'start 2']);
    expect(registry.list()).toMatchObject([
      { state: 'up', restarts: 1, generation: 2 },
      { state: 'up', restarts: 0, generation: 1 },
    ]);
    await registry.send('a', message, never);
    expect(recorded.made.map(({ sent }) => sent.length)).toEqual([0, 1]);
    expect(other.made).toHaveLength(1);
  });

  it('abandons an instance that does not stop, and refuses what it still reports (LIVE-4)', async () => {
    const recorded = createFirst({ stop: hangs });
    const { registry, entries, received, statuses } = openRegistry([recorded]);
    await registry.start('before-listen');
    const [old] = recorded.made;
    const messages = [{ text: 'hello' }] as unknown as readonly InboundMessage[];
    await old?.context().receive('default', messages);
    await registry.restart('a');
    await expect(old?.context().receive('default', messages)).rejects.toThrow(
      'this instance of the channel was replaced',
    );
    old?.context().onStatus({ accountId: 'default', state: 'down', since: 1 });
    expect([received.length, statuses]).toEqual([1, []]);
    await recorded.made[1]?.context().receive('default', messages);
    recorded.made[1]?.context().onStatus({ accountId: 'default', state: 'up', since: 1 });
    expect([received.length, statuses.length]).toEqual([2, 1]);
    expect(entries.filter(({ level }) => level === 'warn')).toMatchObject([
      { message: expect.stringContaining('abandoned') },
    ]);
    expect(registry.list()).toMatchObject([{ state: 'up', generation: 2 }]);
  });

  it('replaces one whose start hangs; when that start ends after all, nothing changes', async () => {
    let release: (error: Error) => void = () => undefined;
    const start = (): Promise<void> =>
      new Promise((_resolve, reject) => {
        release = reject;
      });
    const { registry, entries } = openRegistry([createFirst({ start })]);
    void registry.start('before-listen');
    await registry.restart('a');
    expect(registry.list()).toMatchObject([{ state: 'up', generation: 2 }]);
    release(new Error('at last'));
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(registry.list()).toMatchObject([{ state: 'up', generation: 2 }]);
    expect(entries.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('lets nothing be sent or changed meanwhile', async () => {
    const edit = async () => 'edited' as const;
    const recorded = createRecordedFactory('a', (number) => ({ edit, ...(number === 1 ? { stop: hangs } : {}) }));
    const { registry } = openRegistry([recorded]);
    await registry.start('before-listen');
    const restarted = registry.restart('a');
    const target = { accountId: 'default', chatId: '1', remoteId: '1', text: 'hi' };
    expect(registry.list()).toMatchObject([{ state: 'starting' }]);
    await expect(registry.send('a', message, never)).rejects.toThrow(Unreachable);
    await expect(registry.edit('a', target, never)).rejects.toThrow('is being restarted');
    await restarted;
    expect(await registry.edit('a', target, never)).toBe('edited');
  });

  it('is done once for all who ask for it at the same time, and again for one who asks later', async () => {
    const recorded = createRecordedFactory('a');
    const { registry } = openRegistry([recorded]);
    await registry.start('before-listen');
    await Promise.all([registry.restart('a'), registry.restart('a'), registry.restart('a')]);
    expect(recorded.made).toHaveLength(2);
    await registry.restart('a');
    expect(recorded.made).toHaveLength(3);
  });

  it('leads on to further attempts when the fresh instance cannot start', async () => {
    let tries = 0;
    const recorded = createRecordedFactory('a', (number) => ({
      async start() {
        tries += 1;
        if (number === 2 && tries < 4) throw new Error('no network');
      },
    }));
    const { registry } = openRegistry([recorded]);
    await registry.start('before-listen');
    await registry.restart('a');
    expect(registry.list()).toMatchObject([{ state: 'down', lastError: 'no network', restarts: 1 }]);
    await vi.waitFor(() => expect(registry.list()).toMatchObject([{ state: 'up', generation: 2 }]));
  });

  it('starts nothing when the channels are stopped meanwhile', async () => {
    const recorded = createFirst({ stop: hangs });
    const { registry } = openRegistry([recorded]);
    await registry.start('before-listen');
    const restarted = registry.restart('a');
    await registry.stop();
    await restarted;
    expect(recorded.made).toHaveLength(1);
  });

  it('is refused for a channel that is not there or does not run here', async () => {
    const { registry } = openRegistry([channel('a'), channel('b', {}, true)]);
    await expect(registry.restart('none')).rejects.toMatchObject({
      code: 'CHANNEL_NOT_FOUND',
      message: expect.stringContaining('a, b'),
    });
    await expect(registry.restart('a')).rejects.toMatchObject({ code: 'NOT_READY', status: 503 });
    await registry.start('before-listen');
    await registry.restart('a');
    await expect(registry.restart('b')).rejects.toMatchObject({ code: 'NOT_READY' });
    await registry.stop();
    await expect(registry.restart('a')).rejects.toMatchObject({ code: 'NOT_READY' });
  });
});
