import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, it } from 'vitest';
import { resolvePaths } from '../../lib/paths.ts';
import { writeRestartIntent } from '../../supervisor/intent.ts';
import { makeTemporaryDirectory } from '../fixtures/programs.ts';
import { fetchWorker, untilServedBy } from './http-load.ts';
import {
  isRunning,
  type LogRecord,
  type RunningSupervisor,
  startSupervisor,
  stopAll,
  until,
} from './running-supervisor.ts';
import { canMountDisk, mountSmallDisk } from './small-disk.ts';

const homes: (() => void)[] = [];

afterAll(async () => {
  await stopAll();
  for (const remove of homes) remove();
});

const PATIENCE_MS = 15_000;

// Most of these wait for something that happens each second, so they do it side by side.
describe.concurrent('a restart that our own command announced', () => {
  it('is called by its name in the log, once', async ({ expect }) => {
    const supervisor = startSupervisor();
    const { port } = await supervisor.ready(1, PATIENCE_MS);
    const { instanceId } = await supervisor.ask({ do: 'status' });
    const { restartIntentFile } = pathsOf(supervisor);
    writeRestartIntent(restartIntentFile, { pid: supervisor.pid, instanceId });
    supervisor.signal('SIGUSR1');
    await supervisor.ready(2, PATIENCE_MS);
    await untilServedBy(port, 2);
    expect(existsSync(restartIntentFile)).toBe(false);
    await until(() => phases(supervisor).at(-1) === 'running', 'it runs again');
    supervisor.signal('SIGUSR1');
    await supervisor.ready(3, PATIENCE_MS);
    expect(logged(supervisor, 'Restart requested.').map(({ reason }) => reason)).toEqual([
      'xopc gateway restart',
      'SIGUSR1',
    ]);
  });

  it('for another gateway is only a signal to this one', async ({ expect }) => {
    const supervisor = startSupervisor();
    await supervisor.ready(1, PATIENCE_MS);
    const { instanceId } = await supervisor.ask({ do: 'status' });
    const { restartIntentFile } = pathsOf(supervisor);
    writeRestartIntent(restartIntentFile, { pid: supervisor.pid + 1, instanceId });
    supervisor.signal('SIGUSR1');
    await supervisor.ready(2, PATIENCE_MS);
    expect(logged(supervisor, 'Restart requested.')).toMatchObject([{ reason: 'SIGUSR1' }]);
    expect(existsSync(restartIntentFile)).toBe(false);
  });

  it('makes the next start a planned one, also after kill -9', async ({ expect }) => {
    const first = startSupervisor();
    await first.ready(1, PATIENCE_MS);
    const { instanceId, wasPlanned } = await first.ask({ do: 'status' });
    expect(wasPlanned).toBe(false);
    writeRestartIntent(pathsOf(first).restartIntentFile, { pid: first.pid, instanceId });
    first.signal('SIGKILL');
    await first.end;
    const second = startSupervisor({ home: first.home });
    await second.ready(1, PATIENCE_MS);
    expect(await second.ask({ do: 'status' })).toMatchObject({ wasPlanned: true });
  });
});

describe.concurrent('the control socket', () => {
  it('that somebody removed does not keep the gateway from stopping', async ({ expect }) => {
    const supervisor = startSupervisor();
    await supervisor.ready(1, PATIENCE_MS);
    rmSync(pathsOf(supervisor).controlSocket);
    supervisor.signal('SIGTERM');
    expect(await supervisor.end).toMatchObject({ code: 0, refused: undefined });
  });

  it('that cannot be opened is missed in the log; signals still work', async ({ expect }) => {
    const home = makeHome();
    mkdirSync(join(home, 'run', 'control.sock'), { recursive: true });
    const supervisor = startSupervisor({ home });
    const { port } = await supervisor.ready(1, PATIENCE_MS);
    expect(logged(supervisor, 'There is no control socket')).toMatchObject([
      { level: 50, err: { message: expect.stringContaining('control.sock cannot be opened') } },
    ]);
    supervisor.signal('SIGUSR1');
    await supervisor.ready(2, PATIENCE_MS);
    await untilServedBy(port, 2);
    supervisor.signal('SIGTERM');
    expect((await supervisor.end).code).toBe(0);
  });

  it('is gone after the end, whichever it is', async ({ expect }) => {
    const supervisor = startSupervisor();
    await supervisor.ready(1, PATIENCE_MS);
    expect(existsSync(pathsOf(supervisor).controlSocket)).toBe(true);
    supervisor.setMode('exit-78');
    const { workers } = await supervisor.ask({ do: 'status' });
    process.kill(workers[0]?.pid ?? 0, 'SIGKILL');
    expect((await supervisor.end).code).toBe(78);
    expect(readdirSync(join(supervisor.home, 'run'))).toEqual(['last-exits.json']);
  });
});

