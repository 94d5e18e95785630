import { readdirSync, readFileSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { GatewayError } from '../../../lib/errors.ts';
import { createAttachments } from '../../../worker/messages/attachments.ts';
import { startFileServer } from '../../fixtures/file-server.ts';
import { makeTemporaryDirectory } from '../../fixtures/programs.ts';
import { enqueueOne, openTemporaryStore } from '../temporary-store.ts';

const NEVER = new AbortController().signal;

/** A place for files, and a server that has some. */
async function start() {
  const directory = makeTemporaryDirectory();
  const server = await startFileServer((request, response) => {
    switch (new URL(request.url ?? '', 'http://x').pathname) {
      case '/cat.png':
        return response.writeHead(200, { 'content-type': 'image/png; x=y' }).end('cat');
      case '/b%C3%BCcher':
        return response.writeHead(200, { 'content-type': 'application/pdf' }).end('book');
      case '/big':
        return response.end('x'.repeat(1_001));
      case '/cut':
        response.writeHead(200, { 'content-length': '100' }).write('half');
        return setTimeout(() => response.destroy(), 20);
      case '/stalled':
        return response.writeHead(200, { 'content-length': '100' }).write('half');
      default:
        return response.end();
    }
  });
  onTestFinished(() => {
    server.close();
    directory.remove();
  });
  const { store, sql } = openTemporaryStore();
  const attachments = createAttachments({
    directory: directory.path,
    mediaHosts: [server.host],
    carrier: { fileSupport: (channel) => (channel === 'test' ? { maxBytes: 1_000, captionLimit: 100 } : undefined) },
    outbox: store.outbox,
  });
  return {
    store,
    sql,
    server,
    attachments,
    directory: directory.path,
    keep: (url: string, more: object = {}) => attachments.keep({ channel: 'test', url, ...more }, NEVER),
  };
}

async function refusalOf(promise: Promise<unknown>): Promise<GatewayError> {
  const error = await promise.catch((reason: unknown) => reason);
  if (!(error instanceof GatewayError)) throw new Error(`It was not refused: ${String(error)}`);
  return error;
}

describe('a file', () => {
  it('at an address is kept for the owner only, with its type and name', async () => {
    const { keep, server, directory } = await start();
    const file = await keep(`${server.url}/cat.png?token=secret`);
    expect(file).toMatchObject({ kind: 'image', name: 'cat.png', mimeType: 'image/png', sizeBytes: 3 });
    const path = join(directory, file.path);
    expect(readFileSync(path, 'utf8')).toBe('cat');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await keep(`${server.url}/b%C3%BCcher`)).toMatchObject({ kind: 'file', name: 'bücher.pdf' });
  });

  it('in a data: URL is kept the same way', async () => {
    const { keep, directory } = await start();
    const file = await keep(`data:audio/ogg;codecs=opus;base64,${Buffer.from([1, 2, 255]).toString('base64')}`);
    expect(file).toMatchObject({ kind: 'voice', name: 'voice.ogg', mimeType: 'audio/ogg', sizeBytes: 3 });
    expect(readFileSync(join(directory, file.path))).toEqual(Buffer.from([1, 2, 255]));
    expect(await keep('data:;base64,eA==')).toMatchObject({ kind: 'file', name: 'file.bin' });
  });

  it('is shown as its caller wants', async () => {
    const { keep, server } = await start();
    expect(await keep(`${server.url}/cat.png`, { type: 'document' })).toMatchObject({ kind: 'file', name: 'cat.png' });
  });

  it.each([
    ['that the channel does not send', '/cat.png', { channel: 'webchat' }, 400, 'sends no files'],
    ['that is too large', '/big', {}, 413, 'larger than'],
    ['that ends too early', '/cut', {}, 400, 'cannot be had'],
    ['that is empty', '/empty', {}, 400, 'it is empty'],
  ])('%s is refused and leaves nothing behind', async (_what, path, more, status, text) => {
    const { keep, server, directory } = await start();
    const error = await refusalOf(keep(server.url + path, more));
    expect([error.status, error.message]).toEqual([status, expect.stringContaining(text)]);
    expect(readdirSync(directory)).toEqual([]);
  });

  it.each([
    'data:image/png,abc',
    'data:image/png;base64,',
    'data:;base64,a',
    'data:;base64,ab_-',
    'http://127.0.0.1:1/x',
  ])('at %s is refused', async (url) => {
    const { keep } = await start();
    expect((await refusalOf(keep(url))).status).toBe(400);
  });

  it('is not looked for any more when its caller is gone', async () => {
    const { attachments, server, directory } = await start();
    const wanted = { channel: 'test', url: `${server.url}/cat.png` };
    await refusalOf(attachments.keep(wanted, AbortSignal.abort('closed')));
    const stalled = { channel: 'test', url: `${server.url}/stalled` };
    await refusalOf(attachments.keep(stalled, AbortSignal.timeout(100)));
    expect(readdirSync(directory)).toEqual([]);
  });
});

it('files are removed with the messages that name them, and those of nobody after an hour', async () => {
  const { keep, attachments, store, sql, directory } = await start();
  const url = 'data:;base64,eA==';
  const [named, orphan, fresh] = [await keep(url), await keep(url), await keep(url)];
  const row = await enqueueOne(store, 'look', { file: named });
  expect((await store.outbox.get(row.id))?.file).toEqual(named);
  const old = Date.now() / 1_000 - 2 * 3_600;
  for (const { path } of [named, orphan]) utimesSync(join(directory, path), old, old);
  await attachments.prune();
  expect(readdirSync(directory).sort()).toEqual([named.path, fresh.path].sort());
  await enqueueOne(store, 'a later message');
  sql("UPDATE outbox SET state='sent', created_at=0, updated_at=0 WHERE file IS NOT NULL");
  await store.prune();
  await attachments.prune();
  expect(readdirSync(directory)).toEqual([fresh.path]);
});
