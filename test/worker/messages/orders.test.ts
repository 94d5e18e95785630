import { describe, expect, it, vi } from 'vitest';
import { endless } from '../scripted-provider.ts';
import { inboxRow, openTemporaryStore } from '../temporary-store.ts';
import { incoming, receive, startConversations, transcriptOf, untilIdle } from './conversations.ts';

describe('an order in a chat', () => {
  it('/new lets the model forget what was said, and keeps it to be read', async () => {
    const gateway = await startConversations();
    await receive(gateway, incoming('1', 'old'));
    await untilIdle(gateway);
    await receive(gateway, incoming('1', ' /NEW '), incoming('1', 'fresh'));
    await untilIdle(gateway);
    expect(gateway.provider.requests.at(-1)?.messages.map(({ text }) => text)).toEqual(['fresh']);
    expect((await transcriptOf(gateway, '1')).map(([, kind, text]) => [kind, text])).toEqual([
      ['text', 'old'],
      ['text', 'echo: old'],
      ['command', ' /NEW '],
      ['command', expect.stringContaining('new conversation')],
      ['text', 'fresh'],
      ['text', 'echo: fresh'],
    ]);
    expect(gateway.channel.textsOf('1')).toHaveLength(3);
    await receive(gateway, incoming('1', 'more'));
    await untilIdle(gateway);
    expect(gateway.provider.requests.at(-1)?.messages.map(({ text }) => text)).toEqual([
      'fresh',
      'echo: fresh',
      'more',
    ]);
  });

  it('/reset ends the running answer, which belongs to what is forgotten', async () => {
    const gateway = await startConversations();
    gateway.provider.answers.push(endless('half'));
    await receive(gateway, incoming('1', 'long story'));
    await vi.waitFor(() => expect(gateway.provider.requests).toHaveLength(1));
    await new Promise((resolve) => setTimeout(resolve, 5));
    await receive(gateway, incoming('1', '/reset'));
    await untilIdle(gateway);
    await receive(gateway, incoming('1', 'next'));
    await untilIdle(gateway);
    expect(gateway.provider.requests.at(-1)?.messages.map(({ text }) => text)).toEqual(['next']);
  });

  it('/stop ends the running answer at once, though others wait behind it', async () => {
    const gateway = await startConversations();
    gateway.provider.answers.push(endless('half'));
    await receive(gateway, incoming('1', 'long story'), incoming('1', 'after'));
    await vi.waitFor(() => expect(gateway.provider.requests).toHaveLength(1));
    await receive(gateway, incoming('1', '/stop'));
    await untilIdle(gateway);
    expect(gateway.channel.textsOf('1')).toContain('Stopped.');
    expect(gateway.channel.textsOf('1')).toContain('echo: after');
    await receive(gateway, incoming('1', '/stop'));
    await untilIdle(gateway);
    expect(gateway.channel.textsOf('1').at(-1)).toBe('Nothing is running.');
  });

  it('/status and /help answer without the model', async () => {
    const gateway = await startConversations();
    await receive(gateway, incoming('1', '/status'), incoming('1', '/help'), incoming('1', '/start'));
    await untilIdle(gateway);
    const [status, help, start] = gateway.channel.textsOf('1');
    expect(status).toContain('Model: scripted/model');
    expect(status).toContain('Now: idle');
    expect(help).toContain('/resume');
    expect(start).toBe(help);
    expect(gateway.provider.requests).toEqual([]);
  });

  it('that is delivered a hundred times is carried out once (IN-2)', async () => {
    const gateway = await startConversations();
    const order = incoming('1', '/new');
    for (let copy = 0; copy < 100; copy += 1) await receive(gateway, order);
    await untilIdle(gateway);
    expect(gateway.channel.textsOf('1')).toHaveLength(1);
  });

  it('with more words is a question', async () => {
    const gateway = await startConversations();
    await receive(gateway, incoming('1', '/stop the presses'));
    await untilIdle(gateway);
    expect(gateway.channel.textsOf('1')).toEqual(['echo: /stop the presses']);
  });
});

describe('a message that was set aside', () => {
  const park = async () => {
    const { store, sql } = openTemporaryStore();
    await store.inbox.receive({ rows: [inboxRow('poison', '1')] });
    sql('UPDATE inbox SET attempts=2');
    const gateway = await startConversations({ store });
    await gateway.inbound.wakeAll();
    await untilIdle(gateway);
    return { gateway, sql };
  };

  it('waits for /resume, is tried once more, and can be set aside again (RESUME-1)', async () => {
    const { gateway, sql } = await park();
    expect(gateway.channel.textsOf('1')).toEqual([expect.stringContaining('/resume')]);
    await gateway.inbound.wakeAll();
    expect(sql('SELECT state FROM inbox')).toEqual([{ state: 'parked' }]);
    await receive(gateway, incoming('1', '/status'), incoming('1', '/resume'));
    await untilIdle(gateway);
    expect(gateway.channel.textsOf('1').slice(1)).toEqual([
      expect.stringContaining('Set aside: 1 message'),
      'Trying again: 1 message.',
      'echo: text of poison',
    ]);
    expect(sql('SELECT state FROM inbox')).toEqual([]);
    expect((await transcriptOf(gateway, '1')).filter(([role]) => role === 'user').map(([, , text]) => text)).toEqual([
      '/status',
      '/resume',
      'text of poison',
    ]);
  });

  it('does not hold up what is asked after it', async () => {
    const { gateway } = await park();
    await receive(gateway, incoming('1', 'hello'));
    await untilIdle(gateway);
    expect(gateway.channel.textsOf('1').at(-1)).toBe('echo: hello');
  });
});

it.each(['no json', '[]', '{"text":7}', 'null'])(
  'a stored message that cannot be read (%s) holds up nothing (RESUME-2)',
  async (payload) => {
    const corrupt: string[] = [];
    const { store, sql } = openTemporaryStore({ onCorrupt: (what) => corrupt.push(what) });
    await store.inbox.receive({ rows: [inboxRow('broken', '1'), inboxRow('whole', '1'), inboxRow('other', '2')] });
    sql(`UPDATE inbox SET payload='${payload}' WHERE run_id='broken'`);
    const gateway = await startConversations({ store });
    await gateway.inbound.wakeAll();
    await untilIdle(gateway);
    expect(gateway.channel.textsOf('1')).toEqual(['echo: text of whole']);
    expect(gateway.channel.textsOf('2')).toEqual(['echo: text of other']);
    expect(corrupt).toHaveLength(1);
    expect(sql('SELECT run_id, state FROM inbox')).toEqual([{ run_id: 'broken', state: 'parked' }]);
  },
);
