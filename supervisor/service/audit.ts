import { existsSync } from 'node:fs';
import type { EnvFile } from '../../lib/env-file.ts';
import { fingerprint } from '../../lib/token.ts';
import type { InstalledService, ServiceManager } from './contract.ts';
import type { ServiceDefinition } from './definition.ts';
import { isWritten } from './files.ts';

export const SERVICE_CODES = [
  'version-mismatch',
  'token-drift',
  'token-exposed',
  'missing-program',
  'missing-node',
  'port-mismatch',
  'linger-off',
  'not-enabled',
  'unit-changed',
  'unit-foreign',
] as const;

export type ServiceCode = (typeof SERVICE_CODES)[number];

/** Something about an installed service that a person should know. `values` hold no secret. */
export type ServiceFinding = {
  code: ServiceCode;
  severity: 'info' | 'warn' | 'error';
  values: Readonly<Record<string, string | number>>;
};

export type AuditOptions = {
  manager: ServiceManager;
  /** As this program would install it with what the installed one says of Node.js, program, port, bind and version. */
  expect(installed: InstalledService): ServiceDefinition;
  version: string;
  /** What the configuration says. */
  port: number;
  token: string | undefined;
  /** The variables that the service reads from its file. */
  envFile: EnvFile['values'];
};

/** Compares the installed service with what it should be. Empty when it is sound or when there is none. Reads files only. */
export async function auditService(options: AuditOptions): Promise<ServiceFinding[]> {
  const { manager } = options;
  const installed = manager.read();
  if (installed === undefined) return [];
  const { parsed } = installed;
  if (parsed === undefined) {
    return [{ code: 'unit-foreign', severity: 'error', values: { file: manager.mainFile } }];
  }
  return [
    ...judgeVersion(parsed, options),
    ...judgeProgram(parsed),
    ...judgeTokens(parsed, options),
    ...judgePort(parsed, options),
    ...judgeChange(parsed, options),
    ...(await judgeLasting(manager)),
  ];
}

function judgeVersion({ environment }: InstalledService, { version }: AuditOptions): ServiceFinding[] {
  const installed = environment['XOPC_SERVICE_VERSION'] ?? '?';
  if (installed === version) return [];
  return [{ code: 'version-mismatch', severity: 'warn', values: { installed, current: version } }];
}

function judgeProgram({ launcher, node, entry }: InstalledService): ServiceFinding[] {
  const gone = [launcher, entry].find((path) => !existsSync(path));
  if (gone !== undefined) return [{ code: 'missing-program', severity: 'error', values: { path: gone } }];
  return existsSync(node) ? [] : [{ code: 'missing-node', severity: 'warn', values: { path: node } }];
}

/** A service that was written by hand or by another program may have a copy of the token, which then is not the one that counts. */
function judgeTokens(
  { environment, args }: InstalledService,
  { manager, token, envFile }: AuditOptions,
): ServiceFinding[] {
  const flag = args.indexOf('--token');
  const exposed = environment['XOPC_GATEWAY_TOKEN'] ?? (flag < 0 ? undefined : args[flag + 1]);
  const copy = exposed ?? envFile['XOPC_GATEWAY_TOKEN'];
  const findings: ServiceFinding[] = [];
  if (exposed !== undefined) {
    findings.push({ code: 'token-exposed', severity: 'error', values: { file: manager.mainFile } });
  }
  if (copy !== undefined && token !== undefined && copy !== token) {
    const values = { service: fingerprint(copy), config: fingerprint(token) };
    findings.push({ code: 'token-drift', severity: 'warn', values });
  }
  return findings;
}

function judgePort({ args }: InstalledService, { port }: AuditOptions): ServiceFinding[] {
  const flag = args.indexOf('--port');
  const own = flag < 0 ? undefined : Number(args[flag + 1]);
  if (own === undefined || own === port) return [];
  return [{ code: 'port-mismatch', severity: 'info', values: { service: own, config: port } }];
}

/** Of another version, a difference is no wonder. */
function judgeChange(parsed: InstalledService, { manager, expect, version }: AuditOptions): ServiceFinding[] {
  if (parsed.environment['XOPC_SERVICE_VERSION'] !== version) return [];
  const changed = manager.render(expect(parsed)).find((file) => !isWritten(file));
  return changed === undefined ? [] : [{ code: 'unit-changed', severity: 'warn', values: { file: changed.path } }];
}

async function judgeLasting(manager: ServiceManager): Promise<ServiceFinding[]> {
  const findings: ServiceFinding[] = [];
  if (!(await manager.isEnabled())) findings.push({ code: 'not-enabled', severity: 'warn', values: {} });
  if (manager.survivesLogout() === 'no') findings.push({ code: 'linger-off', severity: 'warn', values: {} });
  return findings;
}
