import { describe, expect, it, vi } from 'vitest';
import { endless } from '../scripted-provider.ts';
import { sessionOf } from '../temporary-store.ts';
import { incoming, receive, startConversations, untilIdle } from './conversations.ts';

describe('the order', () => {
  it('of messages in one session is kept, one turn at a time, while other sessions go on', async () => {
    const gateway = await startConversations();
    gateway.provider.answers.push(endless('thinking'));
    await receive(gateway, incoming('1', 'a'), incoming('1', 'b'), incoming('1', 'c'));
    await vi.waitFor(() => expect(gateway.runs.active).toBe(1), { interval: 2 });
    await receive(gateway, incoming('2', 'x'), incoming('2', 'y'));
    await vi.waitFor(() => expect(gateway.channel.textsOf('2')).toEqual(['echo: x', 'echo: y']), { interval: 5 });
    expect(gateway.channel.textsOf('1')).toEqual([]);
    expect(gateway.runs.abort({ sessionKey: sessionOf('1') })).toBe(true);
    await untilIdle(gateway);
    expect(gateway.channel.textsOf('1')).toEqual(['thinking', 'echo: b', 'echo: c']);
  });

  it('is the same for many messages handed over one by one without waiting', async () => {
    const gateway = await startConversations();
    const texts = Array.from({ length: 25 }, (_, index) => `m${index}`);
    await Promise.all(texts.map((text, index) => receive(gateway, incoming(`${index % 2}`, text))));
    await untilIdle(gateway);
    for (const chat of [0, 1]) {
      expect(gateway.channel.textsOf(`${chat}`)).toEqual(
        texts.filter((_, index) => index % 2 === chat).map((text) => `echo: ${text}`),
      );
    }
  });

  it('lets no more turns run at once than agents.maxConcurrentTurns, also when many come in one moment', async () => {
    const config = { agents: { maxConcurrentTurns: 2, defaults: { model: 'scripted/model' } } };
    const gateway = await startConversations({ config });
    let running = 0;
    let most = 0;
    for (let index = 0; index < 8; index += 1) {
      gateway.provider.answers.push(async function* () {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setTimeout(resolve, 5));
        running -= 1;
        yield { type: 'text', text: 'done' };
      });
    }
    await Promise.all(Array.from({ length: 8 }, (_, index) => receive(gateway, incoming(`${index}`, 'hi'))));
    await untilIdle(gateway);
    expect(gateway.channel.sent).toHaveLength(8);
    expect(most).toBe(2);
  });
});
