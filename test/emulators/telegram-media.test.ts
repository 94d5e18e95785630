import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Api, InputFile, InputMediaBuilder } from 'grammy';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { callBot } from './call-bot.ts';
import { startTelegramEmulator, type TelegramEmulator } from './start.ts';

const token = '123456:ABC-def_1';
const chat = 5;
// Every byte there is, and a line that looks like a boundary.
const bytes = Buffer.concat([
  Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
  Buffer.from('\r\n--x--\r\n'),
]);
const jpeg = Buffer.concat([Buffer.from('ffd8ffe0', 'hex'), bytes]);
const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex');
let telegram: TelegramEmulator;

beforeAll(async () => {
  telegram = await startTelegramEmulator();
});
afterAll(() => telegram.stop());
beforeEach(async () => {
  await telegram.reset();
  await telegram.registerBot({ token, username: 'helper_bot' });
  await telegram.userMessage({ token, chat, from: chat, text: 'hello' });
});

const createApi = () => new Api(token, { apiRoot: telegram.url });
const call = (method: string, params?: object) => callBot(telegram.url, token, method, params);
const shown = async () => (await telegram.transcript(token, chat)).messages.slice(1);

async function upload(method: string, fields: Record<string, string | File>) {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.set(name, value);
  const response = await fetch(`${telegram.url}/bot${token}/${method}`, { method: 'POST', body });
  const answer: { ok: boolean; result?: unknown; description?: string } = JSON.parse(await response.text());
  return { status: response.status, ...answer };
}

