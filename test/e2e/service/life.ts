import { strict as assert } from 'node:assert';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../eventually.ts';
import {
  expectXopc,
  isGone,
  nextSupervisor,
  property,
  run,
  runBeside,
  startClients,
  stateDir,
  status,
  unitFile,
  xopc,
} from './account.ts';

const TOKEN = 'canary-0123456789abcdef0123456789abcdef';
/** Longer than `RestartSec=`. */
const RESTART_MS = 6_000;

/** From the first install to the last trace, with everything in between that kills a process. */
export async function live(): Promise<void> {
  const installed = expectXopc(0, ['service', 'install', '--token', '-', '--json'], { input: `${TOKEN}\n` });
  assert.equal(installed['result'], 'installed');
  const proofs = installed['proofs'] as { check: string; result: string }[];
  assert.deepEqual(
    proofs.map(({ check, result }) => `${check} ${result}`),
    ['installed', 'running', 'healthy', 'enabled', 'logout', 'reboot', 'node', 'secret'].map((check) => `${check} yes`),
  );
  judgeUnit();
  judgeSecrets();
  const supervisor = Number(installed['pid']);
  const again = expectXopc(0, ['service', 'install', '--json']);
  assert.deepEqual([again['result'], again['pid']], ['already-installed', supervisor]);
  assert.equal(xopc(['token', '--show', '--yes']).stdout.trim(), TOKEN);
  await killWorker(supervisor);
  const second = await killSupervisor(supervisor);
  await restartUnderLoad();
  await reload(second);
  await stopAndStay();
  uninstall();
}

function judgeUnit(): void {
  const { stdout, stderr, code } = run('systemd-analyze', '--user', 'verify', unitFile());
  assert.deepEqual({ stdout, stderr, code }, { stdout: '', stderr: '', code: 0 });
  assert.equal(run('systemctl', '--user', 'is-enabled', 'xopc-gateway.service').stdout.trim(), 'enabled');
  assert.equal(property('ActiveState'), 'active');
  assert.equal(property('NeedDaemonReload'), 'no');
}

/** TOK-1: neither in the unit, nor where every user of the machine can look at processes. */
function judgeSecrets(): void {
  assert.ok(!readFileSync(unitFile(), 'utf8').includes(TOKEN));
  const own = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  for (const pid of own) {
    for (const file of ['cmdline', 'environ']) {
      const text = run('cat', `/proc/${pid}/${file}`).stdout;
      assert.ok(!text.includes(TOKEN), `the token is in ${file} of ${pid}`);
    }
  }
}

async function killWorker(supervisor: number): Promise<void> {
  const { workerPid } = await status();
  process.kill(Number(workerPid), 'SIGKILL');
  await eventually('another worker', async () => {
    const now = await status();
    return now['healthy'] === true && now['workerPid'] !== workerPid && now['workerPid'] !== null;
  });
  assert.equal((await status())['supervisorPid'], supervisor);
  assert.equal(property('NRestarts'), '0');
}

async function killSupervisor(pid: number): Promise<number> {
  const { workerPid } = await status();
  process.kill(pid, 'SIGKILL');
  const next = await nextSupervisor(pid);
  assert.ok(isGone(Number(workerPid)));
  assert.equal(property('NRestarts'), '1');
  assert.equal(property('MainPID'), String(next));
  return next;
}

async function restartUnderLoad(): Promise<void> {
  const before = await status();
  const clients = startClients(Number(before['port']));
  const { code, stdout, stderr } = await runBeside(['restart', '--wait', '--json']);
  assert.equal(code, 0, stdout + stderr);
  const { total, failures } = await clients.stop();
  assert.deepEqual(failures, []);
  assert.ok(total > 20, `only ${total} requests`);
  const after = await status();
  assert.equal(after['supervisorPid'], before['supervisorPid']);
  assert.notEqual(after['workerPid'], before['workerPid']);
  assert.ok(!existsSync(join(stateDir, 'run', 'restart-intent.json')));
  assert.equal(property('NRestarts'), '1');
}

/** `ExecReload=` does the same. */
async function reload(supervisor: number): Promise<void> {
  const { workerPid } = await status();
  assert.equal(run('systemctl', '--user', 'reload', 'xopc-gateway.service').code, 0);
  await eventually('another worker', async () => {
    const now = await status();
    return now['healthy'] === true && now['workerPid'] !== workerPid;
  });
  assert.equal((await status())['supervisorPid'], supervisor);
}

async function stopAndStay(): Promise<void> {
  expectXopc(0, ['stop', '--json']);
  await sleep(RESTART_MS);
  assert.equal((await status())['running'], false);
  assert.equal(property('ActiveState'), 'inactive');
  assert.match(xopc(['logs', '-n', '200']).stdout, /State changed/);
  expectXopc(0, ['service', 'start', '--json']);
  assert.deepEqual(expectXopc(0, ['stop', '--disable', '--json'])['disabled'], true);
  await sleep(RESTART_MS);
  assert.equal((await status())['running'], false);
  assert.equal(expectXopc(3, ['service', 'status', '--json'])['enabled'], false);
  expectXopc(0, ['service', 'start', '--json']);
  assert.equal(expectXopc(0, ['service', 'status', '--json'])['enabled'], true);
}

function uninstall(): void {
  assert.equal(expectXopc(0, ['service', 'uninstall', '--json'])['result'], 'uninstalled');
  assert.equal(expectXopc(0, ['service', 'uninstall', '--json'])['result'], 'not-installed');
  assert.equal(run('systemctl', '--user', 'list-unit-files', 'xopc*').stdout.includes('xopc'), false);
  assert.equal(property('LoadState'), 'not-found');
  assert.equal(run('find', join(unitFile(), '..'), '-name', '*xopc*').stdout, '');
  assert.ok(!existsSync(join(stateDir, 'service')));
  assert.ok(existsSync(join(stateDir, 'xopc.json')));
}
