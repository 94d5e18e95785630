import { describe, expect, it, vi } from 'vitest';
import { ProviderError } from '../../../worker/agent/providers/provider.ts';
import { createScriptedProvider, endless } from '../scripted-provider.ts';
import { inboxRow, openTemporaryStore, sessionOf } from '../temporary-store.ts';
import { incoming, receive, startConversations, transcriptOf, untilIdle } from './conversations.ts';

describe('a turn that fails', () => {
  it('tells the user why, in the chat and as an error in the transcript', async () => {
    const gateway = await startConversations();
    gateway.provider.answers.push(new ProviderError('auth', 'scripted: HTTP 401'));
    await receive(gateway, incoming('1', 'hello'));
    await untilIdle(gateway);
    const [text] = gateway.channel.textsOf('1');
    expect(text).toContain('refused the credential');
    expect(await transcriptOf(gateway, '1')).toEqual([
      ['user', 'text', 'hello'],
      ['assistant', 'error', text],
    ]);
    expect(
      gateway.seen.find(({ type, data }) => type === 'agent.stream' && JSON.stringify(data).includes('AGENT_ERROR')),
    ).toBeDefined();
  });

  it('by an unexpected error or an empty answer is answered, too', async () => {
    const gateway = await startConversations();
    gateway.provider.answers.push(new TypeError('x is not a function'), '  \n ');
    await receive(gateway, incoming('1', 'a'), incoming('1', 'b'));
    await untilIdle(gateway);
    expect(gateway.channel.textsOf('1')).toEqual([
      expect.stringContaining('x is not a function'),
      expect.stringContaining('empty answer'),
    ]);
  });

  it('with one model is tried with its fallbacks, each noted', async () => {
    const second = createScriptedProvider('second', new ProviderError('rate', 'later'));
    const third = createScriptedProvider('third', 'third answers');
    const model = { primary: 'scripted/a', fallbacks: ['second/b', 'third/c/d'] };
    const gateway = await startConversations({
      providers: [second, third],
      config: { agents: { defaults: { model } } },
    });
    gateway.provider.answers.push(new ProviderError('overload', 'busy'));
    await receive(gateway, incoming('1', 'hello'));
    await untilIdle(gateway);
    expect(gateway.channel.textsOf('1')).toEqual(['third answers']);
    expect(third.requests[0]?.model).toBe('c/d');
    expect(gateway.logged.filter(({ message }) => message === 'A model did not answer')).toHaveLength(2);
  });

  it('after text was shown is not begun again with another model', async () => {
    const second = createScriptedProvider('second');
    const model = { primary: 'scripted/a', fallbacks: ['second/b'] };
    const gateway = await startConversations({ providers: [second], config: { agents: { defaults: { model } } } });
    gateway.provider.answers.push(async function* () {
      yield { type: 'text', text: 'Half an ans' };
      throw new ProviderError('network', 'cut');
    });
    await receive(gateway, incoming('1', 'hello'));
    await untilIdle(gateway);
    expect(second.requests).toEqual([]);
    expect(gateway.channel.textsOf('1')).toEqual([expect.stringContaining('cannot be reached')]);
  });

  it('that ended the worker twice already is not begun a third time; the user is told', async () => {
    const { store, sql } = openTemporaryStore();
    await store.inbox.receive({ rows: [inboxRow('poison', '1'), inboxRow('next', '1')] });
    sql("UPDATE inbox SET attempts=2 WHERE run_id='poison'");
    const gateway = await startConversations({ store });
    await gateway.inbound.wakeAll();
    await untilIdle(gateway);
    expect(gateway.channel.textsOf('1')).toEqual([
      expect.stringContaining('interrupted the gateway twice'),
      'echo: text of next',
    ]);
    expect(gateway.provider.requests).toHaveLength(1);
  });

  it('that ended the worker once is begun again', async () => {
    const { store } = openTemporaryStore();
    await store.inbox.receive({ rows: [inboxRow('a', '1')], claimFor: 'gone' });
    const gateway = await startConversations({ store });
    await store.inbox.recover({ owner: 'gone' });
    await gateway.inbound.wakeAll();
    await untilIdle(gateway);
    expect(gateway.channel.textsOf('1')).toEqual(['echo: text of a']);
  });
});

describe('an abort', () => {
  it('keeps what was shown and delivers it; without anything shown nothing is sent', async () => {
    const gateway = await startConversations();
    gateway.provider.answers.push(endless('The first ', 'half'), endless());
    await receive(gateway, incoming('1', 'a'), incoming('2', 'b'));
    await vi.waitFor(() => expect(gateway.provider.requests).toHaveLength(2), { interval: 2 });
    await new Promise((resolve) => setTimeout(resolve, 10));
    gateway.runs.abort({ sessionKey: sessionOf('1') });
    gateway.runs.abort({ sessionKey: sessionOf('2') });
    await untilIdle(gateway);
    expect(gateway.channel.textsOf('1')).toEqual(['The first half']);
    expect(gateway.channel.textsOf('2')).toEqual([]);
    expect(await transcriptOf(gateway, '2')).toEqual([['user', 'text', 'b']]);
  });
});

describe('a turn that another worker took over', () => {
  it('is dropped without an answer; the other one counts', async () => {
    const { store, open } = openTemporaryStore();
    const gateway = await startConversations({ store });
    gateway.provider.answers.push(endless('mine'));
    await receive(gateway, incoming('1', 'hello'));
    await vi.waitFor(() => expect(gateway.runs.active).toBe(1), { interval: 2 });
    const other = open();
    await other.inbox.recover({ owner: 'w1' });
    const row = await other.inbox.claim(sessionOf('1'), 'w2');
    expect(row).toMatchObject({ attempts: 2 });
    gateway.runs.abort({ sessionKey: sessionOf('1') });
    await vi.waitFor(() => expect(gateway.lanes.active).toBe(0), { interval: 5 });
    expect(gateway.channel.sent).toEqual([]);
    expect(await store.inbox.count()).toBe(1);
  });
});

describe('a turn whose worker has ended meanwhile', () => {
  it('is left to the next worker, and not stored again and again', async () => {
    const { store, open } = openTemporaryStore();
    const gateway = await startConversations({ store });
    gateway.provider.answers.push(endless('too late'));
    await receive(gateway, incoming('1', 'hello'));
    await vi.waitFor(() => expect(gateway.runs.active).toBe(1), { interval: 2 });
    await store.inbox.release('w1');
    store.close();
    gateway.runs.abortAll();
    await vi.waitFor(() => expect(gateway.lanes.active).toBe(0), { interval: 5 });
    expect(gateway.logged.map(({ message }) => message)).not.toContain('An answer cannot be stored; trying again');
    expect(await open().inbox.waitingSessions()).toEqual([sessionOf('1')]);
  });
});
