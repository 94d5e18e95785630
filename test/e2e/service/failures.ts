import { strict as assert } from 'node:assert';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../eventually.ts';
import { dropIn, expectXopc, nextSupervisor, property, run, stateDir, status, xopc } from './account.ts';

/** What needs a person ends the service for good, and what does not brings it back. */
export async function fail(): Promise<void> {
  await refuseConfiguration();
  await hang();
  await giveUp();
}

async function refuseConfiguration(): Promise<void> {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  writeFileSync(join(stateDir, 'xopc.json'), '{"gateway":{"auth":{"token":"short"}}}', { mode: 0o600 });
  const refused = expectXopc(1, ['service', 'install', '--json']);
  assert.match(JSON.stringify(refused['proofs']), /token/);
  assert.equal(property('ExecMainStatus'), '78');
  await sleep(6_000);
  assert.deepEqual([property('ActiveState'), property('NRestarts')], ['failed', '0']);
  assert.equal((await status())['state'], 'given-up');
  writeFileSync(join(stateDir, 'xopc.json'), '{"gateway":{}}', { mode: 0o600 });
  expectXopc(0, ['service', 'start', '--json']);
}

/** The watchdog of systemd ends a supervisor that gives no sign of life. */
async function hang(): Promise<void> {
  dropIn(['[Service]', 'WatchdogSec=2', 'RestartSec=100ms']);
  expectXopc(0, ['service', 'install', '--force', '--json']);
  const pid = Number((await status())['supervisorPid']);
  process.kill(pid, 'SIGSTOP');
  await nextSupervisor(pid);
  assert.equal(property('NRestarts'), '1');
  const log = run('journalctl', '--user', '-u', 'xopc-gateway.service', '--no-pager').stdout;
  assert.match(log, /[Ww]atchdog timeout/);
}

/** Five starts within a minute are enough; then `status` says so, and `service start` begins anew. */
async function giveUp(): Promise<void> {
  for (let round = 0; round < 8 && property('ActiveState') !== 'failed'; round += 1) {
    const pid = Number(property('MainPID'));
    if (pid > 0) process.kill(pid, 'SIGKILL');
    await eventually('the next attempt', () => {
      return property('ActiveState') === 'failed' || !['0', String(pid)].includes(property('MainPID'));
    });
  }
  assert.equal(property('ActiveState'), 'failed');
  const now = await status();
  assert.equal(now['state'], 'given-up');
  assert.match(String(now['reason']), /failed/);
  assert.match(xopc(['status']).stdout, /given up/);
  expectXopc(0, ['service', 'start', '--json']);
  assert.equal((await status())['state'], 'running');
  assert.ok(readFileSync(join(stateDir, 'logs', 'gateway.log'), 'utf8').length > 0);
}
