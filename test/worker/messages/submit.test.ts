import { describe, expect, it } from 'vitest';
import { createScriptedProvider, endless } from '../scripted-provider.ts';
import { inboxRow } from '../temporary-store.ts';
import { startConversations, transcriptOf, untilIdle } from './conversations.ts';

describe('a message of an API caller', () => {
  const request = (runId: string, chatId: string, more: Parameters<typeof inboxRow>[2] = {}) =>
    inboxRow(runId, chatId, more);

  it('is claimed at once in an idle session and settles its run with the answer', async () => {
    const gateway = await startConversations();
    const events: string[] = [];
    const watch = gateway.runs.watch('r1', (event) => events.push(event.type));
    const receipt = await gateway.inbound.submit(request('r1', '1', { deliver: false, text: 'hi' }));
    expect(receipt.claimed?.runId).toBe('r1');
    expect(await watch.done).toEqual({ status: 'ok', reply: 'echo: hi' });
    expect(events).toEqual(['status', 'token', 'result']);
    await untilIdle(gateway);
    expect(gateway.channel.sent).toEqual([]);
    expect(await transcriptOf(gateway, '1')).toHaveLength(2);
  });

  it('with a model of its own is answered by that one', async () => {
    const other = createScriptedProvider('other', 'from the other');
    const gateway = await startConversations({ providers: [other] });
    const watch = gateway.runs.watch('r1');
    await gateway.inbound.submit(request('r1', '1', { model: 'other/x' }));
    expect(await watch.done).toMatchObject({ reply: 'from the other' });
  });

  it.each(['nonsense', 'missing/model'])('with the impossible model %s is told so', async (model) => {
    const gateway = await startConversations();
    const watch = gateway.runs.watch('r1');
    await gateway.inbound.submit(request('r1', '1', { model }));
    expect(await watch.done).toMatchObject({
      status: 'error',
      code: 'AGENT_ERROR',
      message: expect.stringContaining(model),
    });
  });

  it('that is a repeat gets the receipt of the first', async () => {
    const gateway = await startConversations();
    await gateway.inbound.submit(request('r1', '1', { key: 'k' }));
    expect(await gateway.inbound.submit(request('r2', '1', { key: 'k' }))).toMatchObject({
      runId: 'r1',
      isDuplicate: true,
    });
    await untilIdle(gateway);
    expect(gateway.provider.requests).toHaveLength(1);
  });

  it('whose turn takes too long ends with words about time', async () => {
    const config = { agents: { turnTimeout: '50ms', defaults: { model: 'scripted/model' } } };
    const gateway = await startConversations({ config });
    gateway.provider.answers.push(endless());
    const watch = gateway.runs.watch('r1');
    await gateway.inbound.submit(request('r1', '1'));
    expect(await watch.done).toMatchObject({
      status: 'error',
      isTimeout: true,
      message: expect.stringContaining('in time'),
    });
  });
});
