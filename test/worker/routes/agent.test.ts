import { describe, expect, it } from 'vitest';
import { readEvents, serveApp, TOKEN } from '../served-app.ts';

describe('POST /api/agent', () => {
  it('answers with the reply, and the session has the conversation', async () => {
    const { call } = await serveApp();
    const answer = await call('POST', '/api/agent', { message: 'hello', session: 'desk' });
    expect(answer).toMatchObject({
      status: 200,
      body: { status: 'ok', reply: 'echo: hello', session: 'desk', run_id: expect.any(String) },
    });
    const { body } = await call('GET', '/api/sessions/main:webchat:default:direct:desk');
    expect(body['session']).toMatchObject({
      messageCount: 2,
      pending: [],
      messages: [
        { role: 'user', content: 'hello' },
        { role: 'assistant', content: 'echo: hello', model: 'scripted/model' },
      ],
    });
  });

  it('streams the answer as events, the last one with the result', async () => {
    const { url, provider } = await serveApp();
    provider.answers.push(async function* () {
      yield { type: 'reasoning', text: 'hm' };
      yield { type: 'text', text: 'One ' };
      yield { type: 'text', text: 'two' };
    });
    const response = await fetch(`${url}/api/agent`, {
      method: 'POST',
      headers: { 'x-api-key': TOKEN, 'content-type': 'application/json', accept: 'text/event-stream' },
      body: '{"message":"hi"}',
    });
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const events = await readEvents(response);
    expect(events.map(({ event }) => event)).toEqual(['status', 'status', 'reasoning', 'token', 'token', 'result']);
    expect(events.at(-1)?.data).toMatchObject({ status: 'ok', reply: 'One two', session: 'default' });
  });

  it('with a key is one turn however often it is sent; another content under that key is 409', async () => {
    const { call, provider } = await serveApp();
    const send = (message: string, header = 'k-1') =>
      call('POST', '/api/agent', { message }, { 'idempotency-key': header });
    const [first, second] = await Promise.all([send('hello'), send('hello')]);
    expect(first?.body).toEqual(second?.body);
    expect((await send('hello')).body).toEqual(first?.body);
    expect(provider.requests).toHaveLength(1);
    expect(await send('other')).toMatchObject({ status: 409, body: { error: { code: 'CONFLICT' } } });
    expect((await send('x', 'y'.repeat(257))).status).toBe(400);
  });

  it('whose model fails is 502, and 504 when it took too long', async () => {
    const { call, provider } = await serveApp({
      config: { agents: { turnTimeout: '40ms', defaults: { model: 'scripted/model' } } },
    });
    provider.answers.push(new Error('broken'), async function* (_request, signal) {
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      yield { type: 'text', text: '' };
      signal.throwIfAborted();
    });
    expect(await call('POST', '/api/agent', { message: 'a' })).toMatchObject({
      status: 502,
      body: { error: { code: 'AGENT_ERROR' } },
    });
    expect(await call('POST', '/api/agent', { message: 'b' })).toMatchObject({
      status: 504,
      body: { error: { code: 'AGENT_ERROR' } },
    });
  });

  it.each([
    [{ message: 'x', agent_id: 'nobody' }, 400, 'INVALID_REQUEST'],
    [{ message: 'x', model: 'gpt' }, 400, 'INVALID_REQUEST'],
    [{ message: 'x', model: 'nobody/gpt' }, 400, 'INVALID_REQUEST'],
    [{ message: 'x', session: 'a b' }, 400, 'INVALID_REQUEST'],
    [{ message: 'x', session: 'nobody:webchat:default:direct:1' }, 404, 'SESSION_NOT_FOUND'],
    [{ message: ' \n ' }, 400, 'INVALID_REQUEST'],
    [{ message: 'x'.repeat(200_001) }, 400, 'INVALID_REQUEST'],
  ])('refuses %j with %i', async (body, status, code) => {
    const { call } = await serveApp();
    expect(await call('POST', '/api/agent', body)).toMatchObject({ status, body: { error: { code } } });
  });

  it('goes on when the caller hangs up', async () => {
    const { url, provider, store } = await serveApp();
    let pass: () => void = () => undefined;
    provider.answers.push(async function* () {
      await new Promise<void>((resolve) => {
        pass = resolve;
      });
      yield { type: 'text', text: 'late answer' };
    });
    const caller = new AbortController();
    const call = fetch(`${url}/api/agent`, {
      method: 'POST',
      headers: { 'x-api-key': TOKEN, 'content-type': 'application/json' },
      body: '{"message":"hi"}',
      signal: caller.signal,
    });
    await expect.poll(() => provider.requests.length).toBe(1);
    caller.abort();
    await expect(call).rejects.toThrow();
    pass();
    await expect
      .poll(
        async () => (await store.sessions.messages('main:webchat:default:direct:default', { limit: 5 })).at(-1)?.text,
      )
      .toBe('late answer');
  });

  it('is aborted by run or session; an unknown one is 404, both or none 400', async () => {
    const { call, provider } = await serveApp();
    const until = async function* (_request: unknown, signal: AbortSignal) {
      yield { type: 'text' as const, text: 'Half' };
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      signal.throwIfAborted();
    };
    provider.answers.push(until);
    const asked = call('POST', '/api/agent', { message: 'x', session: 'desk' });
    await expect.poll(() => provider.requests.length).toBe(1);
    expect(await call('POST', '/api/agent/abort', { session: 'desk' })).toMatchObject({
      status: 200,
      body: { status: 'ok' },
    });
    expect(await asked).toMatchObject({ status: 200, body: { reply: 'Half' } });
    expect((await call('POST', '/api/agent/abort', { session: 'desk' })).status).toBe(404);
    expect((await call('POST', '/api/agent/abort', { run_id: 'nothing' })).status).toBe(404);
    expect((await call('POST', '/api/agent/abort', {})).status).toBe(400);
    expect((await call('POST', '/api/agent/abort', { run_id: 'a', session: 'b' })).status).toBe(400);
  });
});
