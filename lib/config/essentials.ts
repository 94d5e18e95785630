import { parseDuration } from '../duration.ts';
import type { Environment } from '../env.ts';
import type { WorkerOverrides } from '../ipc.ts';
import type { BindMode } from '../net.ts';
import { resolveBind } from './bind.ts';
import { applyOverrides } from './overrides.ts';
import { isRecord, readConfigSource } from './source.ts';

/** The few settings that the supervisor and the short CLI commands need. */
export type Essentials = {
  bind: { mode: BindMode; customHost?: string };
  port: number;
  authMode: string;
  /** Token or password from the environment or the file; undefined when one is generated or none is needed. */
  secret: string | undefined;
  drainTimeoutMs: number;
  allowsRestart: boolean;
  hasStandby: boolean;
  /** 0: never. */
  hangTimeoutMs: number;
  /** Undefined: decided by the memory of the machine; 0: never. */
  maxRssMb: number | undefined;
  /** 0: never. */
  crashLimit: number;
};

/**
 * Reads those settings without the schema, to keep the supervisor small. What is wrong or missing reads as its default:
 * the worker validates the whole file and its verdict decides the start.
 */
export function readEssentials(path: string, env: Environment, overrides: WorkerOverrides = {}): Essentials {
  const value = applyOverrides(readConfigSource(path, env).value, env, overrides);
  const gateway = record(value['gateway']);
  const auth = record(gateway['auth']);
  const port = gateway['port'];
  const authMode = text(auth['mode']) ?? 'token';
  const maxRssMb = gateway['maxRssMb'];
  const crashLimit = gateway['crashLimit'];
  const settings = {
    bind: text(gateway['bind']),
    host: text(gateway['host']),
    customBindHost: text(gateway['customBindHost']),
  };
  return {
    bind: resolveBind(settings) ?? { mode: 'loopback' },
    port: isCount(port) && port <= 65_535 ? port : 18_790,
    authMode,
    secret: text(authMode === 'password' ? auth['password'] : auth['token']),
    drainTimeoutMs: parseDuration(String(gateway['drainTimeout'] ?? '25s')) ?? 25_000,
    allowsRestart: record(value['commands'])['restart'] !== false,
    hasStandby: gateway['standby'] === true,
    hangTimeoutMs: parseDuration(String(gateway['hangTimeout'] ?? '15s')) ?? 15_000,
    maxRssMb: isCount(maxRssMb) ? maxRssMb : undefined,
    crashLimit: isCount(crashLimit) ? crashLimit : 5,
  };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}

function record(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
