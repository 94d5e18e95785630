import type { Message } from 'grammy/types';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InboundFile } from '../../../../worker/channels/plugin.ts';
import { Rejected, Unreachable } from '../../../../worker/channels/plugin.ts';
import type { BotApi } from '../../../../worker/channels/telegram/bot-api.ts';
import { openFile, readFiles } from '../../../../worker/channels/telegram/files.ts';
import { startTelegramEmulator, type TelegramEmulator } from '../../../emulators/start.ts';
import type { UserFile } from '../../../emulators/telegram/control-contract.ts';
import { failureOf } from './failure.ts';
import { createSession, NEVER, type Session } from './harness.ts';

const MB = 1_024 * 1_024;

describe('the file of a message', () => {
  const read = (fields: object): InboundFile[] => readFiles(fields as Message);

  it.each([
    [
      'a document',
      { document: { file_id: 'f', file_name: 'a.pdf', mime_type: 'application/pdf', file_size: 5 } },
      [{ kind: 'file', ref: 'f', name: 'a.pdf', mimeType: 'application/pdf', sizeBytes: 5 }],
    ],
    [
      'a voice message',
      { voice: { file_id: 'f' } },
      [{ kind: 'voice', ref: 'f', name: 'voice.ogg', mimeType: 'audio/ogg' }],
    ],
    [
      'a piece of music',
      { audio: { file_id: 'f', mime_type: 'audio/mpeg' } },
      [{ kind: 'audio', ref: 'f', name: 'audio.mp3', mimeType: 'audio/mpeg' }],
    ],
    ['a video', { video: { file_id: 'f', file_name: 'x.mov' } }, [{ kind: 'video', ref: 'f', name: 'x.mov' }]],
    [
      'a round video',
      { video_note: { file_id: 'f' } },
      [{ kind: 'video', ref: 'f', name: 'video-note.mp4', mimeType: 'video/mp4' }],
    ],
    [
      'an animation, which also comes as a document',
      { animation: { file_id: 'f' }, document: { file_id: 'g' } },
      [{ kind: 'animation', ref: 'f', name: 'animation.mp4' }],
    ],
    [
      'a sticker',
      { sticker: { file_id: 'f', is_animated: false, is_video: false } },
      [{ kind: 'image', ref: 'f', name: 'sticker.webp', mimeType: 'image/webp' }],
    ],
    [
      'a moving sticker',
      { sticker: { file_id: 'f', is_animated: false, is_video: true } },
      [{ kind: 'video', ref: 'f', name: 'sticker.webm', mimeType: 'video/webm' }],
    ],
    [
      'a drawn sticker',
      { sticker: { file_id: 'f', is_animated: true, is_video: false } },
      [{ kind: 'file', ref: 'f', name: 'sticker.tgs', mimeType: 'application/x-tgsticker' }],
    ],
    ['a text', { text: 'x' }, []],
  ])('is read from %s', (_what, fields, files) => {
    expect(read(fields)).toEqual(files);
  });

  it('is of a photo the largest size that can be fetched', () => {
    const photo = [
      { file_id: 's', file_size: 900 },
      { file_id: 'm', file_size: 2 * MB },
      { file_id: 'l', file_size: 21 * MB },
    ];
    expect(read({ photo })).toMatchObject([{ kind: 'image', ref: 'm', name: 'photo.jpg', sizeBytes: 2 * MB }]);
    expect(read({ photo: photo.slice(2) })).toMatchObject([{ ref: 'l', sizeBytes: 21 * MB }]);
    expect(read({ photo: [{ file_id: 's' }, { file_id: 'l' }] })).toMatchObject([{ ref: 'l' }]);
  });
});

