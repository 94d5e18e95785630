import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { callBot } from './call-bot.ts';
import { startTelegramEmulator, type TelegramEmulator } from './start.ts';
import type { UserFile } from './telegram/control-contract.ts';

const token = '123456:ABC-def_1';
const bytes = Buffer.from(Array.from({ length: 512 }, (_, index) => index % 256));
let telegram: TelegramEmulator;

beforeAll(async () => {
  telegram = await startTelegramEmulator();
});
afterAll(() => telegram.stop());
beforeEach(async () => {
  await telegram.reset();
  await telegram.registerBot({ token, username: 'helper_bot' });
});

const call = (method: string, params?: object) => callBot(telegram.url, token, method, params);
const updates = async () => (await call('getUpdates', { offset: 1 })).result;
const download = (path: string) => fetch(`${telegram.url}/file/bot${token}/${path}`);

async function receive(file: UserFile) {
  await telegram.userMessage({ token, chat: 5, from: 5, file });
  const { result } = await call('getUpdates', { offset: -1 });
  return result.at(-1).message;
}

async function openDocument(file: Omit<UserFile, 'kind'>): Promise<string> {
  const { document } = await receive({ kind: 'document', ...file });
  const { result } = await call('getFile', { file_id: document.file_id });
  return result.file_path;
}

describe('a file from a person', () => {
  it('arrives as the kind it was sent as', async () => {
    const photo = await receive({ kind: 'photo', sizeBytes: 5000, caption: 'look @helper_bot' });
    expect(photo).toMatchObject({ caption: 'look @helper_bot', caption_entities: [{ type: 'mention', offset: 5 }] });
    expect(photo.photo.at(-1)).toMatchObject({ width: 1280, height: 960, file_size: 5000 });
    expect(photo).not.toHaveProperty('text');
    expect((await receive({ kind: 'voice' })).voice).toMatchObject({ mime_type: 'audio/ogg', file_size: 1000 });
    expect((await receive({ kind: 'audio', name: 'a.m4a' })).audio).toMatchObject({ mime_type: 'audio/mp4' });
    expect((await receive({ kind: 'video' })).video).toMatchObject({ mime_type: 'video/mp4', duration: 1 });
    const { document } = await receive({ kind: 'document', name: 'x.bin', mimeType: 'application/x-mine' });
    expect(document).toMatchObject({ file_name: 'x.bin', mime_type: 'application/x-mine' });
  });

  it('takes the text as its caption, and an edit changes it', async () => {
    const file = { kind: 'document', name: 'a.txt' } as const;
    const { message_id } = await telegram.userMessage({ token, chat: 5, from: 5, text: 'see this', file });
    await telegram.editMessage({ token, chat: 5, message_id, text: 'see that' });
    const [first, second] = await updates();
    expect(first.message).toMatchObject({ caption: 'see this', document: { file_name: 'a.txt' } });
    expect(second.edited_message).toMatchObject({ caption: 'see that', document: { file_name: 'a.txt' } });
    const { messages } = await telegram.transcript(token, 5);
    expect(messages).toMatchObject([{ text: 'see that', original: 'see this', file: { kind: 'document' } }]);
  });

  it('arrives in an album as consecutive updates with one group id', async () => {
    const files = [{ kind: 'photo' }, { kind: 'photo', caption: 'own' }, { kind: 'video' }] as const;
    const { mediaGroupId, messages } = await telegram.sendAlbum({ token, chat: 5, from: 5, files, caption: 'ours' });
    const received: { update_id: number; message: { media_group_id: string; caption?: string } }[] = await updates();
    expect(received.map(({ message }) => message.media_group_id)).toEqual(Array(3).fill(mediaGroupId));
    expect(received.map(({ message }) => message.caption)).toEqual(['ours', 'own', undefined]);
    expect(messages.map(({ update_id }) => update_id)).toEqual(received.map(({ update_id }) => update_id));
    const [first = 0] = received.map(({ update_id }) => update_id);
    expect(received.at(-1)?.update_id).toBe(first + 2);
  });

  it('is hidden by privacy mode unless its caption is for the bot', async () => {
    const say = (file: UserFile) => telegram.userMessage({ token, chat: -200, from: 6, file });
    expect((await say({ kind: 'photo' })).update_id).toBeNull();
    expect((await say({ kind: 'photo', caption: 'hi @helper_bot' })).update_id).not.toBeNull();
  });

  it('cannot contradict itself', async () => {
    const send = (file: object) => telegram.userMessage({ token, chat: 5, from: 5, file: file as UserFile });
    await expect(send({ kind: 'hologram' })).rejects.toThrow('unknown kind of file: hologram');
    await expect(send({ kind: 'photo', sizeBytes: 0 })).rejects.toThrow('at least one byte');
    const content = { contentBase64: bytes.toString('base64'), sizeBytes: 3 };
    await expect(send({ kind: 'photo', ...content })).rejects.toThrow('the content has 512 bytes');
    await expect(telegram.sendAlbum({ token, chat: 5, from: 5, files: [] })).rejects.toThrow('2 to 10 files');
  });
});

