import { describe, expect, it } from 'vitest';
import { serveApp } from '../served-app.ts';

describe('POST /api/message', () => {
  const message = { channel: 'test', chat_id: '7', content: 'hello' };

  it('stores the message before it answers, and tells what became of it', async () => {
    const { call, channel } = await serveApp();
    const { status, body } = await call('POST', '/api/message', { ...message, silent: true });
    expect([status, body['status']]).toEqual([200, 'ok']);
    const path = `/api/message/${String(body['message_id'])}`;
    await expect
      .poll(async () => (await call('GET', path)).body['message'])
      .toMatchObject({
        state: 'sent',
        remote_id: expect.any(String),
        channel: 'test',
        chat_id: '7',
      });
    expect(channel.sent).toMatchObject([{ chatId: '7', text: 'hello', silent: true }]);
    expect(await call('GET', '/api/message/nothing')).toMatchObject({
      status: 404,
      body: { error: { code: 'NOT_FOUND' } },
    });
  });

  it('to a channel that is not there is 404 and names those that are', async () => {
    const { call } = await serveApp();
    const answer = await call('POST', '/api/message', { ...message, channel: 'fax' });
    expect(answer).toMatchObject({
      status: 404,
      body: { error: { code: 'CHANNEL_NOT_FOUND', message: expect.stringContaining('webchat, test') } },
    });
  });

  it.each([
    ['the same', {}, 200],
    ['another text', { content: 'other' }, 409],
    ['another chat', { chat_id: '8' }, 409],
    ['another thread', { thread_id: '8' }, 409],
    ['a text of more parts', { content: 'long '.repeat(2_000) }, 409],
  ])('twice under one key with %s is sent once', async (_what, change, status) => {
    const { call, channel } = await serveApp();
    const key = { 'idempotency-key': 'k' };
    const first = await call('POST', '/api/message', message, key);
    const second = await call('POST', '/api/message', { ...message, ...change }, key);
    expect(second.status).toBe(status);
    if (status === 200) expect(second.body).toEqual(first.body);
    await expect.poll(() => channel.sent.length).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(channel.textsOf('7')).toEqual(['hello']);
    expect(channel.sent).toHaveLength(1);
  });
});

describe('POST /api/message/sync', () => {
  const message = { channel: 'test', chat_id: '7', content: 'hello' };

  it('answers in the session of the peer, and delivers only when asked to', async () => {
    const { call, channel } = await serveApp();
    expect(await call('POST', '/api/message/sync', message)).toMatchObject({
      status: 200,
      body: { status: 'ok', reply: 'echo: hello' },
    });
    expect(channel.sent).toEqual([]);
    await call('POST', '/api/message/sync', { ...message, content: 'again', deliver: true });
    await expect.poll(() => channel.textsOf('7')).toEqual(['echo: again']);
    const { body } = await call('GET', '/api/sessions/main:test:default:direct:7');
    expect(body['session']).toMatchObject({ messageCount: 4 });
  });

  it('works with any peer id that is allowed', async () => {
    const { call } = await serveApp();
    for (const id of ['/'.repeat(256), `${'\u3000'.repeat(200)}x`, '日本語:%/?#', '..']) {
      expect((await call('POST', '/api/message/sync', { ...message, chat_id: id })).status).toBe(200);
    }
  });
});
