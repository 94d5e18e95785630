import type { Message } from 'grammy/types';
import { type InboundFile, Rejected, Unreachable } from '../plugin.ts';
import type { BotApi } from './bot-api.ts';
import { describeTransportError, isApiError, toDeliveryError } from './errors.ts';

/** The largest file that the Bot API hands out, in bytes. */
export const DOWNLOAD_LIMIT = 20 * 1_024 * 1_024;

/** The files of a message, as far as the platform hands them out. */
export function readFiles(message: Message): InboundFile[] {
  const { photo, animation, video, video_note: note, voice, audio, document, sticker } = message;
  if (photo !== undefined)
    return [describe('image', choosePhoto(photo), { name: 'photo.jpg', mimeType: 'image/jpeg' })];
  // An animation also comes as a document.
  if (animation !== undefined) return [describe('animation', animation, { name: 'animation.mp4' })];
  if (video !== undefined) return [describe('video', video, { name: 'video.mp4' })];
  if (note !== undefined) return [describe('video', note, { name: 'video-note.mp4', mimeType: 'video/mp4' })];
  if (voice !== undefined) return [describe('voice', voice, { name: 'voice.ogg', mimeType: 'audio/ogg' })];
  if (audio !== undefined) return [describe('audio', audio, { name: 'audio.mp3' })];
  if (document !== undefined) return [describe('file', document, { name: 'file' })];
  return sticker === undefined ? [] : [describeSticker(sticker)];
}

/**
 * Opens a file that somebody sent. Throws Rejected when it can never be had, Unreachable otherwise; neither says the address,
 * which holds the token.
 */
export async function openFile(api: BotApi, ref: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
  const path = await findPath(api, ref, signal);
  const parts = path.split('/');
  if (parts.some((part) => part === '' || part === '..' || part.includes('\\'))) throw new Rejected(OWN_DISK);
  const response = await api.download(parts.map(encodeURIComponent).join('/'), signal).catch((error: unknown) => {
    throw new Unreachable(`Telegram: ${describeTransportError(error)}`);
  });
  if (response.ok && response.body !== null) return response.body;
  await response.body?.cancel();
  if (response.status === 404) throw new Rejected('Telegram: the file is gone');
  throw new Unreachable(`Telegram: the file could not be fetched (status ${response.status})`);
}

type Described = { file_id: string; file_size?: number; file_name?: string; mime_type?: string };

/** What the platform says, and else what it fixes for the kind. */
function describe(kind: InboundFile['kind'], file: Described, fixed: { name: string; mimeType?: string }): InboundFile {
  const mimeType = file.mime_type ?? fixed.mimeType;
  return {
    kind,
    ref: file.file_id,
    name: file.file_name ?? fixed.name,
    ...(mimeType === undefined ? {} : { mimeType }),
    ...(file.file_size === undefined ? {} : { sizeBytes: file.file_size }),
  };
}

/** Sizes come smallest first; without a size that can be fetched the smallest tells that it is too large. */
function choosePhoto(sizes: NonNullable<Message['photo']>): Described {
  const chosen = sizes.findLast(({ file_size: bytes = 0 }) => bytes <= DOWNLOAD_LIMIT) ?? sizes[0];
  if (chosen === undefined) throw new Error('Telegram sent a photo without any size');
  return chosen;
}

function describeSticker(sticker: NonNullable<Message['sticker']>): InboundFile {
  if (sticker.is_video) return describe('video', sticker, { name: 'sticker.webm', mimeType: 'video/webm' });
  // An animated one is a vector drawing that hardly any program shows.
  if (sticker.is_animated)
    return describe('file', sticker, { name: 'sticker.tgs', mimeType: 'application/x-tgsticker' });
  return describe('image', sticker, { name: 'sticker.webp', mimeType: 'image/webp' });
}

async function findPath(api: BotApi, ref: string, signal: AbortSignal): Promise<string> {
  try {
    return await api.getFilePath(ref, signal);
  } catch (error) {
    if (!isApiError(error) || error.error_code !== 400) throw toDeliveryError(error);
    // The server says the same of an id that is wrong; a try more does no harm.
    if (error.description.includes('temporarily unavailable')) throw new Unreachable(`Telegram: ${error.description}`);
    throw new Rejected(explainRefusal(error.description));
  }
}

function explainRefusal(description: string): string {
  if (description.includes('file is too big'))
    return `Telegram: the file is larger than the ${DOWNLOAD_LIMIT / 1_048_576} MB that bots may fetch`;
  return `Telegram: the file can no longer be had (${description})`;
}

const OWN_DISK =
  'Telegram: the Bot API server names a place on its own disk instead of handing the file out. Run it without --local.';
