import { existsSync } from 'node:fs';
import { ensurePrivateDirectory, writeFileAtomic } from '../../lib/fs.ts';
import { envFileOf } from '../../supervisor/service/definition.ts';
import type { ServiceScene } from './scene.ts';

/** Makes the file for variables such as the keys of model providers where there is none: a service has nothing of the shell's environment. */
export function prepareEnvFile({ serviceDir, text, paths }: ServiceScene): void {
  for (const directory of [paths.stateDir, serviceDir]) {
    if (!existsSync(directory)) ensurePrivateDirectory(directory);
  }
  const path = envFileOf(serviceDir);
  if (!existsSync(path)) writeFileAtomic(path, `# ${text('envFileHeader')}\n`);
}
