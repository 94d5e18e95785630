import { readJson } from '../../lib/config/edit-text.ts';
import { ConfigError, loadConfig } from '../../lib/config/load.ts';
import { parseConfigPath, readAt, setAt, unsetAt } from '../../lib/config/path.ts';
import { isSecretPath, mapSecrets } from '../../lib/config/secrets.ts';
import { ConfigRefused, type WrittenConfig, writeConfig } from '../../lib/config/write.ts';
import { ExitError } from '../../lib/errors.ts';
import { EXIT } from '../../lib/exit.ts';
import { readTextIfExists } from '../../lib/fs.ts';
import { resolvePaths } from '../../lib/paths.ts';
import type { CommandContext } from '../context.ts';
import type { Output } from '../output.ts';
import { readStandardInput } from '../stdin.ts';

type Options = Record<string, unknown>;

/** `xopc gateway config path`: where the configuration is. */
export function showConfigPath({ env, output, configFlag }: CommandContext, options: Options): void {
  const path = resolvePaths(env, configFlag).configPath;
  if (options['json'] === true) output.json({ ok: true, path });
  else output.line(path);
}

/** `xopc gateway config get [PATH]`: what the file says, credentials hidden; in full with `--show`, to a terminal only unless `--yes` is given. */
export function getConfig(
  { env, output, configFlag }: CommandContext,
  path: string | undefined,
  options: Options,
): void {
  const isShown = options['show'] === true;
  if (isShown && !output.isTerminal && options['yes'] !== true)
    throw new ExitError(EXIT.failure, output.text('configNeedsTerminal'));
  const { configPath } = resolvePaths(env, configFlag);
  const keys = path === undefined ? [] : readPath(path, output);
  const value = readAt(readFile(configPath, output), keys);
  if (value === undefined) throw new ExitError(EXIT.failure, output.text('configNotSet', { path: path ?? '' }));
  const shown = isShown ? value : mapSecrets(value, hideSecret, keys);
  if (options['json'] === true) output.json({ ok: true, value: shown });
  else output.line(typeof shown === 'string' ? shown : JSON.stringify(shown, null, 2));
}

/** `xopc gateway config set PATH VALUE`: `VALUE` is JSON, or else a text; `-` reads it from standard input. */
export async function setConfig(
  context: CommandContext,
  { path, value }: { path: string; value: string },
  options: Options,
): Promise<void> {
  const { output } = context;
  const keys = readPath(path, output);
  // What stands in a command line is seen by everybody on the machine, and kept by the shell.
  if (value !== '-' && isSecretPath(keys) && !value.includes('${') && parseValue(value) !== '')
    throw new ExitError(EXIT.usage, output.text('configSecretInArgs', { path }), {
      hint: output.text('configSecretHint'),
    });
  const text = value === '-' ? (await readStandardInput()).replace(/\r?\n$/, '') : value;
  const parsed = isSecretPath(keys) ? text : parseValue(text);
  const write = (item: unknown): Promise<WrittenConfig> =>
    change(context, (current) => setAt(current, keys, item), options);
  try {
    report(context, await write(parsed), options);
  } catch (error) {
    // A text that looks like a number, where only a text will do.
    if (!(error instanceof ConfigError) || typeof parsed === 'string') throw explain(error, output);
    report(context, await write(text).catch(() => Promise.reject(explain(error, output))), options);
  }
}

/** `xopc gateway config unset PATH`: back to the default. */
export async function unsetConfig(context: CommandContext, path: string, options: Options): Promise<void> {
  const keys = readPath(path, context.output);
  try {
    report(context, await change(context, (current) => unsetAt(current, keys), options), options);
  } catch (error) {
    throw explain(error, context.output);
  }
}

/** `xopc gateway config validate`: everything that is wrong or odd. Exit 0 when a gateway would start with it, else 78. */
export function validateConfig({ env, output, configFlag }: CommandContext, options: Options): number {
  const { configPath: path } = resolvePaths(env, configFlag);
  const { problems, warnings } = judge(path, env);
  const isValid = problems.length === 0;
  if (options['json'] === true) output.json({ ok: isValid, path, problems, warnings });
  else {
    for (const problem of problems) output.line(output.text('configProblem', problem));
    for (const warning of warnings) output.line(output.text('configWarning', warning));
    output.line(output.text(isValid ? 'configValid' : 'configInvalid', { path }));
  }
  return isValid ? EXIT.ok : EXIT.config;
}

type Judged = Pick<ReturnType<typeof loadConfig>, 'warnings'> & { problems: ConfigError['problems'] };

function judge(path: string, env: CommandContext['env']): Judged {
  try {
    return { problems: [], warnings: loadConfig(path, env).warnings };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { problems: error.problems, warnings: [] };
  }
}

function readPath(path: string, output: Output): string[] {
  const keys = parseConfigPath(path);
  if (keys === undefined) throw new ExitError(EXIT.usage, output.text('configBadPath', { path }));
  return keys;
}

function readFile(path: string, output: Output): Record<string, unknown> {
  try {
    return readJson(readTextIfExists(path) ?? '');
  } catch (error) {
    throw explain(error, output);
  }
}

function hideSecret(text: string): string {
  return text === '' || /^\$\{[^}]*\}$/.test(text) ? text : '***';
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function change(
  { env, configFlag }: CommandContext,
  edit: (current: Record<string, unknown>) => Record<string, unknown>,
  options: Options,
): Promise<WrittenConfig> {
  const paths = resolvePaths(env, configFlag);
  return writeConfig({ paths, env, change: edit, allowsLoss: options['confirmLoss'] === true });
}

function report({ output }: CommandContext, { changed, problems, revision }: WrittenConfig, options: Options): void {
  if (options['json'] === true) {
    output.json({ ok: true, changed, revision, problems });
    return;
  }
  for (const problem of problems) output.warning(output.text('configProblem', problem));
  if (changed.length === 0) output.line(output.text('configUnchanged'));
  else output.line(output.text('configWritten', { paths: changed.join(', ') }));
}

/** What a person is told, in place of a stack. */
function explain(error: unknown, output: Output): unknown {
  if (error instanceof ConfigError || error instanceof SyntaxError) return new ExitError(EXIT.config, error.message);
  if (error instanceof TypeError) return new ExitError(EXIT.usage, error.message);
  if (!(error instanceof ConfigRefused)) return error;
  const hint = error.reason === 'loss' ? { hint: output.text('configLossHint') } : {};
  return new ExitError(EXIT.failure, error.message, hint);
}
