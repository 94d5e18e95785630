import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { renderLauncher, renderWindowsLauncher } from '../../../supervisor/service/launcher.ts';
import { temporaryDirectory } from '../../lib/temporary-directory.ts';
import { definitionOf } from './samples.ts';

describe.skipIf(process.platform === 'win32')('the launcher', () => {
  it('becomes the program, with its arguments as they are and its Node.js first in the PATH', () => {
    const { run, node } = scene();
    const { status, stdout } = run(node, ['a b', '$HOME', '"c"']);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ args: ['a b', '$HOME', '"c"'], first: dirname(node), isSame: true });
  });

  it('takes another Node.js when the one of the installation is gone, and says so', () => {
    const { run, home } = scene();
    const other = join(home, '.nvm/versions/node/v99.0.0/bin');
    mkdirSync(other, { recursive: true });
    symlinkSync(process.execPath, join(other, 'node'));
    const { status, stderr } = run('/gone/node', []);
    expect(status).toBe(0);
    expect(stderr).toContain('Node.js is gone: /gone/node. Using ');
  });

  it('passes over one that is too old', () => {
    const { run, home, path } = scene();
    writeFileSync(join(path, 'node'), '#!/bin/sh\nexit 1\n');
    chmodSync(join(path, 'node'), 0o755);
    const other = join(home, '.volta/bin');
    mkdirSync(other, { recursive: true });
    symlinkSync(process.execPath, join(other, 'node'));
    expect(run('/gone/node', []).stderr).not.toContain(`Using ${path}`);
  });

  it.each([
    ['systemd', 78],
    ['launchd', 0],
  ])('ends under %s with %i when the program is gone', (marker, code) => {
    const { run, node, program } = scene();
    writeFileSync(join(dirname(program), 'other.cjs'), '');
    const { status, stderr } = run(node, [], { marker, program: '/gone/xopc.js' });
    expect(status).toBe(code);
    expect(stderr).toBe('xopc: The program /gone/xopc.js is gone. Run: xopc gateway service install\n');
  });
});

describe('the launcher of Windows', () => {
  it('sets the variables, and becomes the program', () => {
    const { program, node, folder } = scene();
    const definition = definitionOf({
      entry: program,
      args: ['gateway', '--config', 'C:\\Users\\测试 user\\x "y".json'],
    });
    const file = join(folder, 'start.cjs');
    writeFileSync(file, renderWindowsLauncher(definition));
    const { stdout } = spawnSync(node, [file], { encoding: 'utf8' });
    expect(JSON.parse(stdout)).toMatchObject({ args: definition.args, isSame: true });
  });

  it('ends with 0 when the program is gone: the scheduler would start it each minute', () => {
    const file = join(temporaryDirectory(), 'start.cjs');
    writeFileSync(file, renderWindowsLauncher(definitionOf({ entry: '/gone/xopc.js' })));
    const { status, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, expect.stringContaining('/gone/xopc.js is gone')]);
  });

  it('holds the marker and the name of the task', () => {
    expect(renderWindowsLauncher(definitionOf())).toMatch(
      /"XOPC_SERVICE_MARKER": "schtasks",\n {2}"XOPC_SERVICE_NAME": "xopc-gateway"/,
    );
  });
});

type Ran = { status: number | null; stdout: string; stderr: string };
type Changes = { marker?: string; program?: string };

/** A program that says how it was started, and a home and a PATH with nothing else in them. */
function scene(): {
  home: string;
  folder: string;
  path: string;
  node: string;
  program: string;
  run(node: string, args: readonly string[], changes?: Changes): Ran;
} {
  const folder = temporaryDirectory();
  const home = join(folder, 'home');
  const path = join(folder, 'bin with blank');
  for (const directory of [home, path]) mkdirSync(directory);
  const program = join(folder, 'program.cjs');
  writeFileSync(
    program,
    `const [first] = process.env.PATH.split(':');
     console.log(JSON.stringify({ args: process.argv.slice(2), first, isSame: process.argv[1] === __filename }));`,
  );
  const launcher = join(folder, 'start.sh');
  writeFileSync(launcher, renderLauncher());
  return {
    ...{ home, folder, path, program, node: process.execPath },
    run(node, args, { marker = 'systemd', program: other = program } = {}) {
      const env = { HOME: home, PATH: `${path}:/usr/bin:/bin`, XOPC_SERVICE_MARKER: marker };
      return spawnSync('/bin/sh', [launcher, node, other, ...args], { encoding: 'utf8', env });
    },
  };
}
