import { type AuditSeverity, auditExposure } from '../../lib/audit/audit.ts';
import { describeAudit } from '../../lib/audit/texts.ts';
import { resolveBind } from '../../lib/config/bind.ts';
import { ConfigError, loadConfig } from '../../lib/config/load.ts';
import type { Config } from '../../lib/config/schema.ts';
import { planBind } from '../../lib/net.ts';
import { endpointOf } from '../instance.ts';
import { type Finding, fine, type Scene, type Severity } from './finding.ts';

/** What the audit of a start would find, or found at the start of the gateway that runs (SPEC 5.1). */
export function checkSecurity(scene: Scene): Finding[] {
  const config = tryLoad(scene);
  if (config === undefined) return [];
  const { gateway } = config;
  const { mode, customHost } = resolveBind(gateway) ?? { mode: 'loopback' };
  const hosts = scene.instance.status?.hosts ?? planBind(mode, customHost, scene.env).hosts;
  const { secret } = endpointOf(scene.instance, scene.paths, scene.env);
  const findings = auditExposure({ gateway, hosts, secret }).map(({ checkId, severity, values }): Finding => {
    const { title, detail, remediation } = describeAudit(checkId, values, scene.language);
    const message = scene.text('auditFinding', { title, detail });
    return { code: checkId, severity: SEVERITIES[severity], message, fix: remediation };
  });
  return findings.some(({ severity }) => severity !== 'info') ? findings : [fine(scene, 'not-exposed'), ...findings];
}

const SEVERITIES = { critical: 'error', warn: 'warn', info: 'info' } as const satisfies Record<AuditSeverity, Severity>;

/** What is wrong with the configuration is told by its own check. */
function tryLoad({ paths, env }: Scene): Config | undefined {
  try {
    return loadConfig(paths.configPath, env).config;
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}
