import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { withDeadline } from '../../lib/deadline.ts';
import { errorMessage } from '../../lib/errors.ts';
import { safeFileName } from '../../lib/file-name.ts';
import { removeOlderThan, saveStream, sizeOf, TooLarge } from '../../lib/file-store.ts';
import type { Logger } from '../../lib/log.ts';
import { RateLimited, Rejected } from '../channels/plugin.ts';
import type { InboxRow, StoredFile } from '../store/inbox-row.ts';
import type { Carrier } from './attempt.ts';

export type FilesOptions = {
  /** Where files are kept; each turn has a folder in it. */
  directory: string;
  carrier: Pick<Carrier, 'fetchFile'>;
  log: Logger;
};

export type Files = {
  /** Fetches what came with a message; an interrupted try goes on where it was. Returns a line for each, for the model to read. */
  fetch(row: InboxRow, signal: AbortSignal): Promise<string[]>;
  /** Removes what is too old to be asked about. */
  prune(): void;
};

/** What Telegram gives out at most; others are not larger by much. */
const MAX_BYTES = 20 * 1_024 * 1_024;
const FETCH_TIMEOUT_MS = 60_000;
const TRIES = 3;
/** Pause before the second try, twice as long before the third. */
const RETRY_MS = 500;
const KEEP_MS = 7 * 24 * 3_600_000;

/** Keeps the files that people send, so that the model and its tools can read them. */
export function createFiles(options: FilesOptions): Files {
  return {
    async fetch(row, signal) {
      const lines: string[] = [];
      for (const [index, file] of (row.payload.files ?? []).entries()) {
        lines.push(await describe(options, { row, file, index, signal }));
      }
      return lines;
    },
    prune: () => void removeOlderThan(options.directory, Date.now() - KEEP_MS),
  };
}

type Wanted = { row: InboxRow; file: StoredFile; index: number; signal: AbortSignal };

async function describe(options: FilesOptions, wanted: Wanted): Promise<string> {
  const { file, row, index } = wanted;
  const path = join(options.directory, row.runId, `${index + 1}-${safeFileName(file.name ?? '', file.kind)}`);
  const what = [file.kind, file.name].filter((part) => part !== undefined).join(' ');
  if (file.sizeBytes !== undefined && file.sizeBytes > MAX_BYTES) return `[${what}: ${tooLarge(file.sizeBytes)}]`;
  try {
    const bytes = sizeOf(path) ?? (await fetchTo(options, wanted, path));
    return `[${what}, ${Math.ceil(bytes / 1_024)} KB: ${path}]`;
  } catch (error) {
    options.log.warn({ err: error, run: row.runId, kind: file.kind }, 'A file that came in could not be fetched');
    return `[${what}: ${error instanceof TooLarge ? tooLarge() : `could not be fetched (${errorMessage(error)})`}]`;
  }
}

async function fetchTo({ carrier }: FilesOptions, { row, file, signal }: Wanted, path: string): Promise<number> {
  const { channel, accountId } = row.payload;
  for (let tries = 1; ; tries += 1) {
    try {
      return await withDeadline(signal, FETCH_TIMEOUT_MS, async (limited) => {
        const body = await carrier.fetchFile(channel, { accountId, ref: file.ref }, limited);
        return saveStream({ path, body, maxBytes: MAX_BYTES, signal: limited });
      });
    } catch (error) {
      const isFinal = error instanceof TooLarge || error instanceof Rejected;
      if (isFinal || tries >= TRIES || signal.aborted) throw error;
      const waitMs = error instanceof RateLimited ? Math.min(error.retryAfterMs, FETCH_TIMEOUT_MS) : tries * RETRY_MS;
      await sleep(waitMs, undefined, { signal });
    }
  }
}

function tooLarge(bytes?: number): string {
  const size = bytes === undefined ? '' : `${Math.ceil(bytes / 1_048_576)} MB, `;
  return `${size}too large to be fetched (${MAX_BYTES / 1_048_576} MB at most)`;
}
