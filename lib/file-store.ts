import { readdirSync, rmSync, statSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ensurePrivateDirectory, removeFile } from './fs.ts';

/** A stream holds more bytes than are wanted. */
export class TooLarge extends Error {
  override readonly name = 'TooLarge';
}

export type SaveOptions = { path: string; body: ReadableStream<Uint8Array>; maxBytes: number; signal: AbortSignal };

/** Writes a stream to a file (0600) that is there whole or not at all. Returns its bytes; throws TooLarge beyond `maxBytes`. */
export async function saveStream({ path, body, maxBytes, signal }: SaveOptions): Promise<number> {
  ensurePrivateDirectory(dirname(path));
  const part = `${path}.part`;
  // Opened before anything can fail, so that what is removed then is there already.
  const file = await open(part, 'w', 0o600);
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
      file.createWriteStream(),
      { signal },
    );
    await rename(part, path);
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

/** Removes what lies directly in a directory and was last changed before an epoch time in milliseconds. Returns how many. */
export function removeOlderThan(directory: string, before: number): number {
  const names = sizeOf(directory) === undefined ? [] : readdirSync(directory);
  const old = names
    .map((name) => join(directory, name))
    .filter((path) => (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? before) < before);
  for (const path of old) rmSync(path, { recursive: true, force: true });
  return old.length;
}
