import { readEssentials } from '../../lib/config/essentials.ts';
import { VERSION } from '../../lib/version.ts';
import { auditService, type ServiceCode, type ServiceFinding } from '../../supervisor/service/audit.ts';
import type { ServiceScene } from './scene.ts';

/** A finding of the audit in the caller's language. */
export type ShownFinding = { code: ServiceCode; severity: ServiceFinding['severity']; message: string; fix: string };

/** What a person should know of the installed service; empty when it is sound or when none is installed. */
export async function findServiceTroubles(scene: ServiceScene): Promise<ShownFinding[]> {
  const { manager, paths, text, user } = scene;
  if (manager === undefined) return [];
  const env = scene.serviceEnv();
  const findings = await auditService({
    ...{ manager, version: VERSION },
    expect: (installed) => scene.expect(installed),
    port: readEssentials(paths.configPath, env).port,
    token: scene.configuredToken(),
    envFile: env,
  });
  return findings.map(({ code, severity, values }) => {
    const all = { user, config: paths.configPath, ...values };
    return { code, severity, message: text(code, all), fix: text(`${code}.fix`, all) };
  });
}
