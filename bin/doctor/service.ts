import { findServiceTroubles } from '../service/findings.ts';
import { openServiceScene } from '../service/scene.ts';
import type { Finding, Scene } from './finding.ts';

/** The service of the operating system, when one is installed. */
export async function checkService({ env, language, paths }: Scene): Promise<Finding[]> {
  return findServiceTroubles(openServiceScene({ env, output: { language }, configFlag: paths.configPath }));
}
