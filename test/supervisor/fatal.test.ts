import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ExitError } from '../../lib/errors.ts';
import { type Paths, resolvePaths } from '../../lib/paths.ts';
import { clearFatal, type Fatal, readFatal, recordFatal, writeFatal } from '../../supervisor/fatal.ts';
import { acquireInstanceLocks, stateLockFile } from '../../supervisor/instance-locks.ts';
import { acquireLock } from '../../supervisor/lock.ts';
import { temporaryDirectory } from '../lib/temporary-directory.ts';

const fatal: Fatal = { at: '2030-01-02T03:04:05.000Z', exitCode: 78, message: 'gateway.port: must be a number' };

function makePaths(): Paths {
  const paths = resolvePaths({ XOPC_HOME: temporaryDirectory() });
  mkdirSync(paths.runDir);
  return paths;
}

describe('the reason why a start needs a person', () => {
  it('is kept for the owner only, can be read, and is forgotten', () => {
    const file = join(temporaryDirectory(), 'fatal.json');
    expect(readFatal(file)).toBeUndefined();
    writeFatal(file, { ...fatal, hint: 'Correct the file.' });
    expect(readFatal(file)).toEqual({ ...fatal, hint: 'Correct the file.' });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    writeFatal(file, fatal);
    expect(readFatal(file)).toEqual(fatal);
    clearFatal(file);
    expect(existsSync(file)).toBe(false);
    clearFatal(file);
  });

  it.each([
    '',
    '{"at":',
    '[]',
    'null',
    '{"at":"x","exitCode":"78","message":"m"}',
    '{"at":1,"exitCode":78,"message":"m"}',
    '{"at":"x","exitCode":78}',
  ])('is unknown when the file holds %s', (text) => {
    const file = join(temporaryDirectory(), 'fatal.json');
    writeFileSync(file, text);
    expect(readFatal(file)).toBeUndefined();
  });
});

describe('recordFatal', () => {
  it.each([69, 76, 78])('keeps an end with %i, when it was and what to do', async (exitCode) => {
    const paths = makePaths();
    const before = Date.now();
    expect(await recordFatal(new ExitError(exitCode, 'why', { hint: 'do this' }), paths)).toBe(true);
    const kept = readFatal(paths.fatalFile);
    expect(kept).toMatchObject({ exitCode, message: 'why', hint: 'do this' });
    expect(Date.parse(kept?.at ?? '')).toBeGreaterThanOrEqual(before);
  });

  it.each([0, 1, 2, 70, 75, 130])('keeps nothing of an end with %i', async (exitCode) => {
    const paths = makePaths();
    expect(await recordFatal(new ExitError(exitCode, 'why'), paths)).toBe(false);
    expect(existsSync(paths.fatalFile)).toBe(false);
  });

  it('says nothing of a gateway that runs with this configuration, whatever a second start met', async () => {
    const paths = makePaths();
    const locks = await acquireInstanceLocks({ paths, instanceId: 'running', isForced: false });
    expect(await recordFatal(new ExitError(78, 'the file was broken since'), paths)).toBe(false);
    locks.release();
    expect(await recordFatal(new ExitError(78, 'still broken'), paths)).toBe(true);
  });

  it('says nothing in a state directory that the gateway of another configuration uses', async () => {
    const paths = makePaths();
    const lock = await acquireLock({
      file: stateLockFile(paths),
      configPath: '/another.json',
      stateDir: paths.stateDir,
      instanceId: 'running',
      purpose: 'state',
    });
    expect(await recordFatal(new ExitError(78, 'state directory in use'), paths)).toBe(false);
    expect(existsSync(paths.fatalFile)).toBe(false);
    lock.release();
  });
});
