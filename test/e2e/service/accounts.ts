import { strict as assert } from 'node:assert';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../eventually.ts';
import { expectXopc, run, status, xopc } from './account.ts';
import { PLACE } from './machine.ts';

/** Without polkit nobody may let their services live on: then it runs, and what to do is said. */
export async function lingerRefused(): Promise<void> {
  const installed = expectXopc(1, ['service', 'install', '--json']);
  const proofs = installed['proofs'] as { check: string; result: string; fix?: string }[];
  assert.deepEqual(
    proofs.filter(({ result }) => result === 'no').map(({ check }) => check),
    ['logout', 'reboot'],
  );
  assert.match(String(proofs.find(({ check }) => check === 'logout')?.fix), /sudo loginctl enable-linger tester/);
  assert.equal((await status())['state'], 'running');
  assert.match(xopc(['status', '--lang', 'zh']).stdout, /linger 未启用/);
}

/** The first boot installs; at the second one it must be there before anybody logs in, which the machine's own root looks at. */
export async function reboot(): Promise<number> {
  if (process.env['WITH_SYSTEMD_BOOT'] === '1') {
    expectXopc(0, ['service', 'install', '--json']);
    return 133;
  }
  assert.match(readFileSync(join(homedir(), 'before-login'), 'utf8'), /"status":"healthy"|"ok":true|healthy/);
  assert.equal((await status())['state'], 'running');
  return 0;
}

/** As root: an account that nobody is logged in as, reached by su, as on a fresh server. */
export async function withoutLogIn(): Promise<void> {
  run('useradd', '--create-home', '--shell', '/bin/sh', 'gate');
  const program = join(PLACE, 'dist/bin/xopc.js');
  const asGate = (...args: string[]): ReturnType<typeof run> =>
    run(
      'setpriv',
      '--reuid=gate',
      '--regid=gate',
      '--init-groups',
      'env',
      '-i',
      'PATH=/usr/bin:/bin',
      'HOME=/home/gate',
      process.execPath,
      program,
      'gateway',
      ...args,
    );
  const refused = asGate('service', 'install');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /sudo loginctl enable-linger gate[\s\S]*--system[\s\S]*foreground/);
  assert.equal(run('loginctl', 'enable-linger', 'gate').code, 0);
  const uid = run('id', '-u', 'gate').stdout.trim();
  await eventually('the bus of the user', () => existsSync(`/run/user/${uid}/bus`));
  const installed = asGate('service', 'install');
  assert.equal(installed.code, 0, installed.stdout + installed.stderr);
  assert.equal(run('loginctl', 'list-sessions', '--no-legend').stdout.includes('gate'), false);
  assert.equal(asGate('service', 'uninstall').code, 0);
  await wholeMachine(asGate);
}

/** The service of the machine runs as that account, with what the administrator is told to type. */
async function wholeMachine(asGate: (...args: string[]) => ReturnType<typeof run>): Promise<void> {
  const { commands } = JSON.parse(asGate('service', 'install', '--system', '--json').stdout);
  for (const command of commands) {
    const ran = run('sh', '-c', String(command).replace(/^sudo /, ''));
    assert.equal(ran.code, 0, `${command}: ${ran.stderr}`);
  }
  const verified = run('systemd-analyze', 'verify', '/etc/systemd/system/xopc-gateway.service');
  assert.equal(verified.stderr, '');
  await eventually('the gateway', () => JSON.parse(asGate('status', '--json').stdout).state === 'running');
  const { supervisorPid } = JSON.parse(asGate('status', '--json').stdout);
  assert.equal(run('stat', '-c', '%U', `/proc/${supervisorPid}`).stdout.trim(), 'gate');
  assert.match(asGate('stop').stderr, /sudo systemctl stop xopc-gateway\.service/);
}
