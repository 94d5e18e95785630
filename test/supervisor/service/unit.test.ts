import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ExitError } from '../../../lib/errors.ts';
import {
  findServiceUnit,
  isUnitLoaded,
  parseCgroup,
  parseExecPid,
  type ServiceUnit,
  stopUnit,
} from '../../../supervisor/service/unit.ts';
import { temporaryDirectory } from '../../lib/temporary-directory.ts';

const own: ServiceUnit = { manager: 'systemd', unit: 'xopc-gateway.service', scope: 'user' };
const USER = '/user.slice/user-1000.slice/user@1000.service';

describe('parseCgroup', () => {
  it.each([
    ['a user unit', `0::${USER}/app.slice/xopc-gateway.service\n`, 'user xopc-gateway.service'],
    ['a user unit in no slice', `0::${USER}/xopc-gateway.service\n`, 'user xopc-gateway.service'],
    ['a user unit in nested slices', `0::${USER}/app.slice/app-my.slice/my.service\n`, 'user my.service'],
    ['a group of its own below the unit', `0::${USER}/app.slice/my.service/worker.scope\n`, 'user my.service'],
    ['an instance', `0::${USER}/app.slice/gateway@a\\x2db.service\n`, 'user gateway@a\\x2db.service'],
    ['a name that the kernel could mistake', `0::${USER}/app.slice/_cpu.service\n`, 'user cpu.service'],
    ['a system unit', '0::/system.slice/xopc-gateway.service\n', 'system xopc-gateway.service'],
    ['an instance with its slice', '0::/system.slice/system-xopc.slice/xopc@a.service\n', 'system xopc@a.service'],
    [
      'cgroups of version 1',
      `12:pids:/user.slice/user-1000.slice\n4:cpu,cpuacct:/\n1:name=systemd:${USER}/xopc-gateway.service\n`,
      'user xopc-gateway.service',
    ],
    [
      'both versions',
      '3:cpu:/somewhere.service\n1:name=systemd:/system.slice/x.service\n0::/system.slice/x.service\n',
      'system x.service',
    ],
    [
      'version 2 beside an unused version 1',
      `9:name=systemd:/\n1:cpu:/\n0::${USER}/app.slice/x.service\n`,
      'user x.service',
    ],
    ['version 1 beside an unused version 2', `1:name=systemd:${USER}/x.service\n0::/\n`, 'user x.service'],
  ])('finds %s', (_what, text, expected) => {
    const unit = parseCgroup(text);
    expect(`${unit?.scope} ${unit?.unit}`).toBe(expected);
    expect(unit?.manager).toBe('systemd');
  });

  it.each([
    ['a log-in', '0::/user.slice/user-1000.slice/session-3.scope\n'],
    ['the user manager itself', `0::${USER}/init.scope\n`],
    ['a user manager without a group below', `0::${USER}\n`],
    ['a terminal of a desktop', `0::${USER}/app.slice/app-org.gnome.Terminal.slice/vte-spawn-1.scope\n`],
    ['a container of docker', '0::/system.slice/docker-0123456789ab.scope\n'],
    ['a container of docker without systemd', '0::/docker/0123456789ab/x.service\n'],
    ['a pod', '0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-1.scope\n'],
    ['a group namespace', '0::/\n'],
    ['a group outside of the namespace', '0::/../x\n'],
    ['PID 1', '0::/init.scope\n'],
    ['a slice only', '0::/system.slice\n'],
    ['a timer', '0::/system.slice/x.timer\n'],
    ['version 1 without systemd', '4:cpu,cpuacct:/x.service\n'],
    ['nothing', ''],
  ])('finds no service for %s', (_what, text) => {
    expect(parseCgroup(text)).toBeUndefined();
  });
});

describe('parseExecPid', () => {
  it.each([
    ['SYSTEMD_EXEC_PID=42', 42],
    ['PATH=/bin\0SYSTEMD_EXEC_PID=42\0HOME=/root\0', 42],
    ['MY_SYSTEMD_EXEC_PID=42\0', undefined],
    ['TEXT=\nSYSTEMD_EXEC_PID=42\0', undefined],
    ['SYSTEMD_EXEC_PID=\0', undefined],
    ['SYSTEMD_EXEC_PID=4x\0', undefined],
    ['', undefined],
  ])('of %j is %s', (environ, expected) => {
    expect(parseExecPid(environ)).toBe(expected);
  });
});

describe('findServiceUnit', () => {
  it('finds none for a process that systemd did not start, wherever that runs', async () => {
    expect(await findServiceUnit(process.pid, { PATH: process.env['PATH'] })).toBeUndefined();
  });

  it('finds none for a process that is gone', async () => {
    expect(await findServiceUnit(2 ** 30, { PATH: process.env['PATH'] })).toBeUndefined();
  });
});

