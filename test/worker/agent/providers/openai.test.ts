import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createOpenAiProvider } from '../../../../worker/agent/providers/openai.ts';
import type { RemoteSettings } from '../../../../worker/agent/providers/remote.ts';
import { type LlmEmulator, startLlmEmulator } from '../../../emulators/start.ts';
import { closedPort } from './closed-port.ts';
import { ask, collect, failureOf, textOf } from './request.ts';

let llm: LlmEmulator;
beforeAll(async () => {
  llm = await startLlmEmulator();
});
afterAll(() => llm.stop());
beforeEach(() => llm.reset());

const KEY = 'sk-canary-0123456789';

function createProvider(more: Partial<RemoteSettings> = {}) {
  return createOpenAiProvider({
    id: 'openai',
    baseUrl: `${llm.url}/v1`,
    apiKey: KEY,
    requestTimeoutMs: 5_000,
    ...more,
  });
}

describe('an answer', () => {
  it('comes in order and in pieces, then the usage, then exactly one end', async () => {
    const events = await collect(createProvider(), ask('one two three four five six [[chunks=5]]'));
    const types = events.map((event) => event.type);
    expect(types).toEqual(['text', 'text', 'text', 'text', 'text', 'usage', 'done']);
    expect(textOf(events)).toContain('one two three four five six');
    expect(events.at(-1)).toEqual({ type: 'done', reason: 'stop' });
    const usage = events.find((event) => event.type === 'usage');
    expect(usage?.type === 'usage' && usage.usage.outputTokens).toBeGreaterThan(0);
  });

  it('is asked for with the whole conversation, the limits and the key', async () => {
    await llm.configure({ apiKey: KEY });
    const messages = [
      { role: 'system', text: 'be brief' },
      { role: 'user', text: 'a' },
      { role: 'assistant', text: 'b' },
      { role: 'user', text: 'c' },
    ] as const;
    await collect(createProvider(), ask('', { messages, maxTokens: 77, temperature: 0.5 }));
    const [call] = await llm.calls();
    expect(call?.body).toMatchObject({
      model: 'test-model',
      stream: true,
      max_tokens: 77,
      temperature: 0.5,
      messages: [
        { role: 'system', content: 'be brief' },
        { role: 'user', content: 'a' },
        { role: 'assistant', content: 'b' },
        { role: 'user', content: 'c' },
      ],
    });
  });

  it('starts before it is complete', async () => {
    const started = performance.now();
    for await (const event of createProvider().stream(
      ask('slow [[chunks=3]] [[gap=1000]]'),
      AbortSignal.timeout(5_000),
    )) {
      if (event.type === 'text') break;
    }
    expect(performance.now() - started).toBeLessThan(900);
  });

  it('keeps characters whole that are split between network packets', async () => {
    const events = await collect(createProvider(), ask('[[say=你好，世界 👋🏽 done]] [[chunks=9]]'));
    expect(textOf(events)).toBe('你好，世界 👋🏽 done');
  });
});

