import * as v from 'valibot';
import type { Environment } from '../env.ts';
import type { FieldProblem } from '../errors.ts';
import { readTextIfExists } from '../fs.ts';
import type { WorkerOverrides } from '../ipc.ts';
import { resolveBind } from './bind.ts';
import { resolveOldSpellings } from './old-spellings.ts';
import { applyOverrides } from './overrides.ts';
import { type Config, configSchema } from './schema.ts';
import { isSecretPath } from './secrets.ts';
import { isRecord, parseConfigSource } from './source.ts';
import { findTelegramContradictions } from './telegram.ts';
import { findUnknownKeys } from './unknown-keys.ts';
import { findWebhookContradictions } from './webhook.ts';
import { findWeixinContradictions } from './weixin.ts';

export type LoadedConfig = { config: Config; warnings: FieldProblem[] };

/** Every problem of a configuration at once, each with its path, what is wrong and what is allowed. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly FieldProblem[];

  constructor(path: string, problems: readonly FieldProblem[]) {
    const lines = problems.map((problem) => `  ${problem.path}: ${problem.message}`);
    super(`The configuration ${path} cannot be used:\n${lines.join('\n')}`);
    this.problems = problems;
  }
}

/**
 * Loads the configuration: file, then environment over it, then the command line over both (SPEC 2). A missing file is
 * the defaults. Unknown keys are warnings; anything else that is wrong throws one ConfigError with all of it.
 */
export function loadConfig(path: string, env: Environment, overrides: WorkerOverrides = {}): LoadedConfig {
  return readConfig(readTextIfExists(path), path, env, overrides);
}

/** As `loadConfig`, of a text that `path` holds or is to hold; undefined is no file. */
export function readConfig(
  text: string | undefined,
  path: string,
  env: Environment,
  overrides: WorkerOverrides = {},
): LoadedConfig {
  const source = parseConfigSource(text, env);
  const spelled = resolveOldSpellings(source.value);
  const input = applyOverrides(spelled.value, env, overrides);
  const parsed = v.safeParse(configSchema, input);
  const problems = [...source.problems, ...spelled.problems];
  // A variable that is not set leaves an empty text behind, whose own faults would only confuse.
  const isKnown = ({ path: place }: FieldProblem) => source.problems.some((problem) => problem.path === place);
  if (!parsed.success) problems.push(...parsed.issues.map(describeIssue).filter((problem) => !isKnown(problem)));
  if (parsed.success) problems.push(...findMisplacedLists(input, parsed.output), ...findContradictions(parsed.output));
  if (!parsed.success || problems.length > 0) throw new ConfigError(path, problems);
  return { config: deepFreeze(parsed.output), warnings: findUnknownKeys(configSchema, spelled.value) };
}

function describeIssue(issue: v.BaseIssue<unknown>): FieldProblem {
  const path = v.getDotPath(issue) ?? '(file)';
  const message = issue.message.replace(/^Invalid \w+: /, '');
  // What was written in place of a credential may be one.
  return { path, message: isSecretPath(path.split('.')) ? message.replace(/ but received .*$/s, '') : message };
}

/** Valibot takes an array for an object without keys; what comes out then is of another kind than what went in. */
function findMisplacedLists(input: unknown, output: unknown, path = ''): FieldProblem[] {
  if (Array.isArray(input) && isRecord(output)) return [{ path, message: 'must be an object, not a list' }];
  if (!isRecord(input) || !isRecord(output)) return [];
  return Object.entries(input).flatMap(([key, item]) =>
    findMisplacedLists(item, output[key], path === '' ? key : `${path}.${key}`),
  );
}

/** What types cannot say: pairs of settings that exclude each other. */
function findContradictions({ gateway, agents, channels }: Config): FieldProblem[] {
  const problems = [
    ...findTelegramContradictions(channels.telegram),
    ...findWebhookContradictions(channels.webhook),
    ...findWeixinContradictions(channels.weixin),
  ];
  const { mode, token, password } = gateway.auth;
  if (token !== undefined && password !== undefined) {
    problems.push({ path: 'gateway.auth', message: 'token and password are both set; keep the one that mode uses' });
  }
  if (mode === 'password' && password === undefined) {
    problems.push({ path: 'gateway.auth.password', message: 'is needed by mode "password"' });
  }
  if (resolveBind(gateway) === undefined) {
    problems.push({
      path: 'gateway.bind',
      message: 'contradicts host or customBindHost, or is "custom" without customBindHost',
    });
  }
  for (const id of findRepeated(agents.list.map((agent) => agent.id))) {
    problems.push({ path: 'agents.list', message: `has the id "${id}" twice` });
  }
  for (const name of findRepeated(gateway.auth.tokens.map((item) => item.name))) {
    problems.push({ path: 'gateway.auth.tokens', message: `has the name "${name}" twice` });
  }
  if (agents.default !== undefined && agents.list.length > 0 && !agents.list.some(isDefaultOf(agents.default))) {
    problems.push({
      path: 'agents.default',
      message: `names "${agents.default}", which is no enabled entry of agents.list`,
    });
  }
  return problems;
}

function findRepeated(names: readonly string[]): Set<string> {
  return new Set(names.filter((item, index) => names.indexOf(item) !== index));
}

function isDefaultOf(id: string): (agent: Config['agents']['list'][number]) => boolean {
  return (agent) => agent.id === id && agent.enabled;
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const item of Object.values(value)) deepFreeze(item);
  return Object.freeze(value);
}
