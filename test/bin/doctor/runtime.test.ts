import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { judgeNode, OLDEST_NODE } from '../../../bin/doctor/runtime.ts';
import { temporaryDirectory } from '../../lib/temporary-directory.ts';
import { lockRecordText } from '../../supervisor/lock-samples.ts';
import { createHome, createScene, diagnose, find, write } from './diagnosis.ts';

describe('Node.js', () => {
  it.each([
    ['20.19.0', '/usr/bin/node', ['node-supported']],
    ['24.1.0', '/opt/node/bin/node', ['node-supported']],
    ['20.18.3', '/usr/bin/node', ['node-too-old']],
    ['18.20.0', '/usr/bin/node', ['node-too-old']],
    ['22.1.0', '/home/u/.nvm/versions/node/v22.1.0/bin/node', ['node-supported', 'node-version-manager']],
    ['22.1.0', 'C:\\Users\\u\\AppData\\Roaming\\nvm\\v22.1.0\\node.exe', ['node-supported', 'node-version-manager']],
    ['22.1.0', '/home/u/.local/share/fnm/node-versions/v22/bin/node', ['node-supported', 'node-version-manager']],
    ['22.1.0', '/run/user/1/fnm_multishells/1_2/bin/node', ['node-supported', 'node-version-manager']],
    ['22.1.0', '/home/u/.volta/tools/image/node/22.1.0/bin/node', ['node-supported', 'node-version-manager']],
    ['22.1.0', '/home/u/.asdf/installs/nodejs/22.1.0/bin/node', ['node-supported', 'node-version-manager']],
    ['18.1.0', '/home/u/.nvm/versions/node/v18.1.0/bin/node', ['node-too-old', 'node-version-manager']],
  ])('%s at %s: %j', (version, path, codes) => {
    expect(judgeNode({ version, path }, createScene()).map(({ code }) => code)).toEqual(codes);
  });

  it('must be as new as package.json says', () => {
    const { engines } = JSON.parse(readFileSync('package.json', 'utf8'));
    expect(`>=${OLDEST_NODE.replace(/\.0$/, '')}`).toBe(engines.node);
  });

  it.runIf(process.platform === 'linux')('without setpriv beside it is told how workers end then', async () => {
    const { home } = createHome();
    expect((await diagnose(home)).codes).toContain('orphan-protection');
    const without = await diagnose(home, { PATH: temporaryDirectory() });
    expect(find(without, 'setpriv-missing')).toMatchObject({ severity: 'info' });
  });

  it('as PID 1 of a container is told to use an init', async () => {
    const { home, paths } = createHome();
    expect(
      (await diagnose(home, { XOPC_CONTAINER: '1' })).codes.some((code) => /^(pid-one|in-container)$/.test(code)),
    ).toBe(true);
    write(paths.lockFile, lockRecordText({ pid: 1, configPath: paths.configPath, port: 1 }));
    expect((await diagnose(home)).codes.some((code) => /^(pid-one|in-container)$/.test(code))).toBe(true);
  });
});
