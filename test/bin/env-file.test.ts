import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { zh } from '../../bin/messages/zh.ts';
import { startGateway, stopAll } from '../e2e/gateway.ts';
import { createHome } from '../e2e/home.ts';
import { findProcesses, readCommandLines } from '../e2e/processes.ts';
import { temporaryDirectory } from '../lib/temporary-directory.ts';
import { type CommandResult, readDocument } from './run-command.ts';

afterAll(stopAll);

const SECRET = 'canary0123456789abcdef0123456789abcdef';

function writeEnvFile(content: string, mode = 0o600): string {
  const path = join(temporaryDirectory(), 'gateway.env');
  writeFileSync(path, content, { mode });
  chmodSync(path, mode);
  return path;
}

/** Behind `--`, node leaves the option to us: it opens the file itself otherwise, and ends with 9 when there is none. */
function run(args: readonly string[], env: Record<string, string> = {}): Promise<CommandResult> {
  const home = env['HOME'] ?? temporaryDirectory();
  const program = join('dist', 'bin', 'xopc.js');
  const options = { env: { PATH: process.env['PATH'], HOME: home, ...env }, timeout: 15_000 };
  return new Promise((resolve) => {
    execFile(process.execPath, ['--', program, ...args], options, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, stdout, stderr, home });
    });
  });
}

describe('--env-file', () => {
  it('is read before everything else: where the home is, which configuration, which language', async () => {
    const home = temporaryDirectory();
    const config = join(home, 'other.json');
    writeFileSync(config, '{"gateway":{"port":4323}}');
    const file = writeEnvFile(
      `# of a service\nexport XOPC_HOME="${home}"\nXOPC_CONFIG='${config}'\nLC_ALL=zh_CN.UTF-8\n`,
    );
    for (const args of [
      ['gateway', '--env-file', file, 'status'],
      ['gateway', 'status', '--env-file', file],
    ]) {
      expect((await run(args)).stdout).toContain(zh.notRunning);
      expect(readDocument(await run([...args, '--json']))).toMatchObject({ port: 4323 });
    }
  });

  it('counts for logs and doctor too', async () => {
    const home = temporaryDirectory();
    mkdirSync(join(home, 'logs'));
    writeFileSync(join(home, 'logs', 'gateway.log'), 'a line\n');
    const file = writeEnvFile(`XOPC_HOME=${home}\n`);
    expect((await run(['gateway', 'logs', '--env-file', file])).stdout).toBe('a line\n');
    expect((await run(['gateway', '--env-file', file, 'doctor'])).stdout).toContain(join(home, 'xopc.json'));
  });

  it('gives way to what is really set', async () => {
    const [real, other] = [temporaryDirectory(), temporaryDirectory()];
    writeFileSync(join(real, 'xopc.json'), '{"gateway":{"port":4324}}');
    const file = writeEnvFile(`XOPC_HOME=${other}\n`);
    const args = ['gateway', 'status', '--json', '--env-file', file];
    expect(readDocument(await run(args, { XOPC_HOME: real }))).toMatchObject({ port: 4324 });
    expect(readDocument(await run(args, { XOPC_HOME: '' }))).toMatchObject({ port: 18_790 });
  });

  it('reaches the gateway and its worker, and is in no command line', async () => {
    const home = createHome({ gateway: { auth: { token: `\${CANARY_TOKEN}` } } });
    const file = writeEnvFile(`CANARY_TOKEN=${SECRET}\n`);
    const gateway = await startGateway({ home, args: ['--env-file', file] });
    expect((await gateway.request('/api/sessions', { token: SECRET })).status).toBe(200);
    expect((await gateway.request('/api/sessions', { token: 'another' })).status).toBe(401);
    const asked = await run(['gateway', 'status', '--json', '--env-file', file], {
      HOME: home.path,
      XOPC_HOME: home.stateDir,
    });
    expect(readDocument(asked)).toMatchObject({ running: true, healthy: true });
    expect(readCommandLines(findProcesses(home.path)).join('\n')).not.toContain(SECRET);
    await gateway.stop();
    expect(gateway.stdout() + gateway.stderr() + home.readLog()).not.toContain(SECRET);
  });

  it('of lines that are no assignments ends with 78 and names them all, never what they hold', async () => {
    const file = writeEnvFile(`A=1\n${SECRET}\nB-${SECRET}=1\nC="${SECRET}\n`);
    const { code, stdout, stderr, home } = await run(['gateway', '--env-file', file]);
    expect([code, stdout]).toEqual([78, '']);
    for (const line of [2, 3, 4]) expect(stderr).toContain(`${file}:${line}: `);
    expect(stderr).not.toContain('canary');
    expect(stderr).not.toContain(home);
    const chinese = await run(['gateway', 'status', '--lang', 'zh', '--env-file', file]);
    expect(chinese.stderr).toContain(zh.envFileNoAssignment);
    const asJson = await run(['gateway', 'status', '--json', '--env-file', file]);
    expect(readDocument(asJson)).toMatchObject({ ok: false, error: { code: 78 } });
    expect(asJson.stdout).not.toContain('canary');
  });

  it('that cannot be read ends with 2, and with what spares a service manager under one', async () => {
    const missing = join(temporaryDirectory(), 'no.env');
    const plain = await run(['gateway', '--env-file', missing]);
    expect(plain.code).toBe(2);
    expect(plain.stderr).toContain(missing);
    expect((await run(['gateway', '--env-file', temporaryDirectory()])).code).toBe(2);
    const args = ['gateway', '--env-file', missing];
    expect((await run(args, { XOPC_SERVICE_MARKER: 'systemd' })).code).toBe(78);
    expect((await run(args, { XOPC_SERVICE_MARKER: 'launchd' })).code).toBe(0);
  });

  it('that other users may open is warned about, and used', async () => {
    const home = temporaryDirectory();
    const file = writeEnvFile(`XOPC_HOME=${home}\n`, 0o644);
    const { code, stderr, stdout } = await run(['gateway', 'status', '--json', '--env-file', file]);
    expect(code).toBe(3);
    expect(stderr).toContain(`chmod 600 ${file}`);
    expect(JSON.parse(stdout)).toMatchObject({ running: false });
  });
});
