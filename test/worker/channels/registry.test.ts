import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type ChannelPlugin, Unreachable } from '../../../worker/channels/plugin.ts';
import { createRegistry, type DeferSettings, planDeferral, type Registry } from '../../../worker/channels/registry.ts';
import { createWebchatChannel } from '../../../worker/channels/webchat.ts';
import { createRecordingLog, type LogEntry } from '../recording-log.ts';
import { createScriptedChannel } from '../scripted-channel.ts';

function create(
  plugins: readonly ChannelPlugin[],
  defer: Partial<DeferSettings> = {},
): { registry: Registry; entries: LogEntry[] } {
  const { log, entries } = createRecordingLog();
  const registry = createRegistry({
    plugins,
    defer: { mode: 'auto', ids: [], skipIds: [], ...defer },
    receive: async () => undefined,
    readCursor: async () => undefined,
    onStatus: () => undefined,
    log,
  });
  return { registry, entries };
}

/** A registry that stops with the test. */
function open(...options: Parameters<typeof create>): ReturnType<typeof create> {
  const created = create(...options);
  onTestFinished(() => created.registry.stop());
  return created;
}

const channel = (
  id: string,
  more: Partial<ChannelPlugin> = {},
  deferConnectUntilAfterListen = false,
): ChannelPlugin => ({
  ...createScriptedChannel({ id, label: id, deferConnectUntilAfterListen }),
  ...more,
});

const message = { id: '1', accountId: 'default', chatId: '1', text: 'hi' };
const never = new AbortController().signal;

describe('a channel', () => {
  it('that cannot be initialised is left out, the others stay', async () => {
    const broken = channel('broken', {
      init() {
        throw new Error('no such account');
      },
    });
    const { registry, entries } = open([broken, channel('good')]);
    registry.init();
    expect([registry.has('broken'), registry.has('good')]).toEqual([false, true]);
    expect(registry.list().map(({ id }) => id)).toEqual(['good']);
    expect(entries.find(({ level }) => level === 'error')?.message).toContain('no such account');
    await expect(registry.send('broken', message, never)).rejects.toThrow(Unreachable);
    expect(registry.isIdempotent('broken')).toBeUndefined();
  });

  it('that cannot start is tried again, and holds up no other', async () => {
    let tries = 0;
    const started: string[] = [];
    const flaky = channel('flaky', {
      async start() {
        tries += 1;
        if (tries === 1) throw new Error('no network');
        started.push('flaky');
      },
    });
    const { registry, entries } = open([flaky, channel('good', { start: async () => void started.push('good') })]);
    registry.init();
    const phase = registry.start('before-listen');
    await vi.waitFor(() => expect(started).toContain('good'));
    expect(started).toEqual(['good']);
    await phase;
    expect(started).toEqual(['good', 'flaky']);
    expect(entries.filter(({ fields }) => fields['channel'] === 'flaky')).toMatchObject([
      { level: 'error', fields: { retryMs: 1_000 } },
    ]);
  });

  it('that waits for a signal when it starts is told by it to stop', async () => {
    let isStopped = false;
    const { registry } = open([
      channel('slow', {
        async start(signal) {
          await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
          isStopped = true;
        },
      }),
    ]);
    registry.init();
    void registry.start('before-listen');
    await registry.stop();
    expect(isStopped).toBe(true);
  });

  it.concurrent('that hangs or fails while it stops is abandoned', async ({ expect: check }) => {
    const { registry, entries } = create([
      channel('hangs', { stop: () => new Promise(() => undefined) }),
      channel('fails', { stop: () => Promise.reject(new Error('no')) }),
      channel('plain'),
    ]);
    registry.init();
    const begun = Date.now();
    await registry.stop();
    check(Date.now() - begun).toBeLessThan(3_500);
    check(entries.map(({ message: text }) => text)).toContain('A channel did not stop cleanly');
  });

  it.concurrent('that is typing shows it again before the platform lets it go out, and its failures harm nobody', async ({
    expect: check,
  }) => {
    let shown = 0;
    const { registry } = create([
      channel('test', {
        async showTyping() {
          shown += 1;
          throw new Error('no');
        },
      }),
      channel('silent', { showTyping: undefined as never }),
    ]);
    const controller = new AbortController();
    const target = { channel: 'test', accountId: 'default', chatId: '7' };
    registry.showTyping(target, controller.signal);
    registry.showTyping({ ...target, channel: 'silent' }, controller.signal);
    registry.showTyping({ ...target, channel: 'none' }, controller.signal);
    await vi.waitFor(() => check(shown).toBe(2), { timeout: 5_000 });
    controller.abort();
  });

  it('is asked for its limits; one that is not there has the usual one', () => {
    const { registry } = open([createScriptedChannel({ id: 'small', textLimit: 7, isIdempotent: true })]);
    registry.init();
    expect([registry.textLimit('small'), registry.textLimit('none')]).toEqual([7, 4_000]);
    expect(registry.isIdempotent('small')).toBe(true);
  });

  it('is started in its phase only', async () => {
    const started: string[] = [];
    const note = (id: string) => ({ start: async () => void started.push(id) });
    const { registry } = open([channel('early', note('early')), channel('late', note('late'), true)]);
    registry.init();
    await registry.start('before-listen');
    expect(started).toEqual(['early']);
    await registry.start('after-listen');
    expect(started).toEqual(['early', 'late']);
  });
});

describe('which channels wait for the HTTP port', () => {
  const plugins = [channel('a', {}, true), channel('b'), channel('c', {}, true)];

  it.each<[DeferSettings, string[], string]>([
    [{ mode: 'auto', ids: ['b'], skipIds: [] }, ['a', 'c'], 'meta'],
    [{ mode: 'auto', ids: [], skipIds: ['c'] }, ['a'], 'meta'],
    [{ mode: 'off', ids: ['a'], skipIds: [] }, [], 'off'],
    [{ mode: 'explicit', ids: ['b'], skipIds: [] }, ['b'], 'explicit'],
    [{ mode: 'explicit', ids: [' b ', 'b', '', 'c'], skipIds: ['c'] }, ['b'], 'explicit'],
    [{ mode: 'explicit', ids: [], skipIds: [] }, [], 'explicit'],
  ])('with %j: %j', (settings, ids, source) => {
    expect(planDeferral(plugins, settings)).toEqual({ mode: settings.mode, source, ids });
  });
});

describe('typing', () => {
  const target = { channel: 'test', accountId: 'default', chatId: '7', threadId: '3' };

  it('is shown in the chat, again while it lasts, and ends with its signal', async () => {
    const shown: unknown[] = [];
    const { registry } = open([channel('test', { showTyping: async (chat) => void shown.push(chat) })]);
    const controller = new AbortController();
    registry.showTyping(target, controller.signal);
    expect(shown).toEqual([{ accountId: 'default', chatId: '7', threadId: '3' }]);
    controller.abort();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(shown).toHaveLength(1);
  });
});

describe('webchat', () => {
  it('has delivered a message as soon as it is stored', async () => {
    const webchat = createWebchatChannel();
    expect(await webchat.send(message, never)).toEqual({ remoteId: '1' });
    expect(webchat.meta).toMatchObject({ id: 'webchat', isIdempotent: true });
  });
});
