import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { ensurePrivateDirectory, removeFile, writeFileAtomic } from '../../lib/fs.ts';
import type { ServiceFile } from './contract.ts';

/** True when the file is there with exactly this content. */
export function isWritten({ path, content }: ServiceFile): boolean {
  return existsSync(path) && readFileSync(path).equals(Buffer.from(content));
}

/** Writes those that are not as they should be, and returns their paths (TOK-5). */
export function writeServiceFiles(files: readonly ServiceFile[]): string[] {
  const changed = files.filter((file) => !isWritten(file));
  for (const { path, content } of changed) {
    if (!existsSync(dirname(path))) ensurePrivateDirectory(dirname(path));
    writeFileAtomic(path, content);
  }
  return changed.map(({ path }) => path);
}

/** Removes them; those that are missing are no error. */
export function removeServiceFiles(files: readonly ServiceFile[]): void {
  for (const { path } of files) removeFile(path);
}
