import type { Environment } from '../env.ts';
import type { WorkerOverrides } from '../ipc.ts';
import { isRecord } from './source.ts';

/** Writes the environment's and the command line's word over the file's, on a copy. */
export function applyOverrides(
  value: Record<string, unknown>,
  env: Environment,
  overrides: WorkerOverrides,
): Record<string, unknown> {
  const copy = structuredClone(value);
  const set = (path: readonly string[], item: unknown): void => {
    if (item !== undefined) setPath(copy, path, item);
  };
  set(['gateway', 'auth', 'mode'], env['XOPC_GATEWAY_AUTH_MODE']);
  set(['gateway', 'auth', 'token'], overrides.token ?? env['XOPC_GATEWAY_TOKEN']);
  set(['gateway', 'auth', 'password'], env['XOPC_GATEWAY_PASSWORD']);
  set(['gateway', 'port'], overrides.port);
  set(['gateway', 'bind'], overrides.bind);
  set(['logging', 'level'], env['XOPC_LOG_LEVEL']);
  return copy;
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
