import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createAnthropicProvider } from '../../../../worker/agent/providers/anthropic.ts';
import { type LlmEmulator, startLlmEmulator } from '../../../emulators/start.ts';
import { ask, collect, failureOf, textOf } from './request.ts';

let llm: LlmEmulator;
beforeAll(async () => {
  llm = await startLlmEmulator();
});
afterAll(() => llm.stop());
beforeEach(() => llm.reset());

const KEY = 'sk-ant-canary-0123456789';

function createProvider(requestTimeoutMs = 5_000) {
  return createAnthropicProvider({ id: 'anthropic', baseUrl: `${llm.url}/v1`, apiKey: KEY, requestTimeoutMs });
}

describe('an answer of the messages API', () => {
  it('comes in pieces, then the usage, then exactly one end', async () => {
    await llm.configure({ apiKey: KEY });
    const events = await collect(createProvider(), ask('one two three four [[chunks=4]]'));
    expect(events.map((event) => event.type)).toEqual(['text', 'text', 'text', 'text', 'usage', 'done']);
    expect(textOf(events)).toBe('echo: one two three four');
    expect(events.at(-1)).toEqual({ type: 'done', reason: 'stop' });
  });

  it('is asked for with the system text apart and the limits', async () => {
    const messages = [
      { role: 'system', text: 'be brief' },
      { role: 'user', text: 'a' },
    ] as const;
    await collect(createProvider(), ask('', { messages, maxTokens: 77, temperature: 0.5 }));
    const [call] = await llm.calls();
    expect(call?.body).toMatchObject({
      model: 'test-model',
      stream: true,
      max_tokens: 77,
      temperature: 0.5,
      system: [{ type: 'text', text: 'be brief' }],
      messages: [{ role: 'user', content: [{ type: 'text', text: 'a' }] }],
    });
  });
});

describe('a failure of the messages API', () => {
  it.each([
    [401, 'auth'],
    [403, 'auth'],
    [404, 'invalid'],
    [500, 'overload'],
    [529, 'overload'],
  ] as const)('of status %i is "%s"', async (status, kind) => {
    await llm.addFault({ action: 'status', status });
    expect((await failureOf(collect(createProvider(), ask('hi')))).kind).toBe(kind);
    expect(await llm.calls()).toHaveLength(1);
  });

  it('of status 429 carries how long to wait', async () => {
    await llm.addFault({ action: '429', retryAfter: 3 });
    expect(await failureOf(collect(createProvider(), ask('hi')))).toMatchObject({ kind: 'rate', retryAfterMs: 3_000 });
  });

  it('of an empty account is a matter of quota', async () => {
    const body = JSON.stringify({
      type: 'error',
      error: { type: 'x', message: 'Your credit balance is too low to …' },
    });
    await llm.addFault({ action: 'status', status: 400, body });
    expect((await failureOf(collect(createProvider(), ask('hi')))).kind).toBe('quota');
  });

  it('of a stream that is cut, by the socket or quietly, is never a complete answer', async () => {
    expect((await failureOf(collect(createProvider(), ask('a b c d e [[chunks=5]] [[cut=2]]')))).kind).toBe('network');
    await llm.addFault({ action: 'truncate-body' });
    expect((await failureOf(collect(createProvider(), ask('a b c d e')))).kind).toBe('network');
  });

  it('of a provider that falls silent is a timeout', async () => {
    await llm.addFault({ action: 'half-open' });
    expect((await failureOf(collect(createProvider(150), ask('hi')))).kind).toBe('timeout');
  });
});

it('ends the request at the server when the caller aborts', async () => {
  const controller = new AbortController();
  const run = (async () => {
    for await (const event of createProvider().stream(ask('x y z [[chunks=50]] [[gap=100]]'), controller.signal)) {
      if (event.type === 'text') controller.abort();
    }
  })();
  await expect(run).rejects.toThrow(/abort/i);
  await expect.poll(async () => (await llm.calls())[0]?.aborted).toBe(true);
});

it('lists the models of the server', async () => {
  await llm.configure({ apiKey: KEY, models: ['claude-a', 'claude-b'] });
  expect(await createProvider().models(AbortSignal.timeout(1_000))).toEqual(['claude-a', 'claude-b']);
});
