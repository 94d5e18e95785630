import { findLegacyPidFiles, type LegacyPidFile } from '../legacy.ts';
import { type Finding, type Scene, trouble } from './finding.ts';

/** What the older background mode left behind (manual, "Migration"). */
export async function checkLegacy(scene: Scene): Promise<Finding[]> {
  return (await findLegacyPidFiles(scene.paths)).map((file) => describe(file, scene));
}

function describe({ path, pid, isRunning }: LegacyPidFile, scene: Scene): Finding {
  const values = { path, pid: pid ?? '?' };
  return trouble(scene, { severity: 'warn', code: isRunning ? 'legacy-running' : 'legacy-pid-file', values });
}