describe.concurrent('the lock', () => {
  it('that somebody removed is missed in the log, and is no reason to end', async ({ expect }) => {
    const supervisor = startSupervisor();
    const { port } = await supervisor.ready(1, PATIENCE_MS);
    const { lockFile } = pathsOf(supervisor);
    await until(() => readFileSync(lockFile, 'utf8').includes('"phase":"running"'), 'it says that it runs');
    rmSync(lockFile);
    supervisor.signal('SIGUSR1');
    await supervisor.ready(2, PATIENCE_MS);
    await untilServedBy(port, 2);
    expect(logged(supervisor, 'The lock file is no longer ours').length).toBeGreaterThan(0);
    supervisor.signal('SIGTERM');
    expect((await supervisor.end).code).toBe(0);
  });

  it('says the port before any worker serves', async ({ expect }) => {
    const supervisor = startSupervisor({ mode: 'never-ready' });
    const { lockFile } = pathsOf(supervisor);
    await until(() => existsSync(lockFile) && readFileSync(lockFile, 'utf8').includes('"port":'), 'it is there');
    await until(() => Number(/"port":(\d+)/.exec(readFileSync(lockFile, 'utf8'))?.[1]) > 0, 'it says the port');
    expect(readFileSync(lockFile, 'utf8')).toContain('"phase":"starting"');
  });
});

describe.concurrent('what a start finds from before', () => {
  it('is cleared away: unfinished files and the output of workers that are gone', async ({ expect }) => {
    const home = makeHome();
    const { pid } = spawnSync('true');
    const leftovers = [
      join(home, 'locks', `.gateway.abc.lock.${pid}.deadbeef`),
      join(home, 'run', `.last-exits.json.${pid}.deadbeef`),
      join(home, 'logs', `.crash-1.log.${pid}.deadbeef`),
      join(home, 'logs', 'worker-9.stderr'),
    ];
    for (const path of leftovers) {
      mkdirSync(join(path, '..'), { recursive: true });
      writeFileSync(path, 'x');
    }
    await startSupervisor({ home }).ready(1, PATIENCE_MS);
    expect(leftovers.filter((path) => existsSync(path))).toEqual([]);
  });

  it('is forgotten once a worker serves: why an earlier start needed a person', async ({ expect }) => {
    const home = makeHome();
    mkdirSync(join(home, 'run'));
    writeFileSync(join(home, 'run', 'fatal.json'), '{}');
    await startSupervisor({ home }).ready(1, PATIENCE_MS);
    expect(existsSync(join(home, 'run', 'fatal.json'))).toBe(false);
  });

  it('may be a reason that cannot be removed: that is logged and ends nothing', async ({ expect }) => {
    const home = makeHome();
    mkdirSync(join(home, 'run', 'fatal.json'), { recursive: true });
    const supervisor = startSupervisor({ home });
    const { port } = await supervisor.ready(1, PATIENCE_MS);
    expect(await fetchWorker(port)).toMatchObject({ generation: 1 });
    expect(logged(supervisor, 'The reason why an earlier start failed cannot be removed.')).toHaveLength(1);
  });
});

