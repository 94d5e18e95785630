import { existsSync } from 'node:fs';
import { ConfigError, loadConfig } from '../../lib/config/load.ts';
import { errorMessage, type FieldProblem } from '../../lib/errors.ts';
import { type Finding, fine, type Scene, trouble } from './finding.ts';

/** Every problem of the configuration and every key that nobody knows, as a start would judge them. */
export function checkConfiguration(scene: Scene): Finding[] {
  const { env, paths } = scene;
  const path = paths.configPath;
  if (!existsSync(path)) return [trouble(scene, { severity: 'info', code: 'config-missing', values: { path } })];
  try {
    const unknown = loadConfig(path, env).warnings.map(({ path: key, message: problem }) =>
      trouble(scene, { severity: 'warn', code: 'config-unknown-key', values: { key, problem, path } }),
    );
    return [fine(scene, 'config-valid', { path }), ...unknown];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map((problem) => describe(problem, scene));
    const values = { path, reason: errorMessage(error) };
    return [trouble(scene, { severity: 'error', code: 'config-unreadable', values })];
  }
}

function describe({ path: key, message }: FieldProblem, scene: Scene): Finding {
  // What a person sends to others for help must not hold a token that was written without its quotes.
  const problem = SECRET_KEY.test(key) ? message.replace(/ but received .*$/s, '') : message;
  const values = { key, problem, path: scene.paths.configPath };
  return trouble(scene, { severity: 'error', code: 'config-invalid', values });
}

const SECRET_KEY = /token|password|secret|key|providers|headers/i;
