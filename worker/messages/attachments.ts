import { randomUUID } from 'node:crypto';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { withDeadline } from '../../lib/deadline.ts';
import { errorCode, errorMessage, GatewayError } from '../../lib/errors.ts';
import { extensionFor, guessFileKind, type MediaType, toFileKind } from '../../lib/file-kind.ts';
import { safeFileName } from '../../lib/file-name.ts';
import { listOlderThan, saveStream, TooLarge } from '../../lib/file-store.ts';
import { removeFile } from '../../lib/fs.ts';
import { FetchRefused, fetchPublic } from '../../lib/public-fetch.ts';
import type { Outbox } from '../store/outbox.ts';
import type { OutboxFile } from '../store/outbox-row.ts';
import type { Carrier } from './attempt.ts';
import { createSlots } from './slots.ts';

export type AttachmentsOptions = {
  /** Where files on their way out are kept. */
  directory: string;
  /** Hosts of our own network from which files may be fetched. */
  mediaHosts: readonly string[];
  carrier: Pick<Carrier, 'fileSupport'>;
  outbox: Pick<Outbox, 'fileNames'>;
};

/** A file that a caller wants sent: an http, https or data URL, and how to show it. */
export type Wanted = { channel: string; url: string; type?: MediaType | undefined };

export type Attachments = {
  /**
   * Keeps a file so that it can be sent whatever happens to its address or to us. Throws INVALID_REQUEST when the channel sends
   * no files or the file cannot be had, PAYLOAD_TOO_LARGE when the channel does not send such large ones.
   */
  keep(wanted: Wanted, signal: AbortSignal): Promise<OutboxFile>;
  /** Removes the files that no message names any more. */
  prune(): Promise<void>;
};

const FETCH_TIMEOUT_MS = 60_000;
const FETCHING_AT_ONCE = 8;
/** A file is kept before its message is; one that is older belongs to a caller who got no answer. */
const ORPHAN_AFTER_MS = 3_600_000;

/** Keeps the files that callers want sent. */
export function createAttachments(options: AttachmentsOptions): Attachments {
  const { directory, carrier, outbox } = options;
  const slots = createSlots(FETCHING_AT_ONCE);
  return {
    async keep({ channel, url, type }, signal) {
      const support = carrier.fileSupport(channel);
      if (support === undefined) throw refuse(`The channel "${channel}" sends no files.`);
      const path = join(directory, randomUUID());
      const { maxBytes } = support;
      try {
        return await slots.use(signal, () =>
          withDeadline(signal, FETCH_TIMEOUT_MS, async (limited) => {
            const { body, ...source } = await open(options, url, limited);
            const sizeBytes = await saveStream({ path, body, maxBytes, signal: limited });
            return describe(source, { path: basename(path), sizeBytes, type });
          }),
        );
      } catch (error) {
        removeFile(path);
        throw explain(error, { channel, maxBytes });
      }
    },
    async prune() {
      const old = listOlderThan(directory, Date.now() - ORPHAN_AFTER_MS);
      if (old.length === 0) return;
      const named = new Set(await outbox.fileNames());
      for (const name of old) if (!named.has(name)) removeFile(join(directory, name));
    },
  };
}

type Source = { name: string; mimeType: string };

async function open(
  { mediaHosts }: AttachmentsOptions,
  url: string,
  signal: AbortSignal,
): Promise<Source & { body: ReadableStream<Uint8Array> }> {
  if (/^data:/i.test(url)) return openData(url);
  const response = await fetchPublic(url, { allowedHosts: mediaHosts, allowedBy: 'outbox.mediaHosts', signal });
  const mimeType = readMimeType(response.headers['content-type'] ?? '');
  return { name: nameOf(url), mimeType, body: Readable.toWeb(response) as ReadableStream<Uint8Array> };
}

function openData(url: string): Source & { body: ReadableStream<Uint8Array> } {
  const [, type = '', content = ''] = /^data:([^,]*);base64,(.*)$/is.exec(url) ?? [];
  if (content === '' || content.length % 4 !== 0 || !/^[a-z0-9+/]+={0,2}$/i.test(content))
    throw new FetchRefused('a data: URL must be data:<type>;base64,<content>');
  return { name: '', mimeType: readMimeType(type), body: new Blob([Buffer.from(content, 'base64')]).stream() };
}

function readMimeType(header: string): string {
  const [type = ''] = header.toLowerCase().split(';');
  return /^[\w.+-]+\/[\w.+-]+$/.test(type.trim()) ? type.trim() : 'application/octet-stream';
}

/** The last part of an address, whose query may hold secrets. */
function nameOf(url: string): string {
  const name = new URL(url).pathname.split('/').at(-1) ?? '';
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

type Kept = { path: string; sizeBytes: number; type: MediaType | undefined };

function describe({ name, mimeType }: Source, { path, sizeBytes, type }: Kept): OutboxFile {
  if (sizeBytes === 0) throw new FetchRefused('it is empty');
  const kind = type === undefined ? guessFileKind(mimeType) : toFileKind(type);
  const safe = safeFileName(name, kind);
  return { kind, path, name: /\.\w+$/.test(safe) ? safe : `${safe}.${extensionFor(mimeType)}`, mimeType, sizeBytes };
}

function explain(error: unknown, { channel, maxBytes }: { channel: string; maxBytes: number }): GatewayError {
  if (error instanceof TooLarge) {
    const limit = Math.floor(maxBytes / 1_048_576);
    return new GatewayError(
      'PAYLOAD_TOO_LARGE',
      `The file at media_url is larger than the ${limit} MB that ${channel} takes.`,
    );
  }
  if (DISK_TROUBLE.has(errorCode(error) ?? '')) {
    const message = `The file at media_url cannot be kept: ${errorMessage(error)}. Free some space, then try again.`;
    return new GatewayError('NOT_READY', message, { cause: error });
  }
  return refuse(`The file at media_url cannot be had: ${errorMessage(error)}.`, error);
}

const DISK_TROUBLE = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EMFILE', 'ENFILE']);

function refuse(message: string, cause?: unknown): GatewayError {
  return new GatewayError('INVALID_REQUEST', message, { cause, details: [{ path: 'media_url', message }] });
}