describe.skipIf(process.platform === 'win32')('stopUnit', () => {
  it('asks the manager of the user', async () => {
    const { env, calls } = fakeSystemctl();
    await stopUnit(own, { env, disable: false });
    expect(calls().at(-1)).toBe('--no-pager --no-ask-password --user stop xopc-gateway.service');
  });

  it('asks the manager of the system', async () => {
    const { env, calls } = fakeSystemctl();
    await stopUnit({ ...own, scope: 'system' }, { env, disable: false });
    expect(calls().at(-1)).toBe('--no-pager --no-ask-password stop xopc-gateway.service');
  });

  it('disables and stops in one step', async () => {
    const { env, calls } = fakeSystemctl();
    await stopUnit(own, { env, disable: true });
    expect(calls().at(-1)).toContain('disable --now xopc-gateway.service');
  });

  it('stops the sockets first that would start it again, and no timers', async () => {
    const { env, calls } = fakeSystemctl(
      'case "$*" in *TriggeredBy*) echo "xopc-a.socket x.timer xopc-b.socket";; esac',
    );
    await stopUnit(own, { env, disable: false });
    expect(calls().at(-1)).toContain('stop xopc-a.socket xopc-b.socket xopc-gateway.service');
  });

  it.each([
    [undefined, `/run/user/${process.getuid?.()}`],
    ['/elsewhere', '/elsewhere'],
  ])('with XDG_RUNTIME_DIR %s looks for the manager in %s', async (given, expected) => {
    const { env, file } = fakeSystemctl('echo "$XDG_RUNTIME_DIR $LC_ALL" > "$0.env"');
    await stopUnit(own, { env: given === undefined ? env : { ...env, XDG_RUNTIME_DIR: given }, disable: false });
    expect(readFileSync(`${file}.env`, 'utf8')).toBe(`${expected} C\n`);
  });

  it.each([
    ['user', 'Run it by hand: systemctl --user stop xopc-gateway.service'],
    ['system', 'Run it by hand: sudo systemctl stop xopc-gateway.service'],
  ] as const)('passes on why the manager of the %s refuses, and what to do', async (scope, hint) => {
    const { env } = fakeSystemctl('echo "Failed to connect to bus: No medium found" >&2; echo "more" >&2; exit 1');
    expect(await refusal({ ...own, scope }, env)).toMatchObject({
      exitCode: 1,
      message: 'systemd did not stop xopc-gateway.service: Failed to connect to bus: No medium found',
      hint,
    });
  });

  it('says so when there is no systemctl', async () => {
    const error = await refusal(own, { PATH: temporaryDirectory() });
    expect(error.message).toContain('systemctl');
    expect(error.message).toContain('ENOENT');
  });

  it('does not wait longer than it is told to', async () => {
    const { env } = fakeSystemctl('case "$*" in *show*) ;; *) exec sleep 60;; esac');
    expect((await refusal(own, env, 200)).message).toContain('no end within 0.2 s');
  });
});

describe.skipIf(process.platform === 'win32')('isUnitLoaded', () => {
  it.each([
    ['echo loaded', true],
    ['echo not-found', false],
    ['echo masked', false],
    ['echo loaded; exit 1', false],
  ])('of an answer by `%s` is %s', async (script, expected) => {
    const { env, calls } = fakeSystemctl(script);
    expect(await isUnitLoaded(own, env)).toBe(expected);
    expect(calls()).toEqual([
      '--no-pager --no-ask-password --user show --value --property=LoadState xopc-gateway.service',
    ]);
  });

  it('is false where there is no systemd', async () => {
    expect(await isUnitLoaded(own, { PATH: temporaryDirectory() })).toBe(false);
  });
});

/** A systemctl of our own, which writes down how it was called and then does this. */
function fakeSystemctl(script = ''): { env: { PATH: string }; file: string; calls(): string[] } {
  const directory = temporaryDirectory();
  const file = join(directory, 'systemctl');
  writeFileSync(file, `#!/bin/sh\necho "$*" >> "$0.calls"\n${script}\n`);
  chmodSync(file, 0o755);
  return {
    env: { PATH: `${directory}:${process.env['PATH']}` },
    file,
    calls: () => (existsSync(`${file}.calls`) ? readFileSync(`${file}.calls`, 'utf8').trim().split('\n') : []),
  };
}

async function refusal(unit: ServiceUnit, env: { PATH: string }, timeoutMs?: number): Promise<ExitError> {
  const options = { env, disable: false, ...(timeoutMs === undefined ? {} : { timeoutMs }) };
  const error: unknown = await stopUnit(unit, options).catch((reason: unknown) => reason);
  if (!(error instanceof ExitError)) throw new Error(`Expected a refusal, got ${String(error)}`);
  return error;
}
