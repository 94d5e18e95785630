import { describe, expect, it, vi } from 'vitest';
import { type EditTarget, RateLimited, Rejected, type Streaming, Unknown } from '../../../worker/channels/plugin.ts';
import { REPEAT_MARK } from '../../../worker/messages/attempt.ts';
import { createScriptedChannel, type ScriptedChannel } from '../scripted-channel.ts';
import type { Answer } from '../scripted-provider.ts';
import { inboxRow, openTemporaryStore } from '../temporary-store.ts';
import { incoming, receive, startConversations, untilIdle } from './conversations.ts';

const QUICK: Streaming = { afterMs: 5, everyMs: 5, isByBlock: false };
const LONG = 'This is a sentence of some length';

type EditingChannel = ScriptedChannel & { edits: EditTarget[]; results: ('gone' | Error)[] };

/** A channel that can change what it sent, and shows growing answers. */
function createEditingChannel(streaming: Streaming | undefined = QUICK): EditingChannel {
  const edits: EditTarget[] = [];
  const results: ('gone' | Error)[] = [];
  return {
    ...createScriptedChannel(),
    edits,
    results,
    streaming: () => streaming,
    async edit(target) {
      edits.push(target);
      const result = results.shift();
      if (result instanceof Error) throw result;
      return result ?? 'edited';
    },
  };
}

/** Streams texts, each when the test says so. */
function stepwise(...texts: string[]): { answer: Answer; next(): void } {
  const steps: (() => void)[] = [];
  let passed = 0;
  return {
    next() {
      passed += 1;
      for (const step of steps.splice(0)) step();
    },
    async *answer() {
      for (const [index, text] of texts.entries()) {
        while (passed < index) await new Promise<void>((resolve) => steps.push(resolve));
        yield { type: 'text', text };
      }
      while (passed < texts.length) await new Promise<void>((resolve) => steps.push(resolve));
    },
  };
}

async function begin(channel: EditingChannel, ...texts: string[]) {
  const temporary = openTemporaryStore();
  const gateway = await startConversations({ channel, store: temporary.store });
  const stream = stepwise(...texts);
  gateway.provider.answers.push(stream.answer);
  await receive(gateway, incoming('1', 'tell me'));
  return { gateway, stream, sql: temporary.sql };
}

