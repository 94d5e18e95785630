import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ExitError } from '../../lib/errors.ts';
import { acquireLock, inspectLock, type Lock, type LockOptions } from '../../supervisor/lock.ts';
import { readStartTime } from '../../supervisor/process-identity.ts';
import { makeTemporaryDirectory } from '../fixtures/programs.ts';
import { lockRecordText, makeOlder, pidOfDeadProcess } from './lock-samples.ts';

let directory: ReturnType<typeof makeTemporaryDirectory>;
let file: string;

beforeEach(() => {
  directory = makeTemporaryDirectory();
  file = join(directory.path, 'locks', 'gateway.lock');
});

afterEach(() => directory.remove());

describe('acquireLock', () => {
  it('writes who holds the lock, for the owner only', async () => {
    await acquire();
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
      pid: process.pid,
      configPath: '/etc/a.json',
      stateDir: '/var/xopc',
      startTime: await readStartTime(process.pid),
      phase: 'starting',
      port: null,
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(directory.path, 'locks')).mode & 0o777).toBe(0o700);
  });

  it('refuses with 75 and says who, since when, which phase and what to do', async () => {
    const lock = await acquire();
    lock.update({ phase: 'draining', port: 4_711 });
    const error = await refusal();
    expect(error.exitCode).toBe(75);
    expect(error.message).toMatch(
      new RegExp(`already running \\(PID ${process.pid}, since 20.*Z \\(0 s\\), phase draining, port 4711\\)`),
    );
    expect(error.hint).toContain('`xopc gateway stop`');
    expect(error.hint).toContain('`xopc gateway status`');
  });

  it('refuses a live owner within 3 s and gets the lock when the owner leaves before', async () => {
    const lock = await acquire();
    setTimeout(() => lock.release(), 300);
    await acquire({ waitMs: 2_500 });
    const startedAt = Date.now();
    await refusal({ waitMs: undefined });
    expect(Date.now() - startedAt).toBeGreaterThan(2_000);
    expect(Date.now() - startedAt).toBeLessThan(3_000);
  });

  it('takes over from an owner that is dead, at once', async () => {
    await acquire();
    writeFileSync(file, lockRecordText({ pid: pidOfDeadProcess() }));
    const startedAt = Date.now();
    await acquire();
    expect(Date.now() - startedAt).toBeLessThan(1_000);
  });

  it('takes over after a reboot, although the pid lives again', async () => {
    await acquire();
    const startTime = await readStartTime(process.pid);
    writeFileSync(file, lockRecordText({ startTime, bootId: '00000000-0000-4000-8000-000000000000' }));
    await acquire();
  });

  it('does not judge an owner in another pid namespace: two containers, both with pid 7', async () => {
    await acquire();
    writeFileSync(file, lockRecordText({ pid: pidOfDeadProcess(), pidNamespace: 'pid:[1]' }));
    const error = await refusal();
    expect(error.exitCode).toBe(75);
    expect(error.message).toContain('in another container');
    expect(error.hint).toContain('--force');
    await acquire({ isForced: true });
  });

  it('takes over from another pid namespace when nothing was heard from there for a minute', async () => {
    await acquire();
    writeFileSync(file, lockRecordText({ pidNamespace: 'pid:[1]', instanceId: 'of a killed container' }));
    makeOlder(file, 61);
    const lock = await acquire();
    expect(lock.replaced).toMatchObject({ instanceId: 'of a killed container' });
  });

  it('never takes a lock from a live owner, forced or not', async () => {
    await acquire();
    expect((await refusal({ isForced: true })).exitCode).toBe(75);
  });

  it('respects content that it cannot read for 2 s, then takes over', async () => {
    await acquire();
    writeFileSync(file, '{"pid":');
    expect((await refusal()).message).toContain('is being written');
    makeOlder(file, 3);
    await acquire();
  });

  it('says 78 and names the other configuration when the state directory is taken', async () => {
    await acquire({ configPath: '/etc/first.json', purpose: 'state' });
    const error = await refusal({ configPath: '/etc/second.json', purpose: 'state' });
    expect(error.exitCode).toBe(78);
    expect(error.message).toContain('/var/xopc is in use by the gateway of /etc/first.json');
    expect(error.hint).toContain('XOPC_STATE_DIR');
  });

  it('says 75 when the state directory is held by the same configuration', async () => {
    await acquire({ purpose: 'state' });
    expect((await refusal({ purpose: 'state' })).exitCode).toBe(75);
  });

  it('says 78 when the directory cannot be written', async () => {
    writeFileSync(join(directory.path, 'locks'), 'a file in the way');
    const error = await refusal();
    expect(error.exitCode).toBe(78);
    expect(error.message).toContain(file);
  });
});

