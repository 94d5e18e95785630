import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type LlmEmulator, startLlmEmulator } from './start.ts';

let llm: LlmEmulator;

beforeAll(async () => {
  llm = await startLlmEmulator();
});
afterAll(() => llm.stop());
beforeEach(() => llm.reset());

interface Asked {
  readonly text: string;
  readonly more?: object;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
}

const user = (content: string) => ({ role: 'user', content });
const post = (path: string, body: object, { headers, signal }: Partial<Asked> = {}) =>
  fetch(`${llm.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  });
const chat = (asked: Asked) =>
  post('/v1/chat/completions', { model: 'emu', messages: [user(asked.text)], ...asked.more }, asked);
const stream = (text: string, more: object = {}) => chat({ text, more: { stream: true, ...more } });
const say = async (text: string, more: object = {}) => {
  const body = await readJson(await chat({ text, more }));
  return body.choices[0].message.content;
};
const claude = (body: object, headers: Record<string, string> = {}) =>
  post(
    '/v1/messages',
    { model: 'emu', max_tokens: 100, messages: [user('hi')], ...body },
    { headers: { 'anthropic-version': '2023-06-01', ...headers } },
  );
const readJson = async (response: Response) => JSON.parse(await response.text());
const dataLines = (text: string) => [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => data ?? '');

describe('the OpenAI side', () => {
  it('streams role, deltas, finish reason, usage and the end mark', async () => {
    const response = await stream('hi there [[chunks=3]]', { stream_options: { include_usage: true } });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const lines = dataLines(await response.text());
    expect(lines.at(-1)).toBe('[DONE]');
    const chunks = lines.slice(0, -1).map((line) => JSON.parse(line));
    expect(new Set(chunks.map(({ id, object }) => `${id} ${object}`)).size).toBe(1);
    expect(chunks[0]).toMatchObject({ object: 'chat.completion.chunk', choices: [{ delta: { role: 'assistant' } }] });
    const deltas = chunks.slice(1, 4).map((chunk) => chunk.choices[0].delta.content);
    expect(deltas.join('')).toBe('echo: hi there');
    expect(chunks[4].choices[0]).toMatchObject({ delta: {}, finish_reason: 'stop' });
    expect(chunks[5]).toMatchObject({ choices: [], usage: { total_tokens: expect.any(Number) } });
    expect(chunks).toHaveLength(6);
  });

  it('leaves usage out of a stream nobody asked it for', async () => {
    expect(await (await stream('hi')).text()).not.toContain('"usage"');
  });

  it('answers in one object without stream', async () => {
    expect(await readJson(await chat({ text: 'hi' }))).toMatchObject({
      object: 'chat.completion',
      model: 'emu',
      choices: [{ message: { role: 'assistant', content: 'echo: hi' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: expect.any(Number), completion_tokens: expect.any(Number) },
    });
  });

  it('lists models for OpenAI, Anthropic and Ollama clients', async () => {
    await llm.configure({ models: ['alpha', 'beta'] });
    const list = async (path: string, headers = {}) => readJson(await fetch(`${llm.url}${path}`, { headers }));
    expect(await list('/v1/models')).toMatchObject({ object: 'list', data: [{ id: 'alpha', object: 'model' }, {}] });
    expect(await list('/v1/models', { 'anthropic-version': '2023-06-01' })).toMatchObject({
      data: [{ type: 'model', id: 'alpha' }, {}],
      has_more: false,
    });
    expect((await list('/api/tags')).models.map(({ name }: { name: string }) => name)).toEqual(['alpha', 'beta']);
  });

  it('checks the key when one is set', async () => {
    await llm.configure({ apiKey: 'sk-right' });
    const status = async (headers: Record<string, string>) => (await chat({ text: 'x', headers })).status;
    expect(await status({})).toBe(401);
    expect(await status({ authorization: 'Bearer sk-right' })).toBe(200);
    const wrong = await chat({ text: 'x', headers: { authorization: 'Bearer sk-wrong' } });
    expect(wrong.status).toBe(401);
    expect(await readJson(wrong)).toMatchObject({ error: { code: 'invalid_api_key', type: 'invalid_request_error' } });
  });

  it('knows only the models that are set', async () => {
    await llm.configure({ models: ['alpha'] });
    const response = await chat({ text: 'x', more: { model: 'omega' } });
    expect(response.status).toBe(404);
    expect(await readJson(response)).toMatchObject({ error: { code: 'model_not_found' } });
  });

  it.each([
    ['no messages', { messages: undefined }],
    ['messages that are no list', { messages: 'hi' }],
    ['an empty list', { messages: [] }],
    ['a message without role', { messages: [{ content: 'x' }] }],
    ['no model', { model: undefined }],
  ])('refuses %s with 400', async (_what, more) => {
    const response = await chat({ text: 'x', more });
    expect(response.status).toBe(400);
    expect(await readJson(response)).toMatchObject({ error: { type: 'invalid_request_error' } });
  });

  it('refuses broken JSON and unknown paths in JSON', async () => {
    const broken = await fetch(`${llm.url}/v1/chat/completions`, { method: 'POST', body: '{' });
    expect([broken.status, (await readJson(broken)).error.type]).toEqual([400, 'invalid_request_error']);
    const lost = await fetch(`${llm.url}/v2/other`);
    expect([lost.status, (await readJson(lost)).error.type]).toEqual([404, 'invalid_request_error']);
  });
});

describe('the Anthropic side', () => {
  it('streams its named events in order', async () => {
    const text = await (await claude({ stream: true, messages: [user('hi [[chunks=2]]')] })).text();
    const names = [...text.matchAll(/^event: (.*)$/gm)].map(([, name]) => name);
    expect(names).toEqual([
      'message_start',
      'ping',
      'content_block_start',
      'content_block_delta',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ]);
    const events = dataLines(text).map((line) => JSON.parse(line));
    expect(events.every(({ type }, index) => type === names[index])).toBe(true);
    const deltas = events.filter(({ type }) => type === 'content_block_delta').map(({ delta }) => delta.text);
    expect(deltas.join('')).toBe('echo: hi');
    expect(events.at(-2)).toMatchObject({ delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 2 } });
  });

  it('answers in one message without stream and counts the system prompt as a role', async () => {
    const response = await claude({ system: 'Be kind.', messages: [user('[[history]]')] });
    expect(await readJson(response)).toMatchObject({
      type: 'message',
      role: 'assistant',
      content: [{ type: 'text', text: 'history: system,user' }],
      stop_reason: 'end_turn',
    });
  });

  it('insists on version, max_tokens and key', async () => {
    await llm.configure({ apiKey: 'key' });
    const error = async (response: Response) => [response.status, (await readJson(response)).error.type];
    expect(await error(await claude({}))).toEqual([401, 'authentication_error']);
    const key = { 'x-api-key': 'key' };
    expect((await claude({}, key)).status).toBe(200);
    expect(await error(await claude({ max_tokens: undefined }, key))).toEqual([400, 'invalid_request_error']);
    const unversioned = await post('/v1/messages', { model: 'x', messages: [user('x')] }, { headers: key });
    expect(await error(unversioned)).toEqual([400, 'invalid_request_error']);
  });

  it('calls a tool and goes on after its result', async () => {
    const ask = user('[[tool=clock:{"zone":"UTC"}]]');
    const first = await readJson(await claude({ messages: [ask] }));
    expect(first).toMatchObject({
      content: [{ type: 'tool_use', name: 'clock', input: { zone: 'UTC' } }],
      stop_reason: 'tool_use',
    });
    const result = { type: 'tool_result', tool_use_id: first.content[0].id, content: '12:00' };
    const messages = [ask, { role: 'assistant', content: first.content }, { role: 'user', content: [result] }];
    expect((await readJson(await claude({ messages }))).content).toEqual([{ type: 'text', text: 'tool: 12:00' }]);
  });
});

describe('directives', () => {
  it('say, long and history choose the answer', async () => {
    expect(await say('[[say=Good day.]] ignored')).toBe('Good day.');
    expect(await say('[[long=23]]')).toBe('word1 word2 word3 word4');
    const messages = [
      { role: 'system', content: 's' },
      user('a'),
      { role: 'assistant', content: 'b' },
      user('[[history]]'),
    ];
    expect(await say('', { messages })).toBe('history: system,user,assistant,user');
  });

  it('answers the last user text, also when it comes in parts', async () => {
    const parts = [
      { type: 'text', text: 'in ' },
      { type: 'text', text: 'parts' },
    ];
    const messages = [user('first'), { role: 'assistant', content: 'x' }, { role: 'user', content: parts }];
    expect(await say('', { messages })).toBe('echo: in parts');
  });

  it('tool makes a call and is not obeyed twice in a tool loop', async () => {
    const ask = user('[[tool=search:{"q":"cats"}]]');
    const { choices } = await readJson(await chat({ text: '', more: { messages: [ask] } }));
    const [call] = choices[0].message.tool_calls;
    expect(choices[0].finish_reason).toBe('tool_calls');
    expect(call).toMatchObject({ type: 'function', function: { name: 'search', arguments: '{"q":"cats"}' } });
    const messages = [ask, choices[0].message, { role: 'tool', tool_call_id: call.id, content: '9 cats' }];
    expect(await say('', { messages })).toBe('tool: 9 cats');
    const streamed = await (await stream('[[tool=search:{"q":"cats"}]]')).text();
    expect(streamed).toContain('"finish_reason":"tool_calls"');
  });

  it('delay and gap pace the stream, settings too', async () => {
    const started = Date.now();
    await (await stream('abc [[delay=60]][[gap=30]][[chunks=3]]')).text();
    expect(Date.now() - started).toBeGreaterThanOrEqual(118);
    await llm.configure({ firstDelayMs: 50, chunks: 1 });
    const again = Date.now();
    expect(dataLines(await (await stream('abc')).text())).toHaveLength(4);
    expect(Date.now() - again).toBeGreaterThanOrEqual(48);
  });

  it('status answers with an error, and cut breaks off after the given deltas', async () => {
    const limited = await chat({ text: '[[status=429]]' });
    expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, '1']);
    expect((await chat({ text: '[[status=500]]' })).status).toBe(500);
    const response = await stream('abcdef [[chunks=6]][[cut=2]]');
    const decoder = new TextDecoder();
    let seen = '';
    const reading = (async () => {
      for await (const part of response.body ?? []) seen += decoder.decode(part);
    })();
    await expect(reading).rejects.toThrow('terminated');
    expect(dataLines(seen).map((line) => JSON.parse(line).choices[0].delta.content)).toHaveLength(3);
    await expect(chat({ text: '[[cut=0]]' }).then((answer) => answer.text())).rejects.toThrow();
  });
});

describe('the journal and the faults of the model emulator', () => {
  it('records bodies and times, and notices a client that hangs up', async () => {
    await say('one');
    const hangUp = new AbortController();
    const response = await chat({ text: 'abc [[gap=5000]]', more: { stream: true }, signal: hangUp.signal });
    hangUp.abort();
    await response.text().catch(() => undefined);
    await vi.waitFor(async () => expect((await llm.calls())[1]?.aborted).toBe(true));
    const [first, second] = await llm.calls();
    expect(first).toMatchObject({ seq: 1, path: '/v1/chat/completions', outcome: 200, aborted: false });
    expect(first?.body).toMatchObject({ messages: [{ content: 'one' }] });
    expect(first?.finishedAt).toBeGreaterThanOrEqual(first?.at ?? Number.POSITIVE_INFINITY);
    expect(second?.outcome).toBe('aborted');
  });

  it('records nothing when the journal is off, and refuses settings it does not know', async () => {
    await llm.configure({ journal: false });
    expect(await say('x')).toBe('echo: x');
    expect(await llm.calls()).toEqual([]);
    await expect(llm.configure({ chunks: 0 })).rejects.toThrow('bad setting chunks');
  });

  it('injects rate limits and context-length errors in the right dialect', async () => {
    await llm.addFault({ match: { path: '/v1/chat/completions' }, action: '429', retryAfter: 20 });
    const limited = await chat({ text: 'x' });
    expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, '20']);
    await llm.addFault({ action: 'status', status: 400, code: 'context_length_exceeded', times: 2 });
    const tooLong = await chat({ text: 'x' });
    expect(await readJson(tooLong)).toMatchObject({ error: { code: 'context_length_exceeded' } });
    expect(await readJson(await claude({}))).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } });
    expect((await chat({ text: 'x' })).status).toBe(200);
  });

  it('drops, truncates and breaks streams', async () => {
    await llm.addFault({ action: 'drop-before' });
    await expect(stream('x')).rejects.toThrow('fetch failed');
    await llm.addFault({ action: 'truncate-body', match: { contains: 'abc' } });
    await expect(stream('abc').then((response) => response.text())).rejects.toThrow('terminated');
    await llm.addFault({ action: 'malformed-json' });
    const lines = dataLines(await (await stream('x')).text()).filter((line) => line !== '[DONE]');
    expect(() => lines.map((line) => JSON.parse(line))).toThrow(SyntaxError);
  });
});
