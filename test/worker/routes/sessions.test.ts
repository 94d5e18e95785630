import { describe, expect, it } from 'vitest';
import { serveApp } from '../served-app.ts';

describe('sessions', () => {
  it('are created once and reused, never overwritten', async () => {
    const { call } = await serveApp();
    const first = await call('POST', '/api/sessions', { chat_id: 'desk' });
    expect(first).toMatchObject({
      status: 201,
      body: { status: 'ok', created: true, session: { key: 'main:webchat:default:direct:desk' } },
    });
    expect(await call('POST', '/api/sessions', { chat_id: 'desk' })).toMatchObject({
      status: 200,
      body: { created: false },
    });
    const empty = await call('POST', '/api/sessions');
    expect(empty).toMatchObject({ status: 200, body: { created: false, session: { sourceChatId: 'desk' } } });
    await call('POST', '/api/agent', { message: 'x', session: 'desk' });
    expect(await call('POST', '/api/sessions')).toMatchObject({ status: 201, body: { created: true } });
    expect((await call('POST', '/api/sessions', { agentId: 'nobody' })).status).toBe(400);
    expect((await call('POST', '/api/sessions', { chat_id: '/'.repeat(256) })).status).toBe(201);
  });

  it('are listed in pages, with the total and whether there is more', async () => {
    const { call } = await serveApp();
    for (const id of ['a', 'b', 'c']) await call('POST', '/api/sessions', { chat_id: id });
    const page = await call('GET', '/api/sessions?limit=2');
    expect(page.body).toMatchObject({ total: 3, limit: 2, offset: 0, has_more: true });
    expect(page.body['items']).toHaveLength(2);
    expect((await call('GET', '/api/sessions?limit=2&offset=2')).body).toMatchObject({ offset: 2, has_more: false });
    expect((await call('GET', '/api/sessions?search=direct:b')).body).toMatchObject({ total: 1 });
  });

  it('are found by channel, agent, status and text, in the order that is asked for', async () => {
    const agents = { defaults: { model: 'scripted/model' }, list: [{ id: 'main' }, { id: 'cook' }] };
    const { call } = await serveApp({ config: { agents } });
    await call('POST', '/api/sessions', { chat_id: 'a' });
    await call('POST', '/api/sessions', { chat_id: 'b_1', channel: 'telegram' });
    await call('POST', '/api/sessions', { chat_id: 'c', agentId: 'cook' });
    await call('POST', '/api/agent', { message: 'x', session: 'a' });
    const find = async (query: string): Promise<string[]> => {
      const { items } = (await call('GET', `/api/sessions?${query}`)).body as { items: { sourceChatId: string }[] };
      return items.map(({ sourceChatId }) => sourceChatId);
    };
    expect((await find(''))[0]).toBe('a');
    expect(await find('sort=created')).toEqual(['c', 'b_1', 'a']);
    expect(await find('channel=telegram')).toEqual(['b_1']);
    expect(await find('agent=cook')).toEqual(['c']);
    expect(await find('status=active&agent=main&limit=1')).toEqual(['a']);
    expect(await find('status=archived')).toEqual([]);
    expect(await find('search=b_')).toEqual(['b_1']);
    expect(await find('search=%25')).toEqual([]);
  });

  it.each([
    'limit=0',
    'limit=201',
    'limit=-1',
    'limit=1.5',
    'limit=x',
    'limit=',
    'limit=1&limit=2',
    'offset=-1',
    'offset=1e3',
    'status=gone',
    'sort=name',
  ])('refuse the query %s and name the field', async (query) => {
    const { call } = await serveApp();
    const answer = await call('GET', `/api/sessions?${query}`);
    expect(answer).toMatchObject({ status: 400, body: { error: { details: [{ path: query.split('=')[0] }] } } });
  });

  it('show their messages from the newest back, and whether there are older ones', async () => {
    const { call } = await serveApp();
    for (const message of ['1', '2']) await call('POST', '/api/agent', { message });
    const path = '/api/sessions/main:webchat:default:direct:default';
    const newest = (await call('GET', `${path}?limit=2`)).body['session'] as {
      messages: { id: number; content: string }[];
      has_more: boolean;
    };
    expect(newest.messages.map(({ content }) => content)).toEqual(['2', 'echo: 2']);
    expect(newest.has_more).toBe(true);
    const older = (await call('GET', `${path}?limit=2&before=${newest.messages[0]?.id}`)).body['session'];
    expect(older).toMatchObject({ messages: [{ content: '1' }, { content: 'echo: 1' }], has_more: false });
  });

  it('show a message that is not answered yet as pending', async () => {
    const { call, provider } = await serveApp();
    let pass: () => void = () => undefined;
    provider.answers.push(async function* () {
      await new Promise<void>((resolve) => {
        pass = resolve;
      });
      yield { type: 'text', text: 'done' };
    });
    const asked = call('POST', '/api/agent', { message: 'first' });
    await expect.poll(() => provider.requests.length).toBe(1);
    const { body } = await call('GET', '/api/sessions/main:webchat:default:direct:default');
    expect(body['session']).toMatchObject({ messages: [], pending: [{ role: 'user', content: 'first' }] });
    pass();
    await asked;
  });

  it('are deleted; one that is not there is 404', async () => {
    const { call } = await serveApp();
    await call('POST', '/api/sessions', { chat_id: 'a:b' });
    const path = `/api/sessions/${encodeURIComponent('main:webchat:default:direct:a%3Ab')}`;
    expect(await call('DELETE', path)).toMatchObject({ status: 200, body: { status: 'ok', deleted: true } });
    expect(await call('DELETE', path)).toMatchObject({ status: 404, body: { error: { code: 'SESSION_NOT_FOUND' } } });
    expect((await call('GET', path)).status).toBe(404);
  });
});
