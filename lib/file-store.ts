import { readdirSync, rmSync, statSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ensurePrivateDirectory, removeFile, syncDirectory } from './fs.ts';

/** A stream holds more bytes than are wanted. */
export class TooLarge extends Error {
  override readonly name = 'TooLarge';
}

export type SaveOptions = { path: string; body: ReadableStream<Uint8Array>; maxBytes: number; signal: AbortSignal };

/** Writes a stream to a file (0600) that is there whole, after a power cut too, or not at all. Returns its bytes; throws TooLarge beyond `maxBytes`. */
export async function saveStream({ path, body, maxBytes, signal }: SaveOptions): Promise<number> {
  ensurePrivateDirectory(dirname(path));
  const part = `${path}.part`;
  // Opened before anything can fail, so that it is there when it has to be removed.
  const handle = await open(part, 'w', 0o600);
  let bytes = 0;
  try {
    await pipeline(
      Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]),
      async function* limit(chunks: AsyncIterable<Uint8Array>) {
        for await (const chunk of chunks) {
          bytes += chunk.length;
          if (bytes > maxBytes) throw new TooLarge(`more than ${maxBytes} bytes`);
          yield chunk;
        }
      },
      handle.createWriteStream({ flush: true }),
      { signal },
    );
    await rename(part, path);
    syncDirectory(dirname(path));
    return bytes;
  } catch (error) {
    removeFile(part);
    throw error;
  }
}

/** The size of a file in bytes; undefined when there is none. */
export function sizeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size;
}

/** The names of what lies directly in a directory and was last changed before an epoch time in milliseconds. */
export function listOlderThan(directory: string, before: number): string[] {
  const names = sizeOf(directory) === undefined ? [] : readdirSync(directory);
  return names.filter(
    (name) => (statSync(join(directory, name), { throwIfNoEntry: false })?.mtimeMs ?? before) < before,
  );
}

/** Removes what lies directly in a directory and was last changed before an epoch time in milliseconds. Returns how many. */
export function removeOlderThan(directory: string, before: number): number {
  const old = listOlderThan(directory, before);
  for (const name of old) rmSync(join(directory, name), { recursive: true, force: true });
  return old.length;
}
