import { describe, expect, it } from 'vitest';
import type { InboundMessage } from '../../../worker/channels/plugin.ts';
import type { AssembledGateway } from '../assembled-gateway.ts';
import { openTemporaryStore } from '../temporary-store.ts';
import { incoming, receive, startConversations, untilIdle } from './conversations.ts';

const GROUP = 'main:test:default:group:-5';
const said = (name: string, text: string, more: Partial<InboundMessage> = {}): InboundMessage =>
  incoming('-5', text, { peer: { kind: 'group', id: '-5' }, senderId: name, senderName: name, ...more });
const aside = (name: string, text: string, more: Partial<InboundMessage> = {}): InboundMessage =>
  said(name, text, { isAddressed: false, ...more });

describe('what is said to others in a group', () => {
  it('is told to the model with the next question, once, and is in the transcript from then on', async () => {
    const gateway = await startConversations();
    await receive(gateway, aside('Ann', 'pizza tonight?'), aside('Bob', 'yes, at eight'));
    await receive(gateway, said('Cid', 'what do they plan?'));
    await untilIdle(gateway);
    await receive(gateway, said('Cid', 'and tomorrow?'));
    await untilIdle(gateway);
    const texts = gateway.provider.requests.map(({ messages }) => messages.map(({ text }) => text));
    const first = 'Ann: pizza tonight?\n\nBob: yes, at eight\n\nCid: what do they plan?';
    expect(texts).toEqual([[first], [first, `echo: ${first}`, 'Cid: and tomorrow?']]);
    const messages = await gateway.store.sessions.messages(GROUP, { limit: 10 });
    expect(messages.map(({ sender, text }) => [sender, text]).slice(0, 3)).toEqual([
      ['Ann', 'pizza tonight?'],
      ['Bob', 'yes, at eight'],
      ['Cid', 'what do they plan?'],
    ]);
    expect(await gateway.store.inbox.overheard(GROUP)).toEqual([]);
  });

  it('is taken once, however often the platform delivers it', async () => {
    const gateway = await startConversations();
    const message = aside('Ann', 'hello');
    for (let copy = 0; copy < 3; copy += 1) await receive(gateway, message);
    expect(await gateway.store.inbox.overheard(GROUP)).toMatchObject([{ sender: 'Ann', text: 'hello' }]);
  });

  it('is forgotten when it gets too much, and when the conversation begins anew', async () => {
    const gateway = await startConversations({ policy: { groupHistory: 3 } });
    for (const text of ['a', 'b', 'c', 'd', 'e']) await receive(gateway, aside('Ann', text));
    expect((await gateway.store.inbox.overheard(GROUP)).map(({ text }) => text)).toEqual(['c', 'd', 'e']);
    await receive(gateway, said('Ann', '/new'));
    expect(await gateway.store.inbox.overheard(GROUP)).toEqual([]);
  });

  it('is not kept at all where nobody wants it', async () => {
    const gateway = await startConversations({ policy: { groupHistory: 0 } });
    await receive(gateway, aside('Ann', 'a'));
    expect(await gateway.store.inbox.overheard(GROUP)).toEqual([]);
  });

  it('is no order', async () => {
    const gateway = await startConversations();
    await receive(gateway, aside('Ann', '/new'), aside('Ann', '/stop'));
    await untilIdle(gateway);
    expect(gateway.channel.sent).toEqual([]);
  });
});

/** Lets the next answer wait until the test says so. */
function hold({ provider }: AssembledGateway, text: string): { isAsked: Promise<void>; answer(): void } {
  const [asked, answered] = [createSignal(), createSignal()];
  provider.answers.push(async function* () {
    asked.give();
    await answered.given;
    yield { type: 'text', text };
    yield { type: 'done', reason: 'stop' };
  });
  return { isAsked: asked.given, answer: answered.give };
}

function createSignal(): { given: Promise<void>; give(): void } {
  let give: () => void = () => undefined;
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { given, give: () => give() };
}

describe('a message that is changed', () => {
  const edit = (id: string, text: string): InboundMessage =>
    incoming('1', text, { messageId: id, isEdit: true, dedupeKey: `edit-${id}-${text}` });

  it('is answered as it reads now when it still waits', async () => {
    const gateway = await startConversations();
    const first = hold(gateway, 'echo: busy');
    await receive(gateway, incoming('1', 'busy'), incoming('1', 'old', { messageId: 'm' }));
    await receive(gateway, edit('m', 'new'));
    first.answer();
    await untilIdle(gateway);
    expect(gateway.channel.textsOf('1')).toEqual(['echo: busy', 'echo: new']);
  });

  it('is in the transcript as it reads now when it is being answered or was, and is not answered again', async () => {
    const gateway = await startConversations();
    const first = hold(gateway, 'echo: old');
    await receive(gateway, incoming('1', 'old', { messageId: 'm' }));
    await first.isAsked;
    await receive(gateway, edit('m', 'new'));
    first.answer();
    await untilIdle(gateway);
    const userTexts = async (): Promise<string[]> =>
      (await gateway.store.sessions.messages('main:test:default:direct:1', { limit: 9 }))
        .filter(({ role }) => role === 'user')
        .map(({ text }) => text);
    expect(await userTexts()).toEqual(['new']);
    await receive(gateway, edit('m', 'newer'), edit('unknown', 'x'));
    await untilIdle(gateway);
    expect(await userTexts()).toEqual(['newer']);
    expect(gateway.channel.textsOf('1')).toEqual(['echo: old']);
  });

  it('is told to the model as it reads now when it was said to others', async () => {
    const gateway = await startConversations();
    await receive(gateway, aside('Ann', 'at seven', { messageId: 'm' }));
    await receive(gateway, said('Ann', 'at eight', { messageId: 'm', isEdit: true }));
    expect(await gateway.store.inbox.overheard(GROUP)).toMatchObject([{ text: 'at eight' }]);
  });

  it('cannot be read after an order, which is not changed', async () => {
    const { store } = openTemporaryStore();
    const gateway = await startConversations({ store });
    await receive(gateway, incoming('1', '/help', { messageId: 'm' }), edit('m', 'x'));
    await untilIdle(gateway);
    const [order] = await store.sessions.messages('main:test:default:direct:1', { limit: 9 });
    expect(order?.text).toBe('/help');
  });
});
