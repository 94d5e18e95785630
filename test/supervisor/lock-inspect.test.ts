import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { acquireLock } from '../../supervisor/lock.ts';
import { inspectLock } from '../../supervisor/lock-inspect.ts';
import { parseLockRecord } from '../../supervisor/lock-record.ts';
import { readPidScope } from '../../supervisor/process-identity.ts';
import { makeTemporaryDirectory, programPath } from '../fixtures/programs.ts';
import { lockRecordText, makeOlder, pidOfDeadProcess } from './lock-samples.ts';

let directory: ReturnType<typeof makeTemporaryDirectory>;
let file: string;
let container: ChildProcess | undefined;

beforeEach(() => {
  directory = makeTemporaryDirectory();
  file = join(directory.path, 'gateway.lock');
});

afterEach(() => {
  container?.kill('SIGKILL');
  directory.remove();
});

describe('an owner in another pid namespace', () => {
  it.each([
    [0, 'held'],
    [55, 'held'],
    [-55, 'held'],
    [60, 'stale'],
    [100_000, 'stale'],
    // The clock was set back since: that the file is from the future makes it no younger.
    [-65, 'stale'],
    [-100_000, 'stale'],
  ])('whose lock was touched %i s ago is %s', async (seconds, state) => {
    writeFileSync(file, lockRecordText({ pidNamespace: 'pid:[1]', pid: pidOfDeadProcess() }));
    makeOlder(file, seconds);
    expect(await inspectLock(file)).toMatchObject({ state, owner: { pidNamespace: 'pid:[1]' } });
  });

  it('is not judged by a pid that lives here', async () => {
    writeFileSync(file, lockRecordText({ pidNamespace: 'pid:[1]', pid: process.pid }));
    makeOlder(file, 61);
    expect((await inspectLock(file)).state).toBe('stale');
  });

  it('of an earlier run of the kernel is gone, however young its lock', async () => {
    writeFileSync(file, lockRecordText({ pidNamespace: 'pid:[1]', bootId: '00000000-0000-4000-8000-000000000000' }));
    expect((await inspectLock(file)).state).toBe('stale');
  });
});

describe('an owner in our pid namespace', () => {
  it('is alive however old its lock, and dead however young', async () => {
    writeFileSync(file, lockRecordText({}));
    makeOlder(file, 100_000);
    expect(await inspectLock(file)).toMatchObject({ state: 'held', reason: 'alive' });
    writeFileSync(file, lockRecordText({ pid: pidOfDeadProcess() }));
    expect((await inspectLock(file)).state).toBe('stale');
  });
});

const unshare = findUnshare();

describe.runIf(unshare !== undefined)('two containers with one volume', () => {
  it('keep each other out while they live, and take over from one that was killed', async () => {
    const answers = startContainer();
    expect(await ask(answers, 'acquire')).toBe('won');
    const record = parseLockRecord(readFileSync(file, 'utf8'));
    expect(record?.pidNamespace).not.toBe(readPidScope().pidNamespace);
    expect(await inspectLock(file)).toMatchObject({ state: 'held', reason: 'foreign-namespace' });
    await expect(acquire()).rejects.toMatchObject({ exitCode: 75 });
    container?.kill('SIGKILL');
    // Its lock is still there, and for a while nobody can know.
    await expect(acquire()).rejects.toMatchObject({ exitCode: 75 });
    makeOlder(file, 60);
    const lock = await acquire();
    expect(lock.replaced).toMatchObject({ pid: record?.pid, pidNamespace: record?.pidNamespace });
    lock.release();
  });

  it('do so seen from inside, too', async () => {
    const answers = startContainer();
    const lock = await acquire();
    makeOlder(file, 59 * 60);
    lock.touch();
    expect(await ask(answers, 'acquire')).toBe('75');
    // As if we had been killed a minute ago.
    const then = Date.now() / 1_000 - 60;
    utimesSync(file, then, then);
    expect(await ask(answers, 'acquire')).toBe('won');
    lock.touch();
    lock.release();
    expect(parseLockRecord(readFileSync(file, 'utf8'))?.instanceId).not.toBe('outside');
  });
});

function acquire(): ReturnType<typeof acquireLock> {
  const owner = { configPath: '/etc/xopc.json', stateDir: '/var/xopc', instanceId: 'outside' };
  return acquireLock({ ...owner, file, purpose: 'instance', waitMs: 0 });
}

/** The command that starts a program in a pid namespace of its own; undefined where that is not allowed. */
function findUnshare(): readonly string[] | undefined {
  const plain = ['-p', '-f', '--kill-child', '--mount-proc'];
  return [plain, ['-U', '-r', ...plain]].find(
    (args) => spawnSync('unshare', [...args, 'true'], { stdio: 'ignore' }).status === 0,
  );
}

/** Starts a contender for the lock in a pid namespace of its own, as a container has one. */
function startContainer(): NodeJS.EventEmitter {
  const child = spawn('unshare', [...(unshare ?? []), process.execPath, programPath('lock-starter')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  container = child;
  return createInterface({ input: child.stdout });
}

async function ask(answers: NodeJS.EventEmitter, what: string): Promise<string> {
  const answer = once(answers, 'line');
  container?.stdin?.write(`${what} ${file} 0 0\n`);
  const [line] = await answer;
  return String(line);
}
