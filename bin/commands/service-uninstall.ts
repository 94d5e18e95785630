import { existsSync } from 'node:fs';
import { readEnvFile } from '../../lib/env-file.ts';
import { EXIT } from '../../lib/exit.ts';
import { removeEmptyDirectory, removeFile } from '../../lib/fs.ts';
import { envFileOf } from '../../supervisor/service/definition.ts';
import { removeServiceFiles } from '../../supervisor/service/files.ts';
import type { CommandContext } from '../context.ts';
import { findInstance } from '../instance.ts';
import { openProgress } from '../progress.ts';
import { endByPipe } from '../service/replace.ts';
import { openServiceScene, usableManager } from '../service/scene.ts';

/** `xopc gateway service uninstall`: stops it and removes all that was installed; configuration and data stay. Exit 0 also when there was none. */
export async function uninstallService(context: CommandContext, given: Record<string, unknown>): Promise<number> {
  const { output } = context;
  const isJson = given['json'] === true;
  const scene = openServiceScene(context);
  const { text, name, serviceDir } = scene;
  const manager = await usableManager(scene);
  const isInstalled = manager.read() !== undefined;
  const progress = openProgress(output, isJson);
  try {
    if (isInstalled) {
      progress.step(text('stepRemove'));
      const { paths } = scene;
      if (manager.kind === 'schtasks') await endByPipe({ scene, manager, instance: await findInstance(paths) });
      await manager.remove();
    }
    progress.end(true);
  } finally {
    progress.end(false);
  }
  removeServiceFiles(manager.render(scene.define({ hasSocket: true, scope: 'user' })));
  const kept = keptFile(envFileOf(serviceDir));
  if (kept === undefined) removeEmptyDirectory(serviceDir);
  if (isJson) {
    output.json({ ok: true, result: isInstalled ? 'uninstalled' : 'not-installed', name, kept: kept ?? null });
    return EXIT.ok;
  }
  output.headline(isInstalled ? '✅' : '⚪', text(isInstalled ? 'uninstalled' : 'notInstalled', { name }));
  if (kept !== undefined) output.line(text('envFileKept', { path: kept }));
  if (isInstalled && manager.survivesLogout() === 'yes') output.line(text('lingerKept'));
  return EXIT.ok;
}

/** A file in which somebody has written something is theirs. */
function keptFile(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  const { values, problems } = readEnvFile(path);
  if (Object.keys(values).length > 0 || problems.length > 0) return path;
  removeFile(path);
  return undefined;
}
