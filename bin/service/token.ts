import { readEssentials } from '../../lib/config/essentials.ts';
import { readGeneratedToken } from '../../lib/credential.ts';
import { ExitError } from '../../lib/errors.ts';
import { EXIT } from '../../lib/exit.ts';
import { ensurePrivateDirectory, writeFileAtomic } from '../../lib/fs.ts';
import { explainWeakToken } from '../../lib/token.ts';
import { readStandardInput } from '../stdin.ts';
import type { ServiceScene } from './scene.ts';

/**
 * Makes a token the one that callers must present, in the only place where it is kept (TOK-1). Returns whether that changed
 * anything. Throws an `ExitError` 2 for a weak one, and 78 when the configuration says that another credential counts.
 */
export function storeToken(token: string, scene: ServiceScene): boolean {
  const { paths, text } = scene;
  const weakness = explainWeakToken(token);
  if (weakness !== undefined)
    throw new ExitError(EXIT.usage, text('weakToken', { weakness }), { hint: text('weakTokenHint') });
  const { authMode, secret } = readEssentials(paths.configPath, scene.serviceEnv());
  if (authMode !== 'token') throw new ExitError(EXIT.config, text('tokenUnused', { mode: authMode }));
  if (secret === token) return false;
  if (secret !== undefined) {
    throw new ExitError(EXIT.config, text('tokenElsewhere', { path: paths.configPath }), {
      hint: text('tokenElsewhereHint'),
    });
  }
  if (readGeneratedToken(paths.tokenFile) === token) return false;
  ensurePrivateDirectory(paths.credentialsDir);
  writeFileAtomic(paths.tokenFile, `${token}\n`);
  return true;
}

/** What `--token` stands for: itself, or what standard input holds. */
export async function readTokenOption(value: unknown): Promise<string | undefined> {
  if (typeof value !== 'string') return undefined;
  return value === '-' ? (await readStandardInput()).trim() : value;
}
