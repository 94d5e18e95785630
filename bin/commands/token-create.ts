import { ExitError } from '../../lib/errors.ts';
import { EXIT } from '../../lib/exit.ts';
import { resolvePaths } from '../../lib/paths.ts';
import { generateToken, hashToken } from '../../lib/token.ts';
import type { CommandContext } from '../context.ts';

/**
 * `xopc gateway token create NAME`: makes a token with its own scope and shows it this once, with the entry for the configuration,
 * which holds its hash only. Writes nothing.
 */
export function createToken(
  { env, output, configFlag }: CommandContext,
  name: string,
  options: Record<string, unknown>,
): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) {
    throw new ExitError(EXIT.usage, output.text('badTokenName', { name }), { hint: output.text('badTokenNameHint') });
  }
  const token = generateToken();
  const entry = { name, hash: hashToken(token), scopes: [`operator.${String(options['scope'])}`] };
  if (options['json'] === true) {
    output.json({ ok: true, token, entry });
    return;
  }
  output.line(output.text('tokenCreated', { name }));
  output.line(token);
  output.line(output.text('tokenEntry', { path: resolvePaths(env, configFlag).configPath }));
  output.line(JSON.stringify(entry));
}