describe('a bot that sends a file', () => {
  it('uploads a document with grammY byte for byte', async () => {
    const more = { caption: '<b>The</b> report', parse_mode: 'HTML' as const, reply_parameters: { message_id: 1 } };
    const sent = await createApi().sendDocument(chat, new InputFile(bytes, 'my report; v2.pdf'), more);
    expect(sent).toMatchObject({
      message_id: 2,
      caption: 'The report',
      caption_entities: [{ type: 'bold', offset: 0, length: 3 }],
      reply_to_message: { message_id: 1 },
      document: { file_name: 'my report', mime_type: 'application/octet-stream', file_size: bytes.length },
    });
    expect(sent).not.toHaveProperty('text');
    expect(await shown()).toMatchObject([
      {
        text: 'The report',
        raw: '<b>The</b> report',
        parseMode: 'HTML',
        file: { kind: 'document', name: 'my report', sizeBytes: bytes.length, sha256: sha256(bytes) },
      },
    ]);
  });

  it('shows each kind with the fields of the real server', async () => {
    const api = createApi();
    const file = (name: string) => new InputFile(bytes, name);
    const ids = { file_id: expect.any(String), file_unique_id: expect.any(String), file_size: bytes.length };
    const { photo } = await api.sendPhoto(chat, new InputFile(jpeg, 'a.jpg'));
    expect(photo?.map(({ width }) => width)).toEqual([90, 1280]);
    expect(photo?.at(-1)?.file_size).toBe(jpeg.length);
    expect(await api.sendVoice(chat, file('v.ogg'), { duration: 7 })).toMatchObject({
      voice: { ...ids, duration: 7, mime_type: 'audio/ogg' },
    });
    expect(await api.sendAudio(chat, file('s.mp3'), { title: 'Song', performer: 'Band' })).toMatchObject({
      audio: { ...ids, file_name: 's.mp3', mime_type: 'audio/mpeg', title: 'Song', performer: 'Band' },
    });
    expect(await api.sendVideo(chat, file('m.mp4'), { width: 640, height: 360 })).toMatchObject({
      video: { ...ids, file_name: 'm.mp4', mime_type: 'video/mp4', width: 640, height: 360 },
    });
    const animation = await api.sendAnimation(chat, file('g.mp4'));
    expect(animation.animation?.file_id).toBe(animation.document?.file_id);
    expect((await shown()).map(({ file: shownFile }) => shownFile?.kind)).toEqual([
      'photo',
      'voice',
      'audio',
      'video',
      'animation',
    ]);
  });

  it('sends a file again by its id, for the same kind only', async () => {
    const { document } = await createApi().sendDocument(chat, new InputFile(bytes, 'a.txt'));
    const { result } = await call('sendDocument', { chat_id: chat, document: document?.file_id });
    expect(result.document).toEqual(document);
    expect(await call('sendPhoto', { chat_id: chat, photo: document?.file_id })).toMatchObject({
      status: 400,
      description: "Bad Request: can't use file of type Document as Photo",
    });
    expect((await call('sendVoice', { chat_id: chat, voice: 'AwACnothing' })).description).toBe(
      "Bad Request: wrong remote file identifier specified: can't unserialize it",
    );
    expect((await call('sendVoice', { chat_id: chat })).description).toBe(
      'Bad Request: there is no voice in the request',
    );
  });

  it('takes the file as a part of its field, or of the name behind attach://', async () => {
    const file = new File([bytes], 'notes "final".txt');
    expect(await upload('sendDocument', { chat_id: '5', document: file })).toMatchObject({
      result: { document: { file_name: 'notes %22final%22.txt', mime_type: 'text/plain' } },
    });
    expect((await upload('sendDocument', { chat_id: '5', document: 'attach://one', one: file })).status).toBe(200);
    expect(await upload('sendDocument', { chat_id: '5', document: 'attach://two', one: file })).toMatchObject({
      status: 400,
      description: 'Bad Request: there is no document in the request',
    });
    const [journal] = await telegram.calls({ method: 'sendDocument' });
    expect(journal).toMatchObject({ files: [{ field: 'document', sizeBytes: bytes.length }], messageId: 2 });
  });

  it.each([
    ['no end', '--b\r\ncontent-disposition:form-data;name="chat_id"\r\n\r\n5\r\n', 'the closing boundary is missing'],
    ['no name', '--b\r\ncontent-disposition:form-data\r\n\r\n5\r\n--b--\r\n', 'a part has no name'],
    ['no disposition', '--b\r\nname="chat_id"\r\n\r\n5\r\n--b--\r\n', 'a part has no form-data disposition'],
    ['no headers', '--b\r\n--b--\r\n', 'a part has no end of its headers'],
    ['a foreign boundary', '--c\r\n\r\n--c--\r\n', 'no first part'],
  ])('is told when its multipart body has %s', async (_what, body, reason) => {
    const headers = { 'content-type': 'multipart/form-data; boundary=b' };
    const response = await fetch(`${telegram.url}/bot${token}/sendDocument`, { method: 'POST', headers, body });
    expect(await response.json()).toMatchObject({
      error_code: 400,
      description: `Bad Request: can't parse multipart body: ${reason}`,
    });
  });

  it('limits captions to 1024 characters after their markup was read', async () => {
    const { document } = await createApi().sendDocument(chat, new InputFile(bytes, 'a.txt'));
    const send = (caption: string) =>
      call('sendDocument', { chat_id: chat, document: document?.file_id, caption, parse_mode: 'HTML' });
    expect((await send(`<b>${'🏟'.repeat(1024)}</b>`)).status).toBe(200);
    expect(await send('a'.repeat(1025))).toMatchObject({
      status: 400,
      description: 'Bad Request: message caption is too long',
    });
    expect((await send('<b>open')).description).toContain("can't parse entities");
  });

  it('refuses files that are empty, too large or no image', async () => {
    const sendPhoto = (content: Buffer) => upload('sendPhoto', { chat_id: '5', photo: new File([content], 'a.jpg') });
    const large = Buffer.concat([jpeg, Buffer.alloc(10 << 20)]);
    expect((await sendPhoto(Buffer.alloc(0))).description).toBe('Bad Request: file must be non-empty');
    expect((await sendPhoto(bytes)).description).toBe('Bad Request: IMAGE_PROCESS_FAILED');
    expect((await sendPhoto(large)).description).toBe(
      `Bad Request: file of size ${large.length} bytes is too big for a photo; the maximum size is 10485760 bytes`,
    );
    const huge = new File([Buffer.alloc((50 << 20) + 1)], 'huge.bin');
    expect(await upload('sendDocument', { chat_id: '5', document: huge })).toEqual({
      status: 413,
      ok: false,
      error_code: 413,
      description: 'Request Entity Too Large',
    });
    expect(await shown()).toEqual([]);
  });

  it('is held up by the flood limits as with text', async () => {
    await telegram.setLimits({ perChatPerSecond: 1 });
    const voice = () => createApi().sendVoice(chat, new InputFile(bytes));
    await voice();
    await expect(voice()).rejects.toMatchObject({ error_code: 429, parameters: { retry_after: 1 } });
  });

  it('changes captions, but no text of a file and no caption of a text', async () => {
    const api = createApi();
    const { message_id } = await api.sendDocument(chat, new InputFile(bytes, 'a.txt'), { caption: 'one' });
    const edited = await api.editMessageCaption(chat, message_id, { caption: '*two*', parse_mode: 'MarkdownV2' });
    expect(edited).toMatchObject({ caption: 'two', caption_entities: [{ type: 'bold' }] });
    const edit = (method: string, params: object) => call(method, { chat_id: chat, message_id, ...params });
    expect((await edit('editMessageText', { text: 'x' })).description).toBe(
      'Bad Request: there is no text in the message to edit',
    );
    const same = { caption: 'two', caption_entities: [{ type: 'bold', offset: 0, length: 3 }] };
    expect((await edit('editMessageCaption', same)).description).toContain('message is not modified');
    const text = await api.sendMessage(chat, 'text');
    expect((await edit('editMessageCaption', { message_id: text.message_id, caption: 'x' })).description).toBe(
      'Bad Request: there is no caption in the message to edit',
    );
    expect((await shown())[0]).toMatchObject({ original: 'one', text: 'two', edits: [{ text: 'two' }] });
  });
});

