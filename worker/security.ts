import { type AuditFinding, auditExposure } from '../lib/audit/audit.ts';
import type { Config } from '../lib/config/schema.ts';
import type { Environment } from '../lib/env.ts';
import { ExitError } from '../lib/errors.ts';
import { EXIT } from '../lib/exit.ts';
import type { WorkerOverrides } from '../lib/ipc.ts';
import type { Logger } from '../lib/log.ts';
import { isLoopbackAddress } from '../lib/net.ts';
import type { Paths } from '../lib/paths.ts';
import type { Redactor } from '../lib/redact.ts';
import { resolveCredential } from './credential.ts';
import type { Credential } from './identify.ts';

export type SecurityOptions = {
  config: Config;
  env: Environment;
  overrides: WorkerOverrides;
  paths: Paths;
  /** Addresses that the worker is about to serve. */
  hosts: readonly string[];
  redactor: Redactor;
  log: Logger;
};

export type Security = { credential: Credential; findings: readonly AuditFinding[] };

/**
 * Decides, before anything is served, who may call: resolves the credential, refuses what would be open to strangers (ExitError 78),
 * and logs what the audit found.
 */
export function secureGateway({ config, env, overrides, paths, hosts, redactor, log }: SecurityOptions): Security {
  const { gateway } = config;
  const isLoopback = hosts.every(isLoopbackAddress);
  const credential = resolveCredential({ config, env, overrides, paths, isLoopback });
  const secret = credential.mode === 'none' ? undefined : credential.secret;
  redactor.add(secret);
  if (!isLoopback && gateway.corsOrigins.includes('*')) {
    throw new ExitError(EXIT.config, 'gateway.corsOrigins is "*" on an address that others can reach.', {
      hint: 'List the origins that need it, or bind to loopback.',
    });
  }
  const findings = auditExposure({ gateway, hosts, secret });
  for (const { severity, checkId, title, detail, remediation } of findings)
    log[LEVELS[severity]]({ checkId, severity, remediation }, `Security: ${title}. ${detail}`);
  return { credential, findings };
}

const LEVELS = { critical: 'error', warn: 'warn', info: 'info' } as const;
