import OpenAI, { type APIError } from 'openai';
import { describe, expect, it } from 'vitest';
import { endless } from '../scripted-provider.ts';
import { type Served, type ServeOptions, serveApp, TOKEN } from '../served-app.ts';

const QUESTION = [{ role: 'user', content: 'hello' }] as const;

async function serveOpenAi(options: ServeOptions = {}): Promise<Served & { client: OpenAI }> {
  const app = await serveApp(options);
  return { ...app, client: new OpenAI({ baseURL: `${app.url}/v1`, apiKey: TOKEN, maxRetries: 0 }) };
}

/** What the official client throws. */
async function refusal(request: Promise<unknown>): Promise<APIError> {
  return request.then(
    () => Promise.reject(new Error('It was not refused')),
    (error: APIError) => error,
  );
}

describe("OpenAI's own client", () => {
  it('gets an answer from an agent, with what it cost', async () => {
    const { client, provider } = await serveOpenAi();
    const completion = await client.chat.completions.create({ model: 'main', messages: [...QUESTION] });
    expect(completion).toMatchObject({
      id: expect.stringMatching(/^chatcmpl-/),
      object: 'chat.completion',
      model: 'main',
      choices: [{ index: 0, message: { role: 'assistant', content: 'echo: hello' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 },
    });
    expect(Math.abs(completion.created - Date.now() / 1_000)).toBeLessThan(60);
    expect(provider.requests).toMatchObject([{ model: 'model', messages: [{ role: 'user', text: 'hello' }] }]);
  });

  it('gets a streamed answer piece by piece, and the usage when asked for', async () => {
    const { client, provider } = await serveOpenAi();
    provider.answers.push(async function* () {
      yield { type: 'reasoning', text: 'hm' };
      yield { type: 'text', text: 'One ' };
      yield { type: 'text', text: 'two' };
      yield { type: 'usage', usage: { inputTokens: 1, outputTokens: 2 } };
      yield { type: 'done', reason: 'length' };
    });
    const stream = await client.chat.completions.create({
      model: 'main',
      messages: [...QUESTION],
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect(chunks.map(({ choices }) => choices[0]?.delta)).toEqual([
      { role: 'assistant', content: '' },
      { content: 'One ' },
      { content: 'two' },
      {},
      undefined,
    ]);
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('length');
    expect(chunks.at(-1)?.usage).toEqual({ prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 });
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
  });

  it("hands over the whole conversation, the system's words first and after the agent's own", async () => {
    const { client, provider, store } = await serveOpenAi({
      config: { agents: { defaults: { model: 'scripted/model', systemPrompt: 'Be kind.' } } },
    });
    await client.chat.completions.create({
      model: 'main',
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'a' }] },
        { role: 'assistant', content: 'b' },
        { role: 'developer', content: 'Be brief.' },
        { role: 'user', content: 'c' },
      ],
      temperature: 0.5,
      max_completion_tokens: 7,
    });
    expect(provider.requests[0]).toMatchObject({ maxTokens: 7, temperature: 0.5 });
    expect(provider.requests[0]?.messages.map(({ role, text }) => `${role}: ${text}`)).toEqual([
      'system: Be kind.',
      'system: Be brief.',
      'user: a',
      'assistant: b',
      'user: c',
    ]);
    // The caller keeps it; here nothing is left of it.
    expect((await store.sessions.list({ limit: 10, offset: 0, sort: 'updated' })).total).toBe(0);
  });

  it('with a user has a conversation that the gateway keeps', async () => {
    const { client, provider, call } = await serveOpenAi();
    for (const content of ['one', 'two'])
      await client.chat.completions.create({
        model: 'main',
        messages: [
          { role: 'user', content: 'not said here' },
          { role: 'user', content },
        ],
        user: 'alice@example.com',
        max_tokens: 9,
      });
    expect(provider.requests[1]?.messages.map(({ text }) => text)).toEqual(['one', 'echo: one', 'two']);
    expect(provider.requests[1]?.maxTokens).toBe(9);
    const { body } = await call(
      'GET',
      `/api/sessions/${encodeURIComponent('main:webchat:default:direct:alice@example.com')}`,
    );
    expect(body['session']).toMatchObject({ messageCount: 4 });
    const stream = client.chat.completions.stream({
      model: 'main',
      messages: [...QUESTION],
      user: 'alice@example.com',
    });
    expect(await stream.finalContent()).toBe('echo: hello');
  });

  it('lists agents and models, and may ask for either', async () => {
    const { client, provider } = await serveOpenAi({
      config: {
        agents: {
          defaults: { model: 'scripted/model' },
          list: [{ id: 'main' }, { id: 'cook', systemPrompt: 'You cook.' }, { id: 'gone', enabled: false }],
        },
      },
    });
    const ids = (await client.models.list()).data.map(({ id }) => id);
    expect(ids).toEqual(['main', 'cook', 'scripted/model']);
    for (const model of ['cook', 'scripted/other'])
      await client.chat.completions.create({ model, messages: [...QUESTION] });
    expect(provider.requests).toMatchObject([
      { model: 'model', messages: [{ role: 'system', text: 'You cook.' }, {}] },
      { model: 'other', messages: [{ role: 'user' }] },
    ]);
    expect(await refusal(client.chat.completions.create({ model: 'gone', messages: [...QUESTION] }))).toMatchObject({
      status: 404,
      code: 'not_found',
      param: 'model',
    });
  });

  it('lists what answers when a provider does not tell its models', async () => {
    const { client, provider } = await serveOpenAi();
    provider.models = () => Promise.reject(new Error('down'));
    expect((await client.models.list()).data.map(({ id }) => id)).toEqual(['main']);
  });

  it("is refused in OpenAI's form", async () => {
    const { client, url, provider, call } = await serveOpenAi();
    const stranger = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'wrong-key-0123456789', maxRetries: 0 });
    expect(await refusal(stranger.models.list())).toMatchObject({
      status: 401,
      type: 'authentication_error',
      code: 'unauthorized',
      message: expect.stringContaining('token'),
    });
    provider.answers.push(new Error('broken'));
    const failed = await refusal(client.chat.completions.create({ model: 'main', messages: [...QUESTION] }));
    expect(failed).toMatchObject({ status: 502, type: 'server_error', code: 'agent_error' });
    expect((await call('GET', '/v1/nothing')).body).toMatchObject({
      error: { type: 'invalid_request_error', code: 'not_found', param: null },
    });
    expect((await call('GET', '/v1/chat/completions')).body).toMatchObject({ error: { code: 'method_not_allowed' } });
    expect((await call('POST', '/v1/chat/completions', '{')).body).toMatchObject({
      error: { code: 'invalid_request' },
    });
  });

  it('is told in the stream when the model fails', async () => {
    const { client, provider } = await serveOpenAi();
    provider.answers.push(async function* () {
      yield { type: 'text', text: 'Half' };
      throw new Error('broken');
    });
    const stream = await client.chat.completions.create({ model: 'main', messages: [...QUESTION], stream: true });
    const read = async (): Promise<void> => {
      for await (const _chunk of stream);
    };
    expect(await refusal(read())).toMatchObject({ code: 'agent_error' });
  });

  it.each([
    ['tools', { tools: [{ type: 'function', function: { name: 'f' } }] }],
    ['stop', { stop: ['x'] }],
    ['n', { n: 2 }],
    ['top_p', { top_p: 0.5 }],
    ['response_format.type', { response_format: { type: 'json_object' } }],
    ['temperature', { temperature: 3 }],
    ['max_tokens', { max_tokens: 0 }],
    ['messages', { messages: [] }],
    ['messages', { messages: [{ role: 'assistant', content: 'a' }] }],
    ['messages.0.role', { messages: [{ role: 'tool', content: 'a', tool_call_id: 't' }] }],
    ['messages.0.content', { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'x' } }] }] }],
    ['model', { model: '' }],
  ])('is told which parameter is not understood: %s %j', async (param, change) => {
    const { call } = await serveOpenAi();
    const answer = await call('POST', '/v1/chat/completions', { model: 'main', messages: QUESTION, ...change });
    expect(answer).toMatchObject({ status: 400, body: { error: { param, type: 'invalid_request_error' } } });
  });

  it('may send what changes nothing', async () => {
    const { call } = await serveOpenAi();
    const neutral = { n: 1, top_p: 1, tools: [], stop: null, user: null, logprobs: false, seed: 1, stream: null };
    expect((await call('POST', '/v1/chat/completions', { model: 'main', messages: QUESTION, ...neutral })).status).toBe(
      200,
    );
  });

  it('that leaves ends its turn, and waits for a free one when all are taken', async () => {
    const { client, provider, runs } = await serveOpenAi({
      config: { agents: { maxConcurrentTurns: 1, defaults: { model: 'scripted/model' } } },
    });
    provider.answers.push(endless('Half'));
    const stream = await client.chat.completions.create({ model: 'main', messages: [...QUESTION], stream: true });
    await expect.poll(() => provider.requests.length).toBe(1);
    expect(await refusal(client.chat.completions.create({ model: 'main', messages: [...QUESTION] }))).toMatchObject({
      status: 429,
      type: 'rate_limit_error',
    });
    stream.controller.abort();
    await expect.poll(() => runs.active).toBe(0);
    const completion = await client.chat.completions.create({ model: 'main', messages: [...QUESTION] });
    expect(completion.choices[0]?.message.content).toBe('echo: hello');
  });
});