describe('fetching a file', () => {
  let telegram: TelegramEmulator;
  let session: Session;
  beforeAll(async () => {
    telegram = await startTelegramEmulator();
    session = await createSession(telegram);
    await session.channel.start(NEVER);
  });
  afterAll(async () => {
    await session.channel.stop();
    await telegram.stop();
  });

  const fetchFile = (ref: string): Promise<ReadableStream<Uint8Array>> =>
    session.channel.fetchFile('default', ref, NEVER);

  /** The file of the newest message, after a person has sent one. */
  async function post(file: UserFile): Promise<string> {
    const before = session.messages().length;
    await telegram.userMessage({ token: session.token, chat: 42, from: 42, file });
    await expect.poll(() => session.messages().length).toBe(before + 1);
    return session.messages().at(-1)?.files?.[0]?.ref ?? '';
  }

  it('gives its bytes', async () => {
    const content = Buffer.from([0, 255, 128, 10, 13]);
    const ref = await post({ kind: 'document', name: 'a.bin', contentBase64: content.toString('base64') });
    expect(session.messages().at(-1)).toMatchObject({
      text: '',
      files: [{ kind: 'file', name: 'a.bin', sizeBytes: 5 }],
    });
    expect(Buffer.from(await new Response(await fetchFile(ref)).arrayBuffer())).toEqual(content);
  });

  it('of a photo gives the largest size', async () => {
    const ref = await post({ kind: 'photo', sizeBytes: 5_000 });
    expect((await new Response(await fetchFile(ref)).arrayBuffer()).byteLength).toBe(5_000);
  });

  it('that is too large is rejected with the reason, and one that may only be away for a moment is not', async () => {
    const tooLarge = await failureOf(fetchFile(await post({ kind: 'video', sizeBytes: 21 * MB })));
    expect(tooLarge).toBeInstanceOf(Rejected);
    expect(tooLarge.message).toBe('Telegram: the file is larger than the 20 MB that bots may fetch');
    const unknown = await failureOf(fetchFile('no-such-file'));
    expect(unknown).toBeInstanceOf(Unreachable);
    expect(unknown.message).toContain('temporarily unavailable');
    const body = JSON.stringify({ ok: false, error_code: 400, description: 'Bad Request: invalid file_id' });
    await telegram.addFault({ match: { method: 'getFile' }, action: 'status', status: 400, body });
    expect(await failureOf(fetchFile('x'))).toMatchObject({
      name: 'Rejected',
      message: expect.stringContaining('can no longer be had'),
    });
  });

  it('whose link is gone is rejected, and one that a broken server does not give can be tried again', async () => {
    const ref = await post({ kind: 'document' });
    await telegram.addFault({ match: { method: 'file' }, action: 'status', status: 404 });
    expect(await failureOf(fetchFile(ref))).toMatchObject({ name: 'Rejected', message: 'Telegram: the file is gone' });
    await telegram.addFault({ match: { method: 'file' }, action: 'status', status: 502 });
    expect(await failureOf(fetchFile(ref))).toBeInstanceOf(Unreachable);
  });

  it('never shows the token, not even when the connection breaks', async () => {
    const ref = await post({ kind: 'document' });
    await telegram.addFault({ match: { method: 'file' }, action: 'drop-before' });
    const failure = await failureOf(fetchFile(ref));
    expect(failure).toBeInstanceOf(Unreachable);
    for (let error: unknown = failure; error instanceof Error; error = error.cause)
      expect(`${error.message} ${error.stack}`).not.toContain('canary');
  });

  it.each(['/var/lib/telegram-bot-api/photos/file_1.jpg', '../secret', 'photos/../../x', 'C:\\photos\\file_1.jpg', ''])(
    'refuses a place that is no path of the server: %s',
    async (path) => {
      const api = { getFilePath: async () => path } as Pick<BotApi, 'getFilePath'> as BotApi;
      const failure = await failureOf(openFile(api, 'f', NEVER));
      expect(failure).toBeInstanceOf(Rejected);
      expect(failure.message).toContain('without --local');
    },
  );
});

it('the messages of an album have the same id, which no other chat has', async () => {
  const { normaliseUpdate } = await import('../../../../worker/channels/telegram/updates.ts');
  const albumOf = (id: number, accountId = 'default') =>
    normaliseUpdate(accountId, { id: 9, username: 'b' }, {
      update_id: 1,
      message: {
        message_id: 1,
        date: 1,
        chat: { id, type: 'supergroup', title: 't' },
        from: { id: 1, is_bot: false, first_name: 'a' },
        media_group_id: '77',
        video: { file_id: 'f' },
      },
    } as never)?.albumId;
  expect(albumOf(-5)).toBeDefined();
  expect(albumOf(-5)).toBe(albumOf(-5));
  expect(new Set([albumOf(-5), albumOf(-6), albumOf(-5, 'second')]).size).toBe(3);
});
