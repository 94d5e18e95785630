import { join } from 'node:path';
import { EXIT } from '../../lib/exit.ts';
import type { ServiceDefinition } from '../../supervisor/service/definition.ts';
import { writeServiceFiles } from '../../supervisor/service/files.ts';
import { renderDaemon } from '../../supervisor/service/launchd.ts';
import { renderSystemUnit } from '../../supervisor/service/systemd.ts';
import type { Output } from '../output.ts';
import { prepareEnvFile } from './env-file.ts';
import type { ServiceScene } from './scene.ts';

export type SystemOptions = { definition: ServiceDefinition; scene: ServiceScene; output: Output; isJson: boolean };

/**
 * Writes the service for the whole machine beside our files and says how its administrator installs it, which takes rights that
 * we do not ask for. Returns 0, and 1 where there is no such thing.
 */
export function prepareSystemService({ definition, scene, output, isJson }: SystemOptions): number {
  const plan = planSystem(definition);
  if (plan === undefined) {
    output.error(scene.text('noSystemScope'), scene.text('noManagerHint'));
    return EXIT.failure;
  }
  const { serviceDir } = scene;
  const staged = plan.files.map(({ path, content }) => {
    const own = path.startsWith(serviceDir) ? path : join(serviceDir, path.replace(/^.*\//, ''));
    return { path: own, content, target: path };
  });
  prepareEnvFile(scene);
  writeServiceFiles(staged);
  const moves = staged.filter(({ path, target }) => path !== target);
  const copies = moves.map(({ path, target }) => `sudo install -m 644 ${quoteForShell(path)} ${quoteForShell(target)}`);
  const commands = [...copies, ...plan.commands];
  if (isJson) {
    output.json({ ok: true, result: 'prepared', name: scene.name, files: staged.map(({ path }) => path), commands });
    return EXIT.ok;
  }
  output.line(scene.text('systemPrepared', { user: scene.user }));
  for (const command of commands) output.line(`   ${command}`);
  return EXIT.ok;
}

type Plan = { files: { path: string; content: string | Buffer }[]; commands: string[] };

function planSystem(definition: ServiceDefinition): Plan | undefined {
  const { name, sockets } = definition;
  if (process.platform === 'linux') {
    const units = [...(sockets.length > 0 ? [`${name}.socket`] : []), `${name}.service`].join(' ');
    const commands = ['sudo systemctl daemon-reload', `sudo systemctl enable --now ${units}`];
    return { files: renderSystemUnit(definition), commands };
  }
  if (process.platform !== 'darwin') return undefined;
  const files = renderDaemon(definition);
  return { files, commands: [`sudo launchctl bootstrap system ${files.at(-1)?.path ?? ''}`] };
}

function quoteForShell(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
