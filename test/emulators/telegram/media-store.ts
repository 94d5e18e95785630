import { createHash } from 'node:crypto';
import { extensionOf, factsOf, type MediaKind } from './media-kinds.ts';

/** One stored file; `content` is null when its bytes are only made up if somebody downloads them. */
export interface StoredFile {
  /** Counts the files of the bot from 1. */
  readonly order: number;
  readonly fileId: string;
  readonly uniqueId: string;
  readonly kind: MediaKind;
  readonly name: string;
  readonly mimeType: string;
  /** Bytes. */
  readonly size: number;
  readonly content: Buffer | null;
  readonly sha256: string | null;
  readonly width: number;
  readonly height: number;
}

/** What is known about a medium besides its bytes; the duration is in seconds. */
export interface MediaDetails {
  readonly duration?: number;
  readonly width?: number;
  readonly height?: number;
  readonly performer?: string;
  readonly title?: string;
}

/** What a message carries: one file, or a photo in several sizes with the largest last. */
export interface StoredMedia {
  readonly kind: MediaKind;
  readonly main: StoredFile;
  readonly smaller: readonly StoredFile[];
  readonly details: MediaDetails;
}

/** What a new medium is made of. */
export interface NewMedia extends Pick<StoredFile, 'kind' | 'name' | 'mimeType' | 'size' | 'content'> {
  readonly details: MediaDetails;
}

interface Link {
  readonly file: StoredFile;
  validUntil: number;
}

const linkLifeMs = 3_600_000;
const firstGroupId = 13_000_000_000_000_000n;
const previewSize = { width: 90, height: 67 };
const fullSize = { width: 1280, height: 960 };

/** All files one bot has seen or sent, and the links to them. Ids depend on the token and the order of files only. */
export class MediaStore {
  readonly #owner: string;
  readonly #byFileId = new Map<string, StoredMedia>();
  readonly #links = new Map<string, Link>();
  #fileCount = 0;
  #groupCount = 0n;

  constructor(owner: string) {
    this.#owner = owner;
  }

  /** Stores a medium; a photo also gets a small preview size. */
  add({ details, ...made }: NewMedia): StoredMedia {
    const { kind, size } = made;
    const { width = fullSize.width, height = fullSize.height } = details;
    const preview = { ...made, ...previewSize, size: Math.min(1200, Math.ceil(size / 2)), content: null };
    const smaller = kind === 'photo' ? [this.#identify(preview)] : [];
    const media = { kind, smaller, main: this.#identify({ ...made, width, height }), details };
    for (const file of [...smaller, media.main]) this.#byFileId.set(file.fileId, media);
    return media;
  }

  /** The medium a file id belongs to. */
  find(fileId: string): StoredMedia | undefined {
    return this.#byFileId.get(fileId);
  }

  /** The very file of an id: for a photo the size that was asked for. */
  findFile(fileId: string): StoredFile | undefined {
    const media = this.#byFileId.get(fileId);
    if (media === undefined) return undefined;
    return [...media.smaller, media.main].find((file) => file.fileId === fileId);
  }

  /** The download path of a file, good for exactly one more hour: all the platform promises. */
  openLink(file: StoredFile, now: number): string {
    const { folder, extension } = factsOf(file.kind);
    const ending = file.kind === 'photo' ? extension : (extensionOf(file.name) ?? extension);
    const path = `${folder}/file_${file.order}.${ending}`;
    this.#links.set(path, { file, validUntil: now + linkLifeMs });
    return path;
  }

  /** The file behind a download path, while the link is valid. */
  follow(path: string, now: number): StoredFile | undefined {
    const link = this.#links.get(path);
    return link === undefined || now > link.validUntil ? undefined : link.file;
  }

  /** The id of the next album. */
  nextGroupId(): string {
    this.#groupCount += 1n;
    return String(firstGroupId + this.#groupCount);
  }

  #identify(file: Omit<StoredFile, 'order' | 'fileId' | 'uniqueId' | 'sha256'>): StoredFile {
    this.#fileCount += 1;
    const digest = createHash('sha512').update(`${this.#owner} ${this.#fileCount}`).digest('base64url');
    return {
      ...file,
      order: this.#fileCount,
      fileId: `${factsOf(file.kind).idPrefix}AgI${digest.slice(0, 64)}`,
      uniqueId: `AgAD${digest.slice(-12)}`,
      sha256: file.content === null ? null : createHash('sha256').update(file.content).digest('hex'),
    };
  }
}
