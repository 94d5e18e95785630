import { readFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Rejected } from '../../../worker/channels/plugin.ts';
import { startFileServer } from '../../fixtures/file-server.ts';
import { makeTemporaryDirectory } from '../../fixtures/programs.ts';
import { createScriptedChannel } from '../scripted-channel.ts';
import { serveApp } from '../served-app.ts';

const PIXEL = 'data:image/png;base64,aGVsbG8=';
const message = { channel: 'test', chat_id: '7', content: 'look', media_url: PIXEL };

/** An API over a channel that sends files. */
async function start() {
  const directory = makeTemporaryDirectory();
  const server = await startFileServer((_request, response) =>
    response.setHeader('content-type', 'image/png').end('cat'),
  );
  onTestFinished(() => {
    server.close();
    directory.remove();
  });
  const channel = createScriptedChannel({ files: { maxBytes: 1_000, captionLimit: 200 } });
  const app = await serveApp({ channel, filesDir: directory.path, config: { outbox: { mediaHosts: [server.host] } } });
  return { ...app, server };
}

describe('POST /api/message with a file', () => {
  it('sends it with the text as its caption, and shows it in every view of the message', async () => {
    const { call, channel, seen } = await start();
    const { status, body } = await call('POST', '/api/message', message);
    expect(status).toBe(200);
    await expect.poll(() => channel.sent).toHaveLength(1);
    const [sent] = channel.sent;
    expect(sent).toMatchObject({ text: 'look', file: { kind: 'image', name: 'image.png', sizeBytes: 5 } });
    expect(readFileSync(sent?.file?.path ?? '', 'utf8')).toBe('hello');
    const file = { media_type: 'photo', name: 'image.png', mime_type: 'image/png', size_bytes: 5 };
    const shown = await call('GET', `/api/message/${String(body['message_id'])}`);
    expect(shown.body['message']).toMatchObject({ content: 'look', file });
    expect((await call('GET', '/api/outbox')).body['items']).toMatchObject([{ file }]);
    expect(seen.find(({ type }) => type === 'message.queued')?.data).toMatchObject({ file });
  });

  it('needs no text', async () => {
    const { call, channel } = await start();
    const { content: _content, ...bare } = message;
    expect((await call('POST', '/api/message', { ...bare, media_type: 'document' })).status).toBe(200);
    await expect.poll(() => channel.sent).toMatchObject([{ text: '', file: { kind: 'file' } }]);
  });

  it('lets a text that is too long for a caption follow by itself', async () => {
    const { call, channel } = await start();
    const content = 'long '.repeat(100).trim();
    await call('POST', '/api/message', { ...message, content, reply_to: '3' });
    await expect.poll(() => channel.sent).toHaveLength(2);
    expect(channel.sent).toMatchObject([{ text: '', file: {}, replyTo: '3' }, { text: content }]);
    expect(channel.sent[1]).not.toHaveProperty('file');
  });

  it('fetches its address before the answer, and once for one key', async () => {
    const { call, channel, server } = await start();
    const key = { 'idempotency-key': 'k' };
    const body = { ...message, media_url: `${server.url}/cat.png` };
    const first = await call('POST', '/api/message', body, key);
    expect(server.requests).toHaveLength(1);
    expect((await call('POST', '/api/message', body, key)).body).toEqual(first.body);
    expect(server.requests).toHaveLength(1);
    expect((await call('POST', '/api/message', { ...body, media_url: PIXEL }, key)).status).toBe(409);
    expect((await call('POST', '/api/message', { ...body, media_type: 'document' }, key)).status).toBe(409);
    await expect.poll(() => channel.sent).toHaveLength(1);
  });

  it.each([
    ['an address that is none', { media_url: 'nothing' }, 400, 'media_url must be an http:, https: or data: URL'],
    ['a file of this machine', { media_url: 'file:///etc/passwd' }, 400, 'media_url must be an http:'],
    ['another host of our network', { media_url: 'http://127.0.0.1:9/x' }, 400, 'outbox.mediaHosts'],
    ['an unknown type', { media_type: 'hologram' }, 400, 'media_type must be one of photo'],
    ['a type without a file', { media_url: undefined, media_type: 'photo' }, 400, 'media_type'],
    ['neither text nor file', { media_url: undefined, content: ' ' }, 400, 'content must not be empty'],
    ['a channel that sends no files', { channel: 'webchat' }, 400, 'sends no files'],
    ['a file that is too large', { media_url: `data:;base64,${'aaaa'.repeat(400)}` }, 413, 'larger than'],
  ])('with %s is refused, and nothing is sent', async (_what, change, status, text) => {
    const { call, channel } = await start();
    const answer = await call('POST', '/api/message', { ...message, ...change });
    expect([answer.status, answer.text]).toEqual([status, expect.stringContaining(text)]);
    expect((await call('GET', '/api/outbox')).body['items']).toEqual([]);
    expect(channel.sent).toEqual([]);
  });

  it('that was given up is tried again with its file', async () => {
    const { call, channel } = await start();
    channel.script.set('7', [new Rejected('chat not found')]);
    const { body } = await call('POST', '/api/message', message);
    const path = `/api/outbox/${String(body['message_id'])}`;
    await expect.poll(async () => (await call('GET', path)).body['message']).toMatchObject({ state: 'failed' });
    expect((await call('POST', `${path}/retry`)).status).toBe(200);
    await expect.poll(() => channel.sent).toHaveLength(2);
    expect(readFileSync(channel.sent[1]?.file?.path ?? '', 'utf8')).toBe('hello');
  });
});
