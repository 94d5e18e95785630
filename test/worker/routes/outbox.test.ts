import { describe, expect, it } from 'vitest';
import { Rejected } from '../../../worker/channels/plugin.ts';
import { serveApp } from '../served-app.ts';

const message = { channel: 'test', chat_id: '7', content: 'hello' };

/** An application with one message that was given up. */
async function serveDeadLetter() {
  const app = await serveApp();
  app.channel.script.set('7', [new Rejected('chat not found')]);
  const { body } = await app.call('POST', '/api/message', message);
  const id = String(body['message_id']);
  await expect
    .poll(async () => (await app.call('GET', `/api/outbox/${id}`)).body['message'])
    .toMatchObject({
      state: 'failed',
      last_error: 'chat not found',
    });
  return { ...app, id };
}

describe('the outbox over the API', () => {
  it('lists what was given up, with the reason', async () => {
    const { call, id } = await serveDeadLetter();
    expect((await call('GET', '/api/outbox?state=dead')).body).toMatchObject({
      items: [{ id, chat_id: '7', content: 'hello', state: 'failed', last_error: 'chat not found' }],
      pending: 0,
      dead: 1,
    });
    expect((await call('GET', '/api/outbox?state=pending')).body).toMatchObject({ items: [] });
  });

  it('sends a dead letter again under another id, once', async () => {
    const { call, channel, id } = await serveDeadLetter();
    const retried = await call('POST', `/api/outbox/${id}/retry`);
    const copy = String(retried.body['message_id']);
    await expect
      .poll(async () => (await call('GET', `/api/outbox/${copy}`)).body['message'])
      .toMatchObject({
        state: 'sent',
      });
    expect(channel.textsOf('7')).toEqual(['hello', 'hello']);
    expect((await call('GET', '/api/outbox?state=dead')).body).toMatchObject({ items: [], dead: 0 });
    expect(await call('POST', `/api/outbox/${id}/retry`)).toMatchObject({
      status: 409,
      body: { error: { message: expect.stringContaining(copy) } },
    });
  });

  it('forgets a dead letter that is dropped, and cannot call back what was sent', async () => {
    const { call, id } = await serveDeadLetter();
    expect((await call('DELETE', `/api/outbox/${id}`)).status).toBe(200);
    expect((await call('GET', '/api/outbox')).body).toMatchObject({ dead: 0 });
    expect((await call('POST', `/api/outbox/${id}/retry`)).status).toBe(409);
    const { body } = await call('POST', '/api/message', { ...message, chat_id: '8' });
    const sent = String(body['message_id']);
    await expect
      .poll(async () => (await call('GET', `/api/outbox/${sent}`)).body['message'])
      .toMatchObject({
        state: 'sent',
      });
    expect((await call('DELETE', `/api/outbox/${sent}`)).status).toBe(409);
  });

  it('is read in pages, newest first', async () => {
    const { call } = await serveApp();
    for (const content of ['a', 'b', 'c']) await call('POST', '/api/message', { ...message, content });
    const first = await call('GET', '/api/outbox?limit=2');
    expect(first.body['items']).toMatchObject([{ content: 'c' }, { content: 'b' }]);
    const second = await call('GET', `/api/outbox?limit=2&before=${String(first.body['next'])}`);
    expect(second.body['items']).toMatchObject([{ content: 'a' }]);
    expect(second.body['next']).toBeUndefined();
  });

  it.each([
    ['GET', '/api/outbox/none', 404],
    ['POST', '/api/outbox/none/retry', 404],
    ['DELETE', '/api/outbox/none', 404],
    ['GET', '/api/outbox?state=lost', 400],
    ['GET', '/api/outbox?limit=0', 400],
  ] as const)('%s %s is %i', async (method, path, status) => {
    const { call } = await serveApp();
    expect((await call(method, path)).status).toBe(status);
  });
});
