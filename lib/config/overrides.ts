import type { Environment } from '../env.ts';
import type { WorkerOverrides } from '../ipc.ts';
import { isRecord } from './source.ts';

/** A setting that the file cannot change, and who holds it: a variable or an option of the command line. */
export type LockedSetting = { path: string; by: string };

type Override = { path: readonly string[]; by: string; value: unknown };

/** Writes the environment's and the command line's word over the file's, on a copy. */
export function applyOverrides(
  value: Record<string, unknown>,
  env: Environment,
  overrides: WorkerOverrides,
): Record<string, unknown> {
  const copy = structuredClone(value);
  for (const override of listOverrides(env, overrides)) setPath(copy, override.path, override.value);
  return copy;
}

/** The settings that are decided outside of the file now. */
export function listLockedSettings(env: Environment, overrides: WorkerOverrides): LockedSetting[] {
  return listOverrides(env, overrides).map(({ path, by }) => ({ path: path.join('.'), by }));
}

function listOverrides(env: Environment, { token, port, bind }: WorkerOverrides): Override[] {
  const all: Override[] = [
    variable(env, 'XOPC_GATEWAY_AUTH_MODE', ['gateway', 'auth', 'mode']),
    token === undefined
      ? variable(env, 'XOPC_GATEWAY_TOKEN', ['gateway', 'auth', 'token'])
      : { path: ['gateway', 'auth', 'token'], by: '--token', value: token },
    variable(env, 'XOPC_GATEWAY_PASSWORD', ['gateway', 'auth', 'password']),
    { path: ['gateway', 'port'], by: '--port', value: port },
    { path: ['gateway', 'bind'], by: '--bind', value: bind },
    variable(env, 'XOPC_LOG_LEVEL', ['logging', 'level']),
  ];
  return all.filter(({ value }) => value !== undefined);
}

function variable(env: Environment, name: string, path: readonly string[]): Override {
  return { path, by: name, value: env[name] };
}

function setPath(target: Record<string, unknown>, path: readonly string[], item: unknown): void {
  const [key, ...rest] = path;
  if (key === undefined) return;
  if (rest.length === 0) {
    target[key] = item;
    return;
  }
  const next = target[key] ?? {};
  // Something else than an object is left for the schema to refuse.
  if (!isRecord(next)) return;
  target[key] = next;
  setPath(next, rest, item);
}