describe.concurrent('a gateway that serves', () => {
  it('goes on when its configuration cannot even be looked at', async ({ expect }) => {
    const supervisor = startSupervisor();
    const { port } = await supervisor.ready(1, PATIENCE_MS);
    const { configPath } = pathsOf(supervisor);
    rmSync(configPath);
    symlinkSync('xopc.json', configPath);
    // It looks each second.
    await sleep(2_200);
    expect(await fetchWorker(port)).toMatchObject({ generation: 1 });
    supervisor.signal('SIGUSR1');
    await supervisor.ready(2, PATIENCE_MS);
    expect(logged(supervisor, 'The configuration cannot be read').length).toBeGreaterThan(0);
    supervisor.signal('SIGTERM');
    expect((await supervisor.end).code).toBe(0);
  });

  it('goes on when its folders are removed, and ends in order', async ({ expect }) => {
    const supervisor = startSupervisor();
    const { port } = await supervisor.ready(1, PATIENCE_MS);
    for (const name of ['run', 'locks']) rmSync(join(supervisor.home, name), { recursive: true });
    supervisor.signal('SIGUSR1');
    await supervisor.ready(2, PATIENCE_MS);
    await untilServedBy(port, 2);
    supervisor.signal('SIGTERM');
    expect(await supervisor.end).toMatchObject({ code: 0, refused: undefined });
    expect(supervisor.stderr()).toBe('');
  });

  it.runIf(canMountDisk())('goes on when its disk takes nothing any more, and ends in order', async ({ expect }) => {
    const disk = mountSmallDisk();
    homes.push(disk.remove);
    const home = makeHome();
    symlinkSync(disk.path, join(home, 'run'));
    const supervisor = startSupervisor({ home });
    const { port } = await supervisor.ready(1, PATIENCE_MS);
    disk.freeze();
    supervisor.signal('SIGUSR1');
    await supervisor.ready(2, PATIENCE_MS);
    await until(() => logged(supervisor, 'Worker is gone.').length > 0, 'the old worker has left');
    expect(await supervisor.ask({ do: 'status' })).toMatchObject({ phase: 'running', lastExits: [{ generation: 1 }] });
    expect(await fetchWorker(port)).toMatchObject({ generation: 2 });
    supervisor.signal('SIGTERM');
    expect(await supervisor.end).toMatchObject({ code: 0, refused: undefined });
    expect(supervisor.stderr()).toBe('');
  });

  it('keeps what a service manager says to it from its workers', async ({ expect }) => {
    const env = { NOTIFY_SOCKET: '/nowhere', WATCHDOG_USEC: '30000000', LISTEN_FDNAMES: 'a', KEPT: 'yes' };
    const supervisor = startSupervisor({ env });
    const { workerPid } = await supervisor.ready(1, PATIENCE_MS);
    const names = readFileSync(`/proc/${workerPid}/environ`, 'utf8')
      .split('\0')
      .map((line) => line.split('=')[0]);
    expect(names).toContain('KEPT');
    expect(names).toContain('XOPC_INSTANCE');
    expect(names.filter((name) => /^(NOTIFY|WATCHDOG|LISTEN)_/.test(name ?? ''))).toEqual([]);
  });
});

describe.concurrent('a fault in the supervisor itself', () => {
  it('is in the log, ends all, and leaves nothing that the next start waits for', async ({ expect }) => {
    const supervisor = startSupervisor({ args: ['--faulty'] });
    const { workerPid } = await supervisor.ready(1, PATIENCE_MS);
    expect((await supervisor.end).code).toBe(1);
    await until(() => !isRunning(workerPid), 'the worker is gone', 2_000);
    expect(logged(supervisor, 'The supervisor has a fault')).toMatchObject([
      { level: 60, err: { message: 'a fault of ours', stack: expect.stringContaining('supervisor.program') } },
    ]);
    expect(supervisor.stderr()).toContain('a fault of ours');
    expect(supervisor.locks()).toEqual([]);
    const successor = startSupervisor({ home: supervisor.home });
    await successor.ready(1, PATIENCE_MS);
    expect(await successor.ask({ do: 'status' })).toMatchObject({ phase: 'running', pid: successor.pid });
  });
});

describe.concurrent('a stop that comes early', () => {
  it.each([0, 40, 80, 120, 160])('(after %i ms) ends with 0 and leaves nothing', async (delayMs) => {
    const supervisor = startSupervisor();
    await until(() => existsSync(join(supervisor.home, 'locks')), 'it has begun');
    await sleep(delayMs);
    supervisor.signal('SIGTERM');
    const { code } = await supervisor.end;
    if (code !== 0) throw new Error(`It ended with ${code}`);
    if (supervisor.locks().length > 0) throw new Error('It left its lock');
    if (existsSync(pathsOf(supervisor).controlSocket)) throw new Error('It left its socket');
  });
});

function pathsOf({ home }: RunningSupervisor): ReturnType<typeof resolvePaths> {
  return resolvePaths({ XOPC_HOME: home, HOME: home });
}

/** A home that is there before its supervisor. */
function makeHome(): string {
  const { path, remove } = makeTemporaryDirectory();
  homes.push(remove);
  return path;
}

function logged(supervisor: RunningSupervisor, text: string): LogRecord[] {
  return supervisor.log().filter(({ msg }) => msg.startsWith(text));
}

function phases(supervisor: RunningSupervisor): unknown[] {
  return logged(supervisor, 'State changed.').map((record) => record['to']);
}