describe('a bot that sends an album', () => {
  it('gets one message per item with one group id', async () => {
    const media = ['a', 'b'].map((name) =>
      InputMediaBuilder.photo(new InputFile(jpeg, `${name}.jpg`), name === 'a' ? { caption: 'first' } : {}),
    );
    const sent = await createApi().sendMediaGroup(chat, media);
    expect(sent).toMatchObject([{ message_id: 2, caption: 'first' }, { message_id: 3 }]);
    const [first, second] = await shown();
    expect(first?.mediaGroupId).toMatch(/^\d+$/);
    expect(second).toMatchObject({ mediaGroupId: first?.mediaGroupId, file: { name: 'b.jpg', sha256: sha256(jpeg) } });
    expect(await telegram.calls({ method: 'sendMediaGroup' })).toMatchObject([{ messageIds: [2, 3], messageId: 2 }]);
  });

  it('sends all of it or nothing', async () => {
    const api = createApi();
    const known = (await api.sendDocument(chat, new InputFile(bytes, 'a.txt'))).document?.file_id;
    const photo = (await api.sendPhoto(chat, new InputFile(jpeg, 'a.jpg'))).photo?.at(-1)?.file_id;
    const item = { type: 'document', media: known };
    const refusal = async (media: unknown) => (await call('sendMediaGroup', { chat_id: chat, media })).description;
    expect(await refusal([])).toBe('Bad Request: there are no messages to send');
    expect(await refusal(Array(11).fill(item))).toBe('Bad Request: too many messages to send as an album');
    expect(await refusal([item, { type: 'photo', media: photo }])).toBe(
      "Bad Request: document can't be mixed with other media types",
    );
    expect(await refusal([item, { ...item, media: 'attach://x' }])).toBe(
      "Bad Request: can't parse InputMedia: media not found",
    );
    expect(await refusal([item, { ...item, caption: 'a'.repeat(1025) }])).toBe(
      'Bad Request: message caption is too long',
    );
    expect(await shown()).toHaveLength(2);
  });
});

describe('a bot that sends an address', () => {
  let server: Server;
  let root: string;
  beforeAll(async () => {
    server = createServer((req, res) => res.writeHead(req.url === '/gone.pdf' ? 404 : 200).end(jpeg));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    root = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });

  it('lets the service fetch the file', async () => {
    const { document } = await createApi().sendDocument(chat, `${root}/picture.jpg`);
    expect(document).toMatchObject({ file_name: 'picture.jpg', mime_type: 'image/jpeg', file_size: jpeg.length });
    expect(await call('sendDocument', { chat_id: chat, document: `${root}/gone.pdf` })).toMatchObject({
      status: 400,
      description: 'Bad Request: failed to get HTTP URL content',
    });
  });
});
