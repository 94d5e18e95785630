/** The kinds of files a message can carry here. */
export const mediaKinds = ['photo', 'document', 'voice', 'audio', 'video', 'animation'] as const;

/** One of {@link mediaKinds}. */
export type MediaKind = (typeof mediaKinds)[number];

/** What the platform fixes for a kind of file. */
export interface KindFacts {
  /** The start of every file id of this kind. */
  readonly idPrefix: string;
  /** The kind as TDLib spells it in errors. */
  readonly label: string;
  /** The first part of a download path. */
  readonly folder: string;
  readonly extension: string;
  /** The type of a file whose name does not tell it. */
  readonly mimeType: string;
}

const facts: Readonly<Record<MediaKind, KindFacts>> = {
  photo: { idPrefix: 'AgAC', label: 'Photo', folder: 'photos', extension: 'jpg', mimeType: 'image/jpeg' },
  document: {
    idPrefix: 'BQAC',
    label: 'Document',
    folder: 'documents',
    extension: 'bin',
    mimeType: 'application/octet-stream',
  },
  voice: { idPrefix: 'AwAC', label: 'VoiceNote', folder: 'voice', extension: 'oga', mimeType: 'audio/ogg' },
  audio: { idPrefix: 'CQAC', label: 'Audio', folder: 'music', extension: 'mp3', mimeType: 'audio/mpeg' },
  video: { idPrefix: 'BAAC', label: 'Video', folder: 'videos', extension: 'mp4', mimeType: 'video/mp4' },
  animation: { idPrefix: 'CgAC', label: 'Animation', folder: 'animations', extension: 'mp4', mimeType: 'video/mp4' },
};

const typesByExtension: Readonly<Record<string, string>> = {
  csv: 'text/csv',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  gif: 'image/gif',
  html: 'text/html',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  json: 'application/json',
  m4a: 'audio/mp4',
  md: 'text/markdown',
  mp3: 'audio/mpeg',
  mp4: 'video/mp4',
  oga: 'audio/ogg',
  ogg: 'audio/ogg',
  pdf: 'application/pdf',
  png: 'image/png',
  txt: 'text/plain',
  wav: 'audio/x-wav',
  webp: 'image/webp',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  zip: 'application/zip',
};

/** What the platform fixes for this kind. */
export function factsOf(kind: MediaKind): KindFacts {
  return facts[kind];
}

/** Whether a word from outside names a kind. */
export function isMediaKind(word: unknown): word is MediaKind {
  return mediaKinds.some((kind) => kind === word);
}

/** The lower-case ending of a file name without its dot; null when it has none. */
export function extensionOf(name: string): string | null {
  return /\.([a-z0-9]{1,8})$/i.exec(name)?.[1]?.toLowerCase() ?? null;
}

/** The type the platform gives a file: it looks at the name's ending, not at what the sender claims. */
export function guessMimeType(kind: MediaKind, name: string): string {
  if (kind === 'voice' || kind === 'photo') return facts[kind].mimeType;
  return typesByExtension[extensionOf(name) ?? ''] ?? facts[kind].mimeType;
}
