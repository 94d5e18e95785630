import type { StoredFile } from './media-store.ts';

const openings: Readonly<Record<string, Buffer>> = {
  'application/pdf': Buffer.from('%PDF-1.4\n'),
  'application/zip': Buffer.from('504b0304', 'hex'),
  'audio/mpeg': Buffer.from('ID3'),
  'audio/ogg': Buffer.from('OggS'),
  'image/gif': Buffer.from('GIF89a'),
  'image/jpeg': Buffer.from('ffd8ffe0', 'hex'),
  'image/png': Buffer.from('89504e470d0a1a0a', 'hex'),
  'video/mp4': Buffer.from('00000018667479706d703432', 'hex'),
};
const imageOpenings = ['ffd8ff', '89504e47', '47494638', '52494646', '424d'];

/** The bytes of a file; made up, always the same for the same file, when it was stored without any. */
export function contentOf(file: StoredFile): Buffer {
  if (file.content !== null) return file.content;
  const bytes = Buffer.alloc(file.size, `${file.uniqueId}\n`);
  openings[file.mimeType]?.copy(bytes);
  return bytes;
}

/** Whether bytes start like an image the platform can turn into a photo. */
export function isImage(bytes: Buffer): boolean {
  const start = bytes.toString('hex', 0, 4);
  return imageOpenings.some((opening) => start.startsWith(opening));
}
