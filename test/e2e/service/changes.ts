import { strict as assert } from 'node:assert';
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import {
  copyProgram,
  expectXopc,
  property,
  run,
  runBeside,
  startClients,
  stateDir,
  status,
  unitFile,
  xopc,
} from './account.ts';

/** Everything that may be another way than it was installed is found, said by `status`, and mended by `install`. */
export async function drift(): Promise<void> {
  const codes = (): string[] => (expectFindings() as { code: string }[]).map(({ code }) => code);
  expectXopc(0, ['service', 'install', '--json']);
  assert.deepEqual(codes(), []);
  appendFileSync(join(stateDir, 'service', 'gateway.env'), 'XOPC_GATEWAY_TOKEN=another-token-0123456789abcdef\n');
  assert.deepEqual(codes(), ['token-drift']);
  assert.match(xopc(['status', '--lang', 'zh']).stdout, /令牌漂移:服务令牌.*与配置.*不一致/);
  assert.ok(!xopc(['status']).stdout.includes('another-token'));
  writeFileSync(join(stateDir, 'service', 'gateway.env'), '');
  const text = readFileSync(unitFile(), 'utf8');
  writeFileSync(unitFile(), text.replace('Restart=always', 'Restart=no'));
  assert.deepEqual(codes(), ['unit-changed']);
  const token = xopc(['token', '--show', '--yes']).stdout.trim();
  writeFileSync(
    unitFile(),
    text.replace('Restart=always', `Environment="XOPC_GATEWAY_TOKEN=${token}x"\nRestart=always`),
  );
  assert.deepEqual(codes(), ['token-exposed', 'token-drift', 'unit-changed']);
  assert.equal(expectXopc(0, ['service', 'install', '--json'])['result'], 'updated');
  assert.deepEqual(codes(), []);
  expectXopc(0, ['service', 'install', '--port', '18899', '--json']);
  assert.deepEqual(codes(), ['port-mismatch']);
  assert.equal((await status())['port'], 18_899);
  run('systemctl', '--user', 'disable', 'xopc-gateway.service');
  run('loginctl', 'disable-linger');
  assert.deepEqual(codes(), ['port-mismatch', 'not-enabled', 'linger-off']);
}

function expectFindings(): unknown {
  const { serviceFindings } = JSON.parse(xopc(['status', '--json']).stdout);
  const { findings } = JSON.parse(xopc(['service', 'status', '--json']).stdout);
  assert.deepEqual(findings, serviceFindings);
  return findings;
}

/** Another version at the same path, then at another one; then none at all. Whoever holds the socket refuses nobody. */
export async function upgrade(): Promise<void> {
  const first = join(homedir(), 'erste Version');
  const program = copyProgram(first);
  expectXopc(0, ['service', 'install', '--socket', '--json'], { program });
  const before = await status();
  rmSync(program, { recursive: true });
  copyProgram(first, '0.2.0');
  const clients = startClients(Number(before['port']));
  const restarted = await runBeside(['restart', '--wait', '--json'], program);
  assert.equal(restarted.code, 0, restarted.stdout + restarted.stderr);
  assert.equal(JSON.parse(restarted.stdout)['version'], '0.2.0');
  const after = await status();
  assert.notEqual(after['supervisorPid'], before['supervisorPid']);
  const findings = JSON.parse(xopc(['status', '--json'], { program }).stdout)['serviceFindings'];
  assert.deepEqual(
    findings.map(({ code }: { code: string }) => code),
    ['version-mismatch'],
  );
  const second = copyProgram(join(homedir(), 'zweite "Version" $HOME %n'), '0.3.0');
  const updated = await runBeside(['service', 'install', '--socket', '--json'], second);
  assert.equal(updated.code, 0, updated.stdout + updated.stderr);
  assert.equal(JSON.parse(updated.stdout)['result'], 'updated');
  const { failures, total } = await clients.stop();
  assert.ok(total > 20);
  assert.deepEqual(
    failures.filter((failure) => failure === 'ECONNREFUSED'),
    [],
  );
  assert.equal((await status())['version'], '0.3.0');
  assert.equal(run('systemd-analyze', '--user', 'verify', unitFile()).stderr, '');
  await losePrograms(second);
}

async function losePrograms(program: string): Promise<void> {
  expectXopc(0, ['stop', '--json'], { program });
  rmSync(program, { recursive: true });
  const { serviceFindings } = JSON.parse(xopc(['status', '--json']).stdout);
  assert.deepEqual(
    serviceFindings.map(({ code }: { code: string }) => code),
    ['version-mismatch', 'missing-program'],
  );
  assert.match(xopc(['service', 'start']).stderr, /gone|changed/);
  run('systemctl', '--user', 'start', 'xopc-gateway.service');
  assert.deepEqual([property('ExecMainStatus'), property('ActiveState')], ['78', 'failed']);
  expectXopc(0, ['service', 'install', '--json']);
  assert.ok(!existsSync(unitFile().replace(/service$/, 'socket')));
  await loseNode();
}

/** INST-2: the Node.js that it was installed with is removed. */
async function loseNode(): Promise<void> {
  const folder = join(homedir(), '.nvm/versions/node/v20.0.0/bin');
  mkdirSync(folder, { recursive: true });
  run('cp', process.execPath, join(folder, 'node'));
  const entry = expectEntry();
  assert.equal(run(join(folder, 'node'), entry, 'gateway', 'service', 'install', '--json').code, 0);
  assert.match(readFileSync(unitFile(), 'utf8'), /\.nvm\/versions/);
  rmSync(folder, { recursive: true });
  const { supervisorPid } = await status();
  run('systemctl', '--user', 'restart', 'xopc-gateway.service');
  const now = await status();
  assert.notEqual(now['supervisorPid'], supervisorPid);
  assert.equal(now['state'], 'running');
  assert.match(JSON.stringify(now['serviceFindings']), /missing-node/);
}

function expectEntry(): string {
  return /"([^"]+xopc\.js)"/.exec(readFileSync(unitFile(), 'utf8'))?.[1] ?? '';
}

/** Names that mean something to systemd, to a shell, or to nobody. */
export async function odd(): Promise<void> {
  const folder = join(homedir(), 'Mein Gateway %n $HOME \\x "q" 网关 ');
  mkdirSync(folder, { mode: 0o700 });
  const config = join(folder, 'xopc.json');
  writeFileSync(config, '{"gateway":{"port":18901}}', { mode: 0o600 });
  const installed = expectXopc(0, ['--config', config, 'service', 'install', '--json']);
  const name = String(installed['name']);
  assert.match(name, /^xopc-gateway-[0-9a-f]{8}$/);
  assert.equal(run('systemd-analyze', '--user', 'verify', unitFile(name)).stderr, '');
  assert.equal(run('readlink', `/proc/${installed['pid']}/cwd`).stdout, `${folder}\n`);
  assert.ok(existsSync(join(folder, 'state', 'gateway.db')));
  // Beside the usual one.
  const usual = expectXopc(0, ['service', 'install', '--json']);
  assert.notEqual(usual['pid'], installed['pid']);
  assert.deepEqual(JSON.parse(xopc(['--config', config, 'status', '--json']).stdout)['serviceFindings'], []);
  expectXopc(0, ['--config', config, 'service', 'uninstall', '--json']);
  assert.equal((await status())['state'], 'running');
}
