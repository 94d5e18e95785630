import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Paths, resolvePaths } from '../../lib/paths.ts';
import { acquireInstanceLocks, stateLockFile } from '../../supervisor/instance-locks.ts';
import { makeTemporaryDirectory } from '../fixtures/programs.ts';
import { lockRecordText, makeOlder, pidOfDeadProcess } from './lock-samples.ts';

let directory: ReturnType<typeof makeTemporaryDirectory>;

beforeEach(() => {
  directory = makeTemporaryDirectory();
});

afterEach(() => directory.remove());

describe('acquireInstanceLocks', () => {
  it('takes the lock of the configuration and that of the state directory, and releases both', async () => {
    const paths = pathsOf('a.json', 'state');
    const locks = await acquire(paths);
    expect(JSON.parse(readFileSync(paths.lockFile, 'utf8'))).toMatchObject({ configPath: paths.configPath });
    expect(JSON.parse(readFileSync(stateLockFile(paths), 'utf8'))).toMatchObject({ configPath: paths.configPath });
    locks.release();
    expect(existsSync(paths.lockFile)).toBe(false);
    expect(existsSync(stateLockFile(paths))).toBe(false);
  });

  it('tells the phase in the lock of the configuration', async () => {
    const paths = pathsOf('a.json', 'state');
    const locks = await acquire(paths);
    expect(locks.update({ phase: 'running' })).toBe(true);
    expect(JSON.parse(readFileSync(paths.lockFile, 'utf8'))).toMatchObject({ phase: 'running' });
    locks.release();
  });

  it('touches both locks', async () => {
    const paths = pathsOf('a.json', 'state');
    const locks = await acquire(paths);
    const files = [paths.lockFile, stateLockFile(paths)];
    for (const file of files) makeOlder(file, 100);
    locks.touch();
    for (const file of files) expect(Date.now() - statSync(file).mtimeMs).toBeLessThan(20_000);
    locks.release();
    locks.touch();
    expect(files.filter((file) => existsSync(file))).toEqual([]);
  });

  it('says whom it replaced, in whichever lock that one was found', async () => {
    const paths = pathsOf('a.json', 'state');
    const locks = await acquire(paths);
    expect(locks.replaced).toBeNull();
    locks.release();
    const dead = lockRecordText({ pid: pidOfDeadProcess(), instanceId: 'the dead' });
    for (const file of [stateLockFile(paths), paths.lockFile]) {
      writeFileSync(file, dead);
      const next = await acquire(paths);
      expect(next.replaced).toMatchObject({ instanceId: 'the dead' });
      next.release();
    }
  });

  it('lets two configurations with two state directories run side by side', async () => {
    const first = await acquire(pathsOf('a.json', 'state-a'));
    const second = await acquire(pathsOf('b.json', 'state-b'));
    first.release();
    second.release();
  });

  it('refuses the second of two configurations with one state directory, and keeps no lock of it', async () => {
    const first = await acquire(pathsOf('a.json', 'state'));
    const paths = pathsOf('b.json', 'state');
    await expect(acquire(paths)).rejects.toMatchObject({
      exitCode: 78,
      message: expect.stringContaining(join(directory.path, 'a.json')),
    });
    expect(existsSync(paths.lockFile)).toBe(false);
    first.release();
  });
});

function acquire(paths: Paths): ReturnType<typeof acquireInstanceLocks> {
  return acquireInstanceLocks({ paths, instanceId: 'test', isForced: false });
}

function pathsOf(config: string, state: string): Paths {
  const env = { XOPC_HOME: directory.path, XOPC_STATE_DIR: join(directory.path, state) };
  return resolvePaths(env, join(directory.path, config));
}
