import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { resolvePaths } from '../../lib/paths.ts';
import { temporaryDirectory } from './temporary-directory.ts';

describe('the paths of an instance', () => {
  it.each([
    [{ HOME: '/h' }, undefined, '/h/.xopc/xopc.json', '/h/.xopc', '/h/.xopc/locks'],
    [{ HOME: '/h', XOPC_HOME: '/x' }, undefined, '/x/xopc.json', '/x', '/x/locks'],
    [{ HOME: '/h', XOPC_CONFIG: '/c/my.json' }, undefined, '/c/my.json', '/c', '/h/.xopc/locks'],
    [{ HOME: '/h', XOPC_CONFIG: '/c/my.json' }, '/f/flag.json', '/f/flag.json', '/f', '/h/.xopc/locks'],
    [{ HOME: '/h', XOPC_HOME: '/x' }, '/f/flag.json', '/f/flag.json', '/f', '/x/locks'],
    [{ HOME: '/h', XOPC_STATE_DIR: '/s' }, '/f/flag.json', '/f/flag.json', '/s', '/h/.xopc/locks'],
    [{ HOME: '/h', XOPC_HOME: '/x', XOPC_STATE_DIR: '/s' }, undefined, '/x/xopc.json', '/s', '/x/locks'],
  ])('with %j and --config %s are found', (env, flag, configPath, stateDir, locksDir) => {
    expect(resolvePaths(env, flag)).toMatchObject({
      configPath,
      stateDir,
      locksDir,
      databaseFile: `${stateDir}/state/gateway.db`,
      runDir: `${stateDir}/run`,
      logFile: `${stateDir}/logs/gateway.log`,
      tokenFile: `${stateDir}/credentials/gateway-token`,
    });
  });

  it('name the lock by the configuration, as 64 hexadecimal digits', () => {
    const { lockFile } = resolvePaths({ HOME: '/h' });
    expect(lockFile).toMatch(/^\/h\/\.xopc\/locks\/gateway\.[0-9a-f]{64}\.lock$/);
    expect(resolvePaths({ HOME: '/h' }, '/other.json').lockFile).not.toBe(lockFile);
  });

  it('have one lock for every spelling of one configuration: relative, dotted, through links', () => {
    const home = temporaryDirectory();
    mkdirSync(join(home, 'real'));
    symlinkSync(join(home, 'real'), join(home, 'linked'));
    const lockOf = (path: string): string => resolvePaths({ XOPC_HOME: home }, path).lockFile;
    const spellings = ['real/c.json', 'linked/c.json', 'real/../linked/./c.json'].map((path) => join(home, path));
    spellings.push(relative(process.cwd(), join(home, 'real', 'c.json')));
    expect(new Set(spellings.map(lockOf)).size).toBe(1);
    writeFileSync(join(home, 'real', 'c.json'), '{}');
    symlinkSync(join(home, 'real', 'c.json'), join(home, 'alias.json'));
    expect(new Set([...spellings, join(home, 'alias.json')].map(lockOf)).size).toBe(1);
  });
});
