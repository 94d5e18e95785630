import { linkSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorCode } from './errors.ts';
import { createSyncedFile, ensurePrivateDirectory, readTextIfExists, removeFile } from './fs.ts';
import { generateToken } from './token.ts';

/** The generated token of this instance, or undefined before the first start. */
export function readGeneratedToken(tokenFile: string): string | undefined {
  return readTextIfExists(tokenFile)?.trim();
}

/**
 * The generated token, made on the first call. It is on disk before anyone can present it (TOK-3), and of two processes
 * that make one together the first wins for both.
 */
export function ensureGeneratedToken(tokenFile: string): string {
  const existing = readGeneratedToken(tokenFile);
  if (existing !== undefined && existing !== '') return existing;
  ensurePrivateDirectory(dirname(tokenFile));
  if (existing === '') removeFile(tokenFile);
  const temporary = createSyncedFile(tokenFile, `${generateToken()}\n`);
  try {
    linkSync(temporary, tokenFile);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  } finally {
    removeFile(temporary);
  }
  const token = readGeneratedToken(tokenFile);
  if (token === undefined || token === '') throw new Error(`The token file ${tokenFile} is empty`);
  return token;
}
