import { errorMessage } from '../../lib/errors.ts';
import { findInstance } from '../instance.ts';
import { checkClock } from './clock.ts';
import { checkConfiguration } from './configuration.ts';
import { checkControl } from './control.ts';
import { checkDatabase } from './database.ts';
import { checkDisk } from './disk.ts';
import { type Check, type Finding, type Scene, trouble } from './finding.ts';
import { checkHistory } from './history.ts';
import { checkLegacy } from './legacy.ts';
import { checkLocks } from './locks.ts';
import { checkPermissions } from './permissions.ts';
import { checkPort } from './port.ts';
import { checkRuntime } from './runtime.ts';
import { checkSecurity } from './security.ts';
import { checkService } from './service.ts';

/** In the order in which they are told. */
const CHECKS: Readonly<Record<string, Check>> = {
  locks: checkLocks,
  control: checkControl,
  port: checkPort,
  configuration: checkConfiguration,
  security: checkSecurity,
  permissions: checkPermissions,
  runtime: checkRuntime,
  service: checkService,
  disk: checkDisk,
  database: checkDatabase,
  history: checkHistory,
  legacy: checkLegacy,
  clock: checkClock,
};

const ANSWER_MS = 1_000;

export type DiagnosisOptions = Pick<Scene, 'paths' | 'env' | 'text' | 'language'>;

/** Looks at everything that the gateway of these paths needs, changes nothing, and never throws: a check that fails is a finding too. */
export async function diagnose(options: DiagnosisOptions): Promise<Finding[]> {
  const instance = await findInstance(options.paths, ANSWER_MS);
  const scene: Scene = { ...options, instance, now: Date.now(), uid: process.getuid?.() ?? null };
  const findings = await Promise.all(Object.entries(CHECKS).map(([area, check]) => run(area, check, scene)));
  return findings.flat();
}

async function run(area: string, check: Check, scene: Scene): Promise<Finding[]> {
  try {
    return await check(scene);
  } catch (error) {
    const values = { area, reason: errorMessage(error) };
    return [trouble(scene, { severity: 'error', code: 'check-failed', values })];
  }
}