describe('a lock', () => {
  it('is gone after its release, which may be repeated', async () => {
    const lock = await acquire();
    lock.release();
    lock.release();
    expect(existsSync(file)).toBe(false);
  });

  it('updates what it says', async () => {
    const lock = await acquire();
    expect(lock.update({ phase: 'running', port: 1, workerPid: 2 })).toBe(true);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ phase: 'running', port: 1, workerPid: 2 });
    lock.release();
    expect(existsSync(file)).toBe(false);
  });

  it('of a successor is neither updated nor released', async () => {
    const lock = await acquire();
    const successor = lockRecordText({ instanceId: 'successor' });
    writeFileSync(file, successor);
    expect(lock.update({ phase: 'running' })).toBe(false);
    lock.release();
    expect(readFileSync(file, 'utf8')).toBe(successor);
  });

  it('that was removed by hand is not written again', async () => {
    const lock = await acquire();
    directory.remove();
    expect(lock.update({ phase: 'running' })).toBe(false);
    expect(existsSync(file)).toBe(false);
  });
});

describe('a touch', () => {
  it('tells that the owner lives', async () => {
    const lock = await acquire();
    makeOlder(file, 100);
    lock.touch();
    expect(ageOf(file)).toBeLessThan(20);
    lock.update({ phase: 'running' });
    makeOlder(file, 100);
    lock.touch();
    expect(ageOf(file)).toBeLessThan(20);
  });

  it('leaves the lock of a successor alone', async () => {
    const lock = await acquire();
    writeFileSync(file, lockRecordText({ instanceId: 'successor' }));
    makeOlder(file, 100);
    lock.touch();
    expect(ageOf(file)).toBeGreaterThan(90);
  });

  it('neither throws nor creates anything when the lock is gone or unreadable', async () => {
    const lock = await acquire();
    lock.release();
    lock.touch();
    expect(existsSync(file)).toBe(false);
    mkdirSync(file);
    lock.touch();
  });
});

describe('who was replaced', () => {
  it('is the owner that died without releasing the lock', async () => {
    await acquire();
    writeFileSync(file, lockRecordText({ pid: pidOfDeadProcess(), instanceId: 'the dead', workerPid: 5 }));
    expect((await acquire()).replaced).toMatchObject({ instanceId: 'the dead', workerPid: 5 });
  });

  it('is nobody when the lock was free or released', async () => {
    const lock = await acquire();
    expect(lock.replaced).toBeNull();
    lock.release();
    expect((await acquire()).replaced).toBeNull();
  });
});

describe('inspectLock', () => {
  it('tells free, held and stale apart and never touches the file', async () => {
    expect(await inspectLock(file)).toEqual({ state: 'free' });
    await acquire();
    expect(await inspectLock(file)).toMatchObject({ state: 'held', reason: 'alive', owner: { pid: process.pid } });
    const stale = lockRecordText({ pid: pidOfDeadProcess(), phase: 'running' });
    writeFileSync(file, stale);
    const before = statSync(file);
    expect(await inspectLock(file)).toMatchObject({ state: 'stale', owner: { phase: 'running' } });
    expect(readFileSync(file, 'utf8')).toBe(stale);
    expect(statSync(file).ino).toBe(before.ino);
  });

  it('has no owner to name when the content is no record', async () => {
    await acquire();
    writeFileSync(file, 'x');
    expect(await inspectLock(file)).toEqual({ state: 'held', owner: null, reason: 'unreadable' });
    makeOlder(file, 3);
    expect(await inspectLock(file)).toEqual({ state: 'stale', owner: null });
  });
});

function ageOf(path: string): number {
  return (Date.now() - statSync(path).mtimeMs) / 1_000;
}

type Change = Partial<Omit<LockOptions, 'waitMs'>> & { waitMs?: number | undefined };

function acquire(change: Change = {}): Promise<Lock> {
  const options = {
    file,
    configPath: '/etc/a.json',
    stateDir: '/var/xopc',
    instanceId: 'test',
    purpose: 'instance' as const,
    waitMs: 0,
    ...change,
  };
  const { waitMs, ...rest } = options;
  return acquireLock(waitMs === undefined ? rest : { ...rest, waitMs });
}

async function refusal(change: Change = {}): Promise<ExitError> {
  const error: unknown = await acquire(change).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ExitError)) throw new Error(`Expected a refusal, got ${String(error)}`);
  return error;
}
