import { ExitError } from '../../lib/errors.ts';
import { EXIT } from '../../lib/exit.ts';
import { resolvePaths } from '../../lib/paths.ts';
import { maskSecret } from '../../lib/token.ts';
import type { CommandContext } from '../context.ts';
import { endpointOf, findInstance } from '../instance.ts';

/**
 * `xopc gateway token`: the masked token; in full with `--show`, to a terminal only unless `--yes` is given. It is the one that the
 * running gateway asks for, else the one that the next start will.
 */
export async function showToken(
  { env, output, configFlag }: CommandContext,
  options: Record<string, unknown>,
): Promise<number> {
  const paths = resolvePaths(env, configFlag);
  const { authMode, secret: token } = endpointOf(await findInstance(paths), paths, env);
  if (authMode !== 'token') throw new ExitError(EXIT.failure, output.text('tokenNotUsed', { mode: authMode }));
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
