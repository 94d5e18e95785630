import { readEssentials } from '../../lib/config/essentials.ts';
import { readGeneratedToken } from '../../lib/credential.ts';
import { ExitError } from '../../lib/errors.ts';
import { EXIT } from '../../lib/exit.ts';
import { resolvePaths } from '../../lib/paths.ts';
import { maskSecret } from '../../lib/token.ts';
import type { CommandContext } from '../context.ts';

/** `xopc gateway token`: the masked token; in full with `--show`, to a terminal only unless `--yes` is given. */
export function showToken({ env, output, configFlag }: CommandContext, options: Record<string, unknown>): number {
  const paths = resolvePaths(env, configFlag);
  const { authMode, secret } = readEssentials(paths.configPath, env);
  if (authMode !== 'token') throw new ExitError(EXIT.failure, output.text('tokenNotUsed', { mode: authMode }));
  const token = secret ?? readGeneratedToken(paths.tokenFile);
  if (token === undefined)
    throw new ExitError(EXIT.failure, output.text('noToken'), { hint: output.text('startHint') });
  const isShown = options['show'] === true;
  if (isShown && !output.isTerminal && options['yes'] !== true)
    throw new ExitError(EXIT.failure, output.text('tokenNeedsTerminal'));
  const text = isShown ? token : maskSecret(token);
  if (options['json'] === true) output.json({ ok: true, token: text, masked: !isShown });
  else output.line(text);
  if (!isShown && output.isTerminal) output.line(output.text('tokenHidden'));
  return EXIT.ok;
}
