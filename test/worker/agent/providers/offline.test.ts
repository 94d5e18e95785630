import { expect, it } from 'vitest';
import { createOfflineProvider } from '../../../../worker/agent/providers/offline.ts';
import { ask, collect, textOf } from './request.ts';

const answerTo = async (text: string) => textOf(await collect(createOfflineProvider(), ask(text)));

it('says what it received, that no model is configured, and how to configure one', async () => {
  const text = await answerTo('What is the weather?');
  expect(text).toContain('“What is the weather?”');
  expect(text).toContain('No model is configured');
  expect(text).toContain('xopc.json');
  expect(() => JSON.parse(text.slice(text.indexOf('{')))).not.toThrow();
});

it('answers in Chinese to a message with Chinese in it', async () => {
  const text = await answerTo('今天天气怎么样？');
  expect(text).toContain('“今天天气怎么样？”');
  expect(text).toContain('没有配置模型');
});

it('quotes a long message on one line of at most 200 characters without splitting one', async () => {
  const [first] = (await answerTo(`a\nb ${'👍'.repeat(500)}`)).split('\n');
  expect(first).toMatch(/^I received: “a b (👍){196}…”$/u);
});

it.each(['/help', 'help', 'What can you do?', '你能做什么？'])('explains itself when asked %s', async (question) => {
  expect(await answerTo(question)).toMatch(/built-in assistant|内置的助手/);
});

it.each(['/status', 'status?', 'ping', '在吗？'])('says that it runs when asked %s', async (question) => {
  expect(await answerTo(question)).toMatch(/is running|正在运行/);
});

it('streams several pieces and one end, answering the newest question', async () => {
  const messages = [
    { role: 'user', text: 'old' },
    { role: 'assistant', text: 'x' },
    { role: 'user', text: 'new' },
  ] as const;
  const events = await collect(createOfflineProvider(), ask('', { messages }));
  expect(events.filter((event) => event.type === 'text').length).toBeGreaterThan(2);
  expect(events.filter((event) => event.type === 'done')).toHaveLength(1);
  expect(textOf(events)).toContain('“new”');
});

it('answers empty text and stops when told', async () => {
  expect(await answerTo('')).toContain('No model is configured');
  await expect(collect(createOfflineProvider(), ask('hi'), AbortSignal.abort(new Error('no')))).rejects.toThrow('no');
  expect(await createOfflineProvider().models(AbortSignal.timeout(1_000))).toEqual(['assistant']);
});