describe('an answer that grows', () => {
  it('is shown in one message, which the answer takes the place of', async () => {
    const channel = createEditingChannel();
    const { gateway, stream } = await begin(channel, LONG, ' and more.');
    await vi.waitFor(() => expect(channel.textsOf('1')).toEqual([`${LONG} …`]));
    stream.next();
    await vi.waitFor(() => expect(channel.edits.map(({ text }) => text)).toEqual([`${LONG} and more. …`]));
    stream.next();
    await untilIdle(gateway);
    expect(channel.sent).toHaveLength(1);
    expect(channel.edits.at(-1)).toMatchObject({ text: `${LONG} and more.`, chatId: '1' });
    expect(channel.edits).toHaveLength(2);
  });

  it('is not shown when it is short, quick, or the account does not want it', async () => {
    const quick = createEditingChannel({ ...QUICK, afterMs: 60_000 });
    const first = await begin(quick, LONG);
    first.stream.next();
    await untilIdle(first.gateway);
    expect(quick.textsOf('1')).toEqual([LONG]);
    const off = createEditingChannel(undefined);
    off.streaming = () => undefined;
    const second = await begin(off, LONG);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(off.sent).toEqual([]);
    second.stream.next();
    await untilIdle(second.gateway);
    expect(off.textsOf('1')).toEqual([LONG]);
  });

  it('by blocks shows only what is complete', async () => {
    const channel = createEditingChannel({ ...QUICK, isByBlock: true });
    const { gateway, stream } = await begin(channel, 'A first whole sentence. And a sec', 'ond.');
    await vi.waitFor(() => expect(channel.textsOf('1')).toEqual(['A first whole sentence. …']));
    stream.next();
    stream.next();
    await untilIdle(gateway);
    expect(channel.edits.at(-1)?.text).toBe('A first whole sentence. And a second.');
  });

  it('is not shown before what was said earlier has arrived', async () => {
    const channel = createEditingChannel();
    const gateway = await startConversations({ channel, store: openTemporaryStore().store });
    channel.script.set('1', [new RateLimited('slow down', 200)]);
    await gateway.outbound.enqueue({ target: { channel: 'test', accountId: 'default', chatId: '1' }, text: 'earlier' });
    await vi.waitFor(() => expect(channel.sent).toHaveLength(1));
    const stream = stepwise(LONG);
    gateway.provider.answers.push(stream.answer);
    await receive(gateway, incoming('1', 'tell me'));
    await vi.waitFor(() => expect(channel.textsOf('1')).toEqual(['earlier', 'earlier', `${LONG} …`]));
    stream.next();
    await untilIdle(gateway);
  });

  it('comes as a new message when what showed it is gone', async () => {
    const channel = createEditingChannel();
    const { gateway, stream } = await begin(channel, LONG);
    await vi.waitFor(() => expect(channel.sent).toHaveLength(1));
    channel.results.push('gone');
    stream.next();
    await untilIdle(gateway);
    expect(channel.textsOf('1')).toEqual([`${LONG} …`, LONG]);
  });

  it('freezes while the platform asks to wait, and the answer comes all the same', async () => {
    const channel = createEditingChannel();
    const { gateway, stream } = await begin(channel, LONG, ' more', ' and more');
    await vi.waitFor(() => expect(channel.sent).toHaveLength(1));
    channel.results.push(new RateLimited('wait', 60_000));
    stream.next();
    await vi.waitFor(() => expect(channel.edits).toHaveLength(1));
    stream.next();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(channel.edits).toHaveLength(1);
    stream.next();
    await untilIdle(gateway);
    expect(channel.edits.at(-1)?.text).toBe(`${LONG} more and more`);
  });

  it('that could not be shown for certain comes without a mark, otherwise with one (OUT-1)', async () => {
    const refused = createEditingChannel();
    refused.script.set('1', [new Rejected('no')]);
    const first = await begin(refused, LONG);
    await vi.waitFor(() => expect(refused.sent).toHaveLength(1));
    first.stream.next();
    await untilIdle(first.gateway);
    expect(refused.textsOf('1').at(-1)).toBe(LONG);
    const doubtful = createEditingChannel();
    doubtful.script.set('1', [new Unknown('cut off')]);
    const second = await begin(doubtful, LONG);
    await vi.waitFor(() => expect(doubtful.sent).toHaveLength(1));
    second.stream.next();
    await untilIdle(second.gateway);
    expect(doubtful.textsOf('1').at(-1)).toBe(LONG + REPEAT_MARK);
  });

  it('an edit of the answer whose outcome is unknown is made again, without a mark', async () => {
    const channel = createEditingChannel();
    const { gateway, stream, sql } = await begin(channel, LONG);
    await vi.waitFor(() => expect(channel.sent).toHaveLength(1));
    channel.results.push(new Unknown('cut off'));
    stream.next();
    await vi.waitFor(() => expect(sql('SELECT last_error FROM outbox')).toEqual([{ last_error: 'cut off' }]));
    await vi.waitFor(() => expect(channel.edits).toHaveLength(2), { timeout: 4_000 });
    await untilIdle(gateway);
    expect(channel.edits.map(({ text }) => text)).toEqual([LONG, LONG]);
  });
});

describe('a turn that was interrupted while it was shown', () => {
  const resume = async (draft: string) => {
    const { store, sql } = openTemporaryStore();
    await store.inbox.receive({ rows: [inboxRow('run', '1')] });
    sql(`UPDATE inbox SET draft='${draft}'`);
    const channel = createEditingChannel();
    const gateway = await startConversations({ channel, store });
    await gateway.inbound.wakeAll();
    await untilIdle(gateway);
    return channel;
  };

  it('goes on in the same message', async () => {
    const channel = await resume('77');
    expect(channel.sent).toEqual([]);
    expect(channel.edits).toMatchObject([{ remoteId: '77', text: 'echo: text of run' }]);
  });

  it('whose message may be there or not is answered in another one, marked', async () => {
    const channel = await resume('');
    expect(channel.textsOf('1')).toEqual([`echo: text of run${REPEAT_MARK}`]);
  });
});
