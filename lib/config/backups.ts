import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ensurePrivateDirectory, modifiedAtMs, readTextIfExists, removeFile, writeFileAtomic } from '../fs.ts';
import type { Paths } from '../paths.ts';

export type BackupPaths = Pick<Paths, 'backupsDir' | 'configPath'>;

/** An earlier configuration. `id` counts up with each write; `at` (milliseconds since 1970) is when it was replaced. */
export type Backup = { id: number; at: number; revision: string };

const KEPT = 10;

/** What tells one text of the configuration from any other; that of a missing file is the empty text's. */
export function revisionOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** Keeps a configuration that is about to be replaced, and drops the oldest of more than ten. */
export function keepBackup(paths: BackupPaths, text: string): void {
  ensurePrivateDirectory(paths.backupsDir);
  const ids = listIds(paths);
  writeFileAtomic(backupFile(paths, (ids[0] ?? 0) + 1), text);
  for (const id of ids.slice(KEPT - 1)) removeFile(backupFile(paths, id));
}

/** The earlier configurations that are kept, newest first. */
export function listBackups(paths: BackupPaths): Backup[] {
  return listIds(paths).map((id) => {
    const file = backupFile(paths, id);
    return { id, at: modifiedAtMs(file), revision: revisionOf(readTextIfExists(file) ?? '') };
  });
}

/** The text of one of them; undefined when it is not kept any more. */
export function readBackup(paths: BackupPaths, id: number): string | undefined {
  return listIds(paths).includes(id) ? readTextIfExists(backupFile(paths, id)) : undefined;
}

/** Keeps the configuration that a worker serves with. Does nothing when it is kept already. */
export function keepLastGood(paths: BackupPaths, text: string): void {
  if (readLastGood(paths) === text) return;
  ensurePrivateDirectory(paths.backupsDir);
  writeFileAtomic(lastGoodFile(paths), text);
}

/** The last configuration that a worker served with; undefined before the first one. */
export function readLastGood(paths: BackupPaths): string | undefined {
  return readTextIfExists(lastGoodFile(paths));
}

function listIds({ backupsDir, configPath }: BackupPaths): number[] {
  const prefix = `${basename(configPath)}.`;
  return listNames(backupsDir)
    .filter((name) => name.startsWith(prefix) && /^\d{1,9}$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)))
    .sort((left, right) => right - left);
}

function listNames(directory: string): string[] {
  return modifiedAtMs(directory) === 0 ? [] : readdirSync(directory);
}

function backupFile({ backupsDir, configPath }: BackupPaths, id: number): string {
  return join(backupsDir, `${basename(configPath)}.${id}`);
}

function lastGoodFile({ backupsDir, configPath }: BackupPaths): string {
  return join(backupsDir, `${basename(configPath)}.last-good`);
}
