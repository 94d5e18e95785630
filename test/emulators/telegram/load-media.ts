import { badRequest } from './api-error.ts';
import type { Bot } from './bot.ts';
import { isImage } from './file-content.ts';
import { factsOf, guessMimeType, type MediaKind } from './media-kinds.ts';
import type { MediaSource } from './media-source.ts';
import type { MediaDetails, StoredMedia } from './media-store.ts';
import type { UploadedFile } from './multipart.ts';
import type { Params } from './params.ts';

/** A file that may be sent; `store` gives it its ids, once nothing else can be wrong with the call. */
export interface LoadedMedia {
  readonly store: () => StoredMedia;
}

interface MediaOrder {
  readonly bot: Bot;
  readonly kind: MediaKind;
  readonly source: MediaSource;
  /** Where the duration, size and title are read from. */
  readonly params: Params;
}

const maxPhotoBytes = 10 << 20;
const maxFetchedPhotoBytes = 5 << 20;
const maxFetchedBytes = 20 << 20;
const fetchTimeoutMs = 5000;

/** Gets hold of the file of a send and judges it as the platform does. */
export async function loadMedia({ bot, kind, source, params }: MediaOrder): Promise<LoadedMedia> {
  switch (source.type) {
    case 'id': {
      const known = findKnown(bot, kind, source.fileId);
      return { store: () => known };
    }
    case 'upload':
      return prepare({ bot, kind, params, file: checkUpload(kind, source.file) });
    case 'url':
      return prepare({ bot, kind, params, file: await fetchFile(kind, source.url) });
    default:
      return source satisfies never;
  }
}

function findKnown(bot: Bot, kind: MediaKind, fileId: string): StoredMedia {
  const known = bot.media.find(fileId);
  if (known === undefined) {
    const reason = /^[\w-]*$/.test(fileId) ? "can't unserialize it" : 'Wrong character in the string';
    throw badRequest(`wrong remote file identifier specified: ${reason}`);
  }
  if (known.kind !== kind) {
    throw badRequest(`can't use file of type ${factsOf(known.kind).label} as ${factsOf(kind).label}`);
  }
  return known;
}

function checkUpload(kind: MediaKind, file: UploadedFile): UploadedFile {
  const { length } = file.content;
  if (length === 0) throw badRequest('file must be non-empty');
  if (kind !== 'photo') return file;
  if (length > maxPhotoBytes) {
    throw badRequest(`file of size ${length} bytes is too big for a photo; the maximum size is ${maxPhotoBytes} bytes`);
  }
  if (!isImage(file.content)) throw badRequest('IMAGE_PROCESS_FAILED');
  return file;
}

async function fetchFile(kind: MediaKind, url: string): Promise<UploadedFile> {
  const response = await fetch(url, { signal: AbortSignal.timeout(fetchTimeoutMs) }).catch(() => null);
  if (response === null || !response.ok) throw badRequest('failed to get HTTP URL content');
  const content = Buffer.from(await response.arrayBuffer());
  if (content.length === 0 || (kind === 'photo' && !isImage(content))) {
    throw badRequest('wrong type of the web page content');
  }
  const limit = kind === 'photo' ? maxFetchedPhotoBytes : maxFetchedBytes;
  if (content.length > limit) throw badRequest('failed to get HTTP URL content');
  return { name: new URL(url).pathname.split('/').at(-1) ?? '', content };
}

function prepare({ bot, kind, params, file }: Omit<MediaOrder, 'source'> & { file: UploadedFile }): LoadedMedia {
  const name = file.name === '' ? `${kind}.${factsOf(kind).extension}` : file.name;
  const { content } = file;
  const details = readDetails(params);
  const mimeType = guessMimeType(kind, name);
  return { store: () => bot.media.add({ kind, name, mimeType, size: content.length, content, details }) };
}

function readDetails(params: Params): MediaDetails {
  const numbers = ['duration', 'width', 'height'].filter((name) => params.has(name));
  const texts = ['performer', 'title'].filter((name) => params.text(name) !== '');
  return Object.fromEntries([
    ...numbers.map((name) => [name, params.integer(name, 0)]),
    ...texts.map((name) => [name, params.text(name)]),
  ]);
}
