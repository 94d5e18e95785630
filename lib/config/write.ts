import { existsSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Environment } from '../env.ts';
import { errorCode, errorMessage, type FieldProblem } from '../errors.ts';
import { withFileLock } from '../file-lock.ts';
import { readTextIfExists, replaceFileAtomic } from '../fs.ts';
import type { WorkerOverrides } from '../ipc.ts';
import { type BackupPaths, keepBackup, revisionOf } from './backups.ts';
import { listChangedPaths } from './diff.ts';
import { readJson, rewriteJson } from './edit-text.ts';
import { ConfigError, readConfig } from './load.ts';
import { explainLoss } from './loss.ts';
import type { Config } from './schema.ts';

export type ConfigWrite = {
  paths: BackupPaths;
  env: Environment;
  overrides?: WorkerOverrides;
  /** The revision that the caller has seen; another one by now is a conflict. Left out: whatever is there is changed. */
  expected?: string;
  /** Whether credentials, or much at once, may be removed. */
  allowsLoss?: boolean;
  /** Judges what the schema cannot; throws what is wrong. */
  verify?: ((config: Config) => void) | undefined;
} & (
  | {
      /** What the file shall hold, made of what it holds, with nothing expanded. */
      change(current: Record<string, unknown>): Record<string, unknown>;
    }
  | { /** A whole new text, such as an earlier one. */ text: string }
);

export type WrittenConfig = {
  revision: string;
  /** Dotted paths that changed; none: nothing was written. */
  changed: string[];
  /** What was wrong before and still is: a configuration may be mended step by step. */
  problems: readonly FieldProblem[];
};

/** A write that was refused; the file is as it was. */
export class ConfigRefused extends Error {
  override readonly name = 'ConfigRefused';
  readonly reason: 'conflict' | 'loss' | 'unwritable' | 'broken';

  constructor(reason: ConfigRefused['reason'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/**
 * Changes the configuration file: one writer at a time over all processes, on what the file holds then, the whole result validated, the
 * old text kept in `backups/`, the new one there whole or not at all (CFG-1). Rejects with ConfigError for a result with new faults,
 * with ConfigRefused for the rest.
 */
export async function writeConfig(write: ConfigWrite): Promise<WrittenConfig> {
  const { configPath } = write.paths;
  try {
    const real = existsSync(configPath) ? realpathSync(configPath) : configPath;
    return await withFileLock(join(dirname(real), `.${basename(real)}.lock`), ({ assertHeld }) =>
      replaceConfig(write, assertHeld),
    );
  } catch (error) {
    const code = errorCode(error);
    if (code === undefined || error instanceof ConfigRefused) throw error;
    throw new ConfigRefused('unwritable', `${configPath} cannot be written: ${explainSystemError(error)}`, {
      cause: error,
    });
  }
}

function replaceConfig(write: ConfigWrite, assertHeld: () => void): WrittenConfig {
  const { paths, expected } = write;
  const before = readTextIfExists(paths.configPath);
  const revision = revisionOf(before ?? '');
  if (expected !== undefined && expected !== revision)
    throw new ConfigRefused(
      'conflict',
      `The configuration was changed meanwhile (it is ${revision}, not ${expected}).`,
    );
  const after = nextText(write, before ?? '');
  const problems = assertNoNewFault(write, before, after);
  if (after === before) return { revision, changed: [], problems };
  const changed = listChangedPaths(readLeniently(before ?? ''), readLeniently(after));
  assertNoLoss(write, before ?? '', after);
  assertWritable(paths.configPath);
  if (before !== undefined) keepBackup(paths, before);
  replaceFileAtomic(paths.configPath, after, assertHeld);
  return { revision: revisionOf(after), changed, problems };
}

function nextText(write: ConfigWrite, before: string): string {
  if ('text' in write) return write.text;
  const { configPath } = write.paths;
  try {
    return rewriteJson(before, write.change(readJson(before)));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new ConfigRefused('broken', `${configPath} cannot be changed: ${error.message}. Mend it by hand first.`);
  }
}

/** Returns the faults that were there before; throws when there are others. */
function assertNoNewFault(write: ConfigWrite, before: string | undefined, after: string): readonly FieldProblem[] {
  const old = listFaults(write, before);
  const faults = listFaults(write, after);
  const isOld = ({ path, message }: FieldProblem): boolean =>
    old.some((fault) => fault.path === path && fault.message === message);
  if (!faults.every(isOld)) throw new ConfigError(write.paths.configPath, faults);
  return faults;
}

function listFaults({ paths, env, overrides, verify }: ConfigWrite, text: string | undefined): readonly FieldProblem[] {
  try {
    const { config } = readConfig(text, paths.configPath, env, overrides);
    return verify === undefined ? [] : listVerdict(config, verify);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

function listVerdict(config: Config, verify: (config: Config) => void): FieldProblem[] {
  try {
    verify(config);
    return [];
  } catch (error) {
    return [{ path: '(config)', message: errorMessage(error) }];
  }
}

function assertNoLoss({ allowsLoss }: ConfigWrite, before: string, after: string): void {
  const loss = allowsLoss === true ? undefined : explainLoss(readLeniently(before), readLeniently(after));
  if (loss !== undefined) throw new ConfigRefused('loss', `This ${loss}; confirm it to go on.`);
}

/** Nothing of a text that is no JSON can be counted. */
function readLeniently(text: string): Record<string, unknown> {
  try {
    return readJson(text);
  } catch {
    return {};
  }
}

/** A rename would replace a file that its owner has closed against writing, and root may write to any. */
function assertWritable(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found !== undefined && (found.mode & 0o222) === 0)
    throw new ConfigRefused('unwritable', `${path} is read-only. Allow it with: chmod u+w ${path}`);
}

function explainSystemError(error: unknown): string {
  switch (errorCode(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return 'the disk is full. Make room and try again; the file is as it was.';
    case 'EROFS':
      return 'its file system is read-only.';
    case 'EBUSY':
      return 'it is mounted as a single file, which cannot be replaced. Mount its folder instead.';
    case 'EACCES':
    case 'EPERM':
      return 'its folder may not be written to. Run this as the user that the gateway runs as.';
    default:
      return errorMessage(error);
  }
}
