/** How a chat shows a file. */
export type FileKind = 'image' | 'voice' | 'audio' | 'video' | 'animation' | 'file';

/** What callers of the API name the kinds. */
export const MEDIA_TYPES = ['photo', 'video', 'audio', 'voice', 'document', 'animation'] as const;

export type MediaType = (typeof MEDIA_TYPES)[number];

const KINDS: Readonly<Record<MediaType, FileKind>> = {
  photo: 'image',
  video: 'video',
  audio: 'audio',
  voice: 'voice',
  document: 'file',
  animation: 'animation',
};

const EXTENSIONS = new Map(
  Object.entries({
    'application/json': 'json',
    'application/pdf': 'pdf',
    'application/zip': 'zip',
    'audio/mp4': 'm4a',
    'audio/mpeg': 'mp3',
    'audio/ogg': 'ogg',
    'image/gif': 'gif',
    'image/jpeg': 'jpg',
    'image/png': 'png',
    'image/webp': 'webp',
    'text/csv': 'csv',
    'text/html': 'html',
    'text/markdown': 'md',
    'text/plain': 'txt',
    'video/mp4': 'mp4',
    'video/webm': 'webm',
  }),
);

/** The kind that a caller names. */
export function toFileKind(type: MediaType): FileKind {
  return KINDS[type];
}

/** The name of a kind in the API. */
export function toMediaType(kind: FileKind): MediaType {
  return MEDIA_TYPES.find((type) => KINDS[type] === kind) ?? 'document';
}

/** How a file of a MIME type is best shown. */
export function guessFileKind(mimeType: string): FileKind {
  switch (mimeType) {
    case 'image/gif':
      return 'animation';
    case 'image/jpeg':
    case 'image/png':
    case 'image/webp':
      return 'image';
    case 'video/mp4':
      return 'video';
    case 'audio/ogg':
      return 'voice';
    case 'audio/mpeg':
    case 'audio/mp4':
      return 'audio';
    default:
      return 'file';
  }
}

/** The usual ending of a file name, without a dot; `bin` for a MIME type that is not known. */
export function extensionFor(mimeType: string): string {
  return EXTENSIONS.get(mimeType) ?? 'bin';
}
