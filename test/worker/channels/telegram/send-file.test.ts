import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { FileKind } from '../../../../lib/file-kind.ts';
import { type OutboundFile, RateLimited, Rejected, Unknown } from '../../../../worker/channels/plugin.ts';
import { startTelegramEmulator, type TelegramEmulator } from '../../../emulators/start.ts';
import { makeTemporaryDirectory } from '../../../fixtures/programs.ts';
import { failureOf } from './failure.ts';
import { createSession, NEVER, type Session } from './harness.ts';

/** A picture of one point. */
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

const directory = makeTemporaryDirectory();
let telegram: TelegramEmulator;
let session: Session;
beforeAll(async () => {
  telegram = await startTelegramEmulator();
});
afterAll(async () => {
  await session.channel.stop();
  await telegram.stop();
  directory.remove();
});
beforeEach(async () => {
  await session?.channel.stop();
  await telegram.clearFaults();
  session = await createSession(telegram);
  await session.channel.start(NEVER);
  await telegram.userMessage({ token: session.token, chat: 42, from: 42, text: 'hi' });
});

let nextFile = 0;
function makeFile(kind: FileKind, content: Buffer, name = 'a.png'): OutboundFile {
  nextFile += 1;
  const path = join(directory.path, `file-${nextFile}`);
  writeFileSync(path, content);
  return { kind, path, name, sizeBytes: content.length };
}

const sent = async () =>
  (await telegram.transcript(session.token, 42)).messages.filter((message) => message.from === 'bot');
const methods = async () =>
  (await telegram.calls({ token: session.token }))
    .map(({ method }) => method)
    .filter((method) => method.startsWith('send'));

async function refuse(method: string, reason: string): Promise<void> {
  const body = JSON.stringify({ ok: false, error_code: 400, description: `Bad Request: ${reason}` });
  await telegram.addFault({ match: { method }, action: 'status', status: 400, body });
}

describe('a file', () => {
  it.each([
    ['image', 'photo', PNG],
    ['voice', 'voice', Buffer.from('OggS')],
    ['audio', 'audio', Buffer.from('ID3')],
    ['video', 'video', Buffer.from('mp4')],
    ['animation', 'animation', Buffer.from('mp4')],
    ['file', 'document', Buffer.from([0, 13, 10, 45, 45, 255])],
  ] as const)('of the kind %s arrives byte for byte as %s, with its caption', async (kind, shown, content) => {
    const { remoteId } = await session.send({ text: '**look** here', file: makeFile(kind, content, 'ä_b.dat') });
    const [message] = await sent();
    expect(message).toMatchObject({ text: 'look here', parseMode: 'HTML', file: { kind: shown, name: 'ä_b.dat' } });
    expect(message?.file?.sha256).toBe(createHash('sha256').update(content).digest('hex'));
    expect(String(message?.message_id)).toBe(remoteId);
  });

  it('of many megabytes arrives whole', async () => {
    const content = Buffer.alloc(12 * 1_048_576, 'xyz');
    await session.send({ text: '', file: makeFile('image', content, 'large.png') });
    expect(await sent()).toMatchObject([
      { text: '', file: { kind: 'document', sha256: createHash('sha256').update(content).digest('hex') } },
    ]);
    expect(await methods()).toEqual(['sendDocument']);
  });

  it.each(['PHOTO_INVALID_DIMENSIONS', 'PHOTO_SAVE_FILE_INVALID', 'IMAGE_PROCESS_FAILED'])(
    'that is refused as a photo (%s) goes as a document',
    async (reason) => {
      await refuse('sendPhoto', reason);
      await session.send({ text: 'look', file: makeFile('image', PNG) });
      expect(await sent()).toMatchObject([{ text: 'look', file: { kind: 'document', name: 'a.png' } }]);
      expect(await methods()).toEqual(['sendPhoto', 'sendDocument']);
    },
  );

  it('that is no picture at all goes as a document, and a voice message that is not wanted, too', async () => {
    await session.send({ file: makeFile('image', Buffer.from('no picture')) });
    await refuse('sendVoice', 'VOICE_MESSAGES_FORBIDDEN');
    await session.send({ file: makeFile('voice', Buffer.from('OggS')) });
    expect((await sent()).map(({ file }) => file?.kind)).toEqual(['document', 'document']);
  });

  it('goes without the reply and without the markup that the server does not take', async () => {
    await refuse('sendPhoto', 'message to be replied not found');
    await refuse('sendPhoto', "can't parse entities: x");
    await session.send({ text: '*a*', replyTo: '999', file: makeFile('image', PNG) });
    expect(await sent()).toMatchObject([{ text: '*a*', file: { kind: 'photo' } }]);
  });
});

describe('a file that cannot be sent', () => {
  it('because it is gone or empty is rejected', async () => {
    const gone = { ...makeFile('file', PNG), path: join(directory.path, 'nothing') };
    expect(await failureOf(session.send({ file: gone }))).toBeInstanceOf(Rejected);
    expect(await failureOf(session.send({ file: makeFile('file', Buffer.alloc(0)) }))).toBeInstanceOf(Rejected);
    expect(await sent()).toEqual([]);
  });

  it('because the server asks to wait is rate limited', async () => {
    await telegram.addFault({ match: { method: 'sendPhoto' }, action: '429', retryAfter: 17 });
    const error = await failureOf(session.send({ file: makeFile('image', PNG) }));
    expect(error).toBeInstanceOf(RateLimited);
  });

  it.each([
    ['the answer is lost', { action: 'drop-after' }, 1],
    ['the connection breaks', { action: 'drop-before' }, 0],
    ['the server breaks', { action: 'status', status: 500 }, 0],
  ] as const)('for certain is unknown, and tried only once, when %s', async (_what, fault, posted) => {
    await telegram.addFault({ match: { method: 'sendPhoto' }, ...fault });
    const error = await failureOf(session.send({ file: makeFile('image', PNG) }));
    expect(error).toBeInstanceOf(Unknown);
    expect(`${error.message} ${error.stack}`).not.toContain('canary');
    expect(await sent()).toHaveLength(posted);
    expect(await methods()).toEqual(['sendPhoto']);
  });

  it('because it was cut off under way is unknown', async () => {
    await telegram.addFault({ match: { method: 'sendPhoto' }, action: 'half-open' });
    const sending = session.send({ file: makeFile('image', PNG) }, AbortSignal.timeout(100));
    expect(await failureOf(sending)).toBeInstanceOf(Unknown);
  });
});