describe('a failure', () => {
  it.each([
    [401, 'auth', /providers\.openai\.apiKey or OPENAI_API_KEY/],
    [403, 'auth', /apiKey/],
    [402, 'quota', /credit/],
    [404, 'invalid', /name/],
    [408, 'timeout', /requestTimeout/],
    [422, 'invalid', /settings/],
    [500, 'overload', /fallbacks/],
    [504, 'timeout', /requestTimeout/],
    [529, 'overload', /fallbacks/],
  ] as const)('of status %i is "%s" and says what to do', async (status, kind, advice) => {
    await llm.addFault({ action: 'status', status });
    const error = await failureOf(collect(createProvider(), ask('hi')));
    expect(error.kind).toBe(kind);
    expect(error.message).toMatch(/^openai\/test-model: HTTP /);
    expect(error.message).toMatch(advice);
    expect(await llm.calls()).toHaveLength(1);
  });

  it('of status 429 carries how long to wait', async () => {
    await llm.addFault({ action: '429', retryAfter: 7 });
    const error = await failureOf(collect(createProvider(), ask('hi')));
    expect(error).toMatchObject({ kind: 'rate', retryAfterMs: 7_000 });
  });

  it('of status 429 is a matter of quota when the body says so', async () => {
    const body = JSON.stringify({ error: { message: 'You exceeded your current quota', code: 'insufficient_quota' } });
    await llm.addFault({ action: 'status', status: 429, body });
    expect((await failureOf(collect(createProvider(), ask('hi')))).kind).toBe('quota');
  });

  it('of a conversation that is too long says so', async () => {
    await llm.addFault({ action: 'status', status: 400, code: 'context_length_exceeded' });
    const error = await failureOf(collect(createProvider(), ask('hi')));
    expect(error.kind).toBe('context');
    expect(error.message).toContain('/new');
  });

  it('of a stream that is cut comes after the pieces that did arrive', async () => {
    const pieces: string[] = [];
    const stream = async () => {
      const events = createProvider().stream(ask('a b c d e f g h [[chunks=6]] [[cut=2]]'), AbortSignal.timeout(5_000));
      for await (const event of events) if (event.type === 'text') pieces.push(event.text);
    };
    expect((await failureOf(stream())).kind).toBe('network');
    expect(pieces.length).toBeGreaterThan(0);
  });

  it('of a base URL with a password in it does not tell the password', async () => {
    const error = await failureOf(collect(createProvider({ baseUrl: 'http://user:pass@127.0.0.1:9/v1' }), ask('hi')));
    expect(error.kind).toBe('network');
    expect(error.message).not.toMatch(/pass|canary/);
  });

  it('that is refused names the port', async () => {
    const port = await closedPort();
    const error = await failureOf(collect(createProvider({ baseUrl: `http://127.0.0.1:${port}/v1` }), ask('hi')));
    expect(error.kind).toBe('network');
    expect(error.message).toContain('ECONNREFUSED');
    expect(error.message).toContain(`http://127.0.0.1:${port}`);
  });

  it('that quotes the key is passed on without it', async () => {
    const body = JSON.stringify({ error: { message: `Incorrect API key provided: ${KEY}` } });
    await llm.addFault({ action: 'status', status: 401, body });
    const error = await failureOf(collect(createProvider(), ask('hi')));
    expect(error.message).not.toContain(KEY);
  });

  it('of a proxy that answers HTML is short', async () => {
    await llm.addFault({ action: 'status', status: 502, html: true });
    const error = await failureOf(collect(createProvider(), ask('hi')));
    expect(error.kind).toBe('overload');
    expect(error.message.length).toBeLessThan(600);
  });
});

describe('waiting', () => {
  it('ends at the server when the caller aborts, with the reason of the abort', async () => {
    const controller = new AbortController();
    const reason = new Error('stop it');
    const run = (async () => {
      for await (const event of createProvider().stream(ask('x [[chunks=50]] [[gap=100]]'), controller.signal)) {
        if (event.type === 'text') controller.abort(reason);
      }
    })();
    await expect(run).rejects.toBe(reason);
    await expect.poll(async () => (await llm.calls())[0]?.aborted).toBe(true);
  });

  it('ends at the server when the reader loses interest', async () => {
    for await (const event of createProvider().stream(ask('x [[chunks=50]] [[gap=100]]'), AbortSignal.timeout(5_000))) {
      if (event.type === 'text') break;
    }
    await expect.poll(async () => (await llm.calls())[0]?.aborted).toBe(true);
  });

  it('does not begin when the signal has aborted already', async () => {
    await expect(collect(createProvider(), ask('hi'), AbortSignal.abort(new Error('too late')))).rejects.toThrow(
      'too late',
    );
    expect(await llm.calls()).toHaveLength(0);
  });

  it('ends after a silence, before and inside the answer', async () => {
    const provider = createProvider({ requestTimeoutMs: 150 });
    const before = await failureOf(collect(provider, ask('x [[delay=5000]]')));
    expect(before).toMatchObject({ kind: 'timeout' });
    expect(before.message).toContain('silent for 150ms');
    expect((await failureOf(collect(provider, ask('x y z [[chunks=3]] [[gap=5000]]')))).kind).toBe('timeout');
  });

  it('goes on for as long as pieces keep coming', async () => {
    const provider = createProvider({ requestTimeoutMs: 250 });
    const events = await collect(provider, ask('a b c d e f g h [[chunks=6]] [[gap=100]]'));
    expect(events.at(-1)?.type).toBe('done');
  });
});

describe('the list of models', () => {
  it('is the configured one when there is one', async () => {
    expect(await createProvider({ models: ['a', 'b'] }).models(AbortSignal.timeout(1_000))).toEqual(['a', 'b']);
    expect(await llm.calls()).toHaveLength(0);
  });

  it('is asked from the server otherwise, with the key', async () => {
    await llm.configure({ apiKey: KEY, models: ['m1', 'm2'] });
    expect(await createProvider().models(AbortSignal.timeout(1_000))).toEqual(['m1', 'm2']);
    const error = await failureOf(createProvider({ apiKey: 'sk-wrong-key' }).models(AbortSignal.timeout(1_000)));
    expect(error.kind).toBe('auth');
  });
});