describe('a download', () => {
  it('gives back the bytes the person sent', async () => {
    const path = await openDocument({ name: 'a.png', contentBase64: bytes.toString('base64') });
    expect(path).toMatch(/^documents\/file_\d+\.png$/);
    const response = await download(path);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-length')).toBe('512');
    expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true);
  });

  it('makes up bytes nobody has given, the same every time', async () => {
    const path = await openDocument({ name: 'a.pdf', sizeBytes: 300_000 });
    const [first, second] = await Promise.all([download(path), download(path)].map(async (got) => (await got).text()));
    expect(first).toHaveLength(300_000);
    expect(first?.startsWith('%PDF-')).toBe(true);
    expect(second).toBe(first);
  });

  it('is refused above 20 MiB and for unknown files', async () => {
    const exact = await receive({ kind: 'document', sizeBytes: 20 << 20 });
    expect((await call('getFile', { file_id: exact.document.file_id })).status).toBe(200);
    const { document } = await receive({ kind: 'document', sizeBytes: 25_000_000 });
    expect(document.file_size).toBe(25_000_000);
    expect(await call('getFile', { file_id: document.file_id })).toMatchObject({
      status: 400,
      description: 'Bad Request: file is too big',
    });
    expect(await call('getFile', { file_id: 'nothing' })).toMatchObject({
      status: 400,
      description: 'Bad Request: wrong file_id or the file is temporarily unavailable',
    });
  });

  it('works for an hour after getFile', async () => {
    const path = await openDocument({ sizeBytes: 10 });
    await telegram.advanceClock(3_590_000);
    expect((await download(path)).status).toBe(200);
    await telegram.advanceClock(11_000);
    const late = await download(path);
    expect(late.status).toBe(404);
    expect(await late.json()).toEqual({ ok: false, error_code: 404, description: 'Not Found' });
  });

  it('needs the token of the bot', async () => {
    const path = await openDocument({ sizeBytes: 10 });
    await telegram.registerBot({ token: '77:other', username: 'other_bot' });
    const status = async (owner: string) => (await fetch(`${telegram.url}/file/bot${owner}/${path}`)).status;
    expect(await status('77:other')).toBe(404);
    expect(await status('78:unknown')).toBe(401);
    expect(await status('no-colon')).toBe(401);
  });

  it('is in the journal by its path, without the bytes', async () => {
    const path = await openDocument({ contentBase64: bytes.toString('base64') });
    await (await download(path)).arrayBuffer();
    const calls = await telegram.calls({ token, method: 'file' });
    expect(calls).toMatchObject([{ method: 'file', params: { file_path: path }, outcome: 200, processed: true }]);
    expect(JSON.stringify(calls).length).toBeLessThan(400);
  });

  it('can be spoiled by faults, by method or by path', async () => {
    const path = await openDocument({ contentBase64: bytes.toString('base64') });
    await telegram.addFault({ match: { method: 'file' }, action: 'status', status: 502, html: true });
    expect((await download(path)).status).toBe(502);
    await telegram.addFault({ match: { path: `/file/bot${token}/${path}` }, action: 'truncate-body' });
    const cut = await download(path);
    expect(cut.headers.get('content-length')).toBe('512');
    await expect(cut.arrayBuffer()).rejects.toThrow();
    await telegram.addFault({ match: { method: 'file' }, action: 'drop-before' });
    await expect(download(path)).rejects.toThrow();
    expect((await download(path)).status).toBe(200);
    const calls = await telegram.calls({ method: 'file' });
    expect(calls.map(({ fault, outcome }) => [fault, outcome])).toEqual([
      ['status', 502],
      ['truncate-body', 'dropped'],
      ['drop-before', 'dropped'],
      [null, 200],
    ]);
  });
});
