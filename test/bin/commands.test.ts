import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { zh } from '../../bin/messages/zh.ts';
import { temporaryDirectory } from '../lib/temporary-directory.ts';
import { readDocument, runCommand } from './run-command.ts';

describe('a command line that is not understood', () => {
  it.each([
    [['gateway', '--prot', '1'], '(Did you mean --port?)'],
    [['gateway', 'status', '--jsn'], '(Did you mean --json?)'],
    [['gateway', 'restart', '--wat'], '(Did you mean --wait?)'],
    [['gateway', 'restart', '--wait', '5s', 'extra'], 'argument'],
    [['gateway', 'stop', '--disabel'], '(Did you mean --disable?)'],
    [['gatway'], '(Did you mean gateway?)'],
    [['gateway', 'satus'], 'gateway'],
    [['gateway', '--bind', 'everywhere'], 'loopback'],
    [['gateway', 'pairing', 'approve'], 'code'],
    [['gateway', 'status', 'extra'], 'argument'],
    [['--lang', 'fr', 'gateway', 'status'], 'en'],
  ])('ends with 2 and a hint, and starts nothing: %j', async (args, hint) => {
    const { code, stdout, stderr, home } = await runCommand(args);
    expect(code).toBe(2);
    expect(stderr).toContain(hint);
    expect(stdout).toBe('');
    expect(readdirSync(home)).toEqual([]);
  });

  it.each(['abc', '99999', '-1', '1.5', ''])('ends with 2 for the port "%s", and starts nothing', async (port) => {
    const { code, stderr, home } = await runCommand(['gateway', `--port=${port}`]);
    expect(code).toBe(2);
    expect(stderr).toContain(`"${port}" is no port`);
    expect(readdirSync(home)).toEqual([]);
  });

  it('ends with 2 for a duration that is none', async () => {
    const { code, stderr } = await runCommand(['gateway', 'stop', '--timeout', 'soon']);
    expect(code).toBe(2);
    expect(stderr).toContain('"soon" is no duration');
    const asJson = await runCommand(['gateway', 'stop', '--timeout', '5x', '--json']);
    expect(asJson.code).toBe(2);
    expect(readDocument(asJson)).toMatchObject({
      ok: false,
      error: { code: 2, message: expect.stringContaining('5x') },
    });
  });
});

describe('help and version', () => {
  it.each([
    ['--help'],
    ['gateway', '--help'],
    ['gateway', 'status', '--help'],
    ['gateway', 'stop', '--help'],
    ['gateway', 'restart', '--help'],
    ['gateway', 'token', '--help'],
    ['gateway', 'pairing', '--help'],
    ['--version'],
  ])('are shown with 0: %s %s', async (...args) => {
    const { code, stdout, stderr } = await runCommand(args.filter((arg) => arg !== undefined));
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/Usage: xopc|^\d+\.\d+\.\d+/);
  });
});

describe('with no gateway running', () => {
  it('status ends with 3, says so and how to start it, and touches nothing', async () => {
    const { code, stdout, home } = await runCommand(['gateway', 'status']);
    expect(code).toBe(3);
    expect(stdout).toBe('Gateway is not running\nStart it with: xopc gateway\n');
    expect(readdirSync(home)).toEqual([]);
  });

  it('status --json is one document with the configured port', async () => {
    const home = temporaryDirectory();
    writeFileSync(join(home, 'xopc.json'), '{"gateway":{"port":4321}}');
    const result = await runCommand(['gateway', 'status', '--json'], { XOPC_HOME: home });
    expect(result.code).toBe(3);
    expect(readDocument(result)).toEqual({
      ...{ ok: true, running: false, state: 'stopped', port: 4321 },
      ...{ reason: null, since: null, lastExits: [], fatal: null, installedService: null, serviceFindings: [] },
    });
  });

  it('status speaks Chinese when told or when the locale is', async () => {
    const byFlag = await runCommand(['--lang', 'zh', 'gateway', 'status']);
    const behind = await runCommand(['gateway', 'status', '--lang', 'zh']);
    const byLocale = await runCommand(['gateway', 'status'], { LC_ALL: 'zh_CN.UTF-8' });
    const overLocale = await runCommand(['gateway', 'status', '--lang', 'en'], { LC_ALL: 'zh_CN.UTF-8' });
    for (const { stdout, code } of [byFlag, behind, byLocale]) {
      expect(code).toBe(3);
      expect(stdout).toBe(`${zh.notRunning}\n${zh.startHint}\n`);
    }
    expect(overLocale.stdout).toContain('Gateway is not running');
  });

  it('stop ends with 0 and says that there was nothing to stop', async () => {
    const { code, stdout } = await runCommand(['gateway', 'stop']);
    expect([code, stdout]).toEqual([0, 'Gateway is not running\n']);
    const asJson = await runCommand(['gateway', 'stop', '--json']);
    expect(asJson.code).toBe(0);
    expect(readDocument(asJson)).toEqual({ ok: true, result: 'not-running' });
  });

  it('pairing ends with 1, where it looked and what to check', async () => {
    const home = temporaryDirectory();
    writeFileSync(join(home, 'xopc.json'), '{"gateway":{"port":1}}');
    const { code, stderr } = await runCommand(['gateway', 'pairing', 'list'], { XOPC_HOME: home });
    expect(code).toBe(1);
    expect(stderr).toContain('http://localhost:1');
    expect(stderr).toContain('xopc gateway status');
  });
});

describe('gateway token', () => {
  const token = 'canary0123456789abcdef0123456789abcdef';

  it('before the first start ends with 1 and says when there will be one', async () => {
    const { code, stdout, stderr } = await runCommand(['gateway', 'token']);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('There is no token yet');
    const asJson = await runCommand(['gateway', 'token', '--json']);
    expect(readDocument(asJson)).toMatchObject({
      ok: false,
      error: { code: 1, hint: expect.stringContaining('xopc gateway') },
    });
  });

  it('is masked, and in full without a terminal only with --yes', async () => {
    const home = temporaryDirectory();
    writeFileSync(join(home, 'xopc.json'), JSON.stringify({ gateway: { auth: { token } } }));
    const run = (...args: string[]) => runCommand(['gateway', 'token', ...args], { XOPC_HOME: home });
    expect((await run()).stdout).toBe('canary01...89abcdef\n');
    const refused = await run('--show');
    expect(refused.code).toBe(1);
    expect(refused.stdout + refused.stderr).not.toContain(token);
    expect((await run('--show', '--yes')).stdout).toBe(`${token}\n`);
    expect(readDocument(await run('--json'))).toEqual({ ok: true, token: 'canary01...89abcdef', masked: true });
  });

  it('of a gateway that uses none ends with 1 and the mode', async () => {
    const home = temporaryDirectory();
    writeFileSync(join(home, 'xopc.json'), '{"gateway":{"auth":{"mode":"none"}}}');
    const { code, stderr } = await runCommand(['gateway', 'token'], { XOPC_HOME: home });
    expect(code).toBe(1);
    expect(stderr).toContain('"none"');
  });
});

describe('--config', () => {
  it('may stand before or behind the sub-command', async () => {
    const path = join(temporaryDirectory(), 'other.json');
    writeFileSync(path, '{"gateway":{"port":4322}}');
    for (const args of [
      ['gateway', '--config', path, 'status', '--json'],
      ['gateway', 'status', '--json', '--config', path],
    ]) {
      expect(readDocument(await runCommand(args))).toMatchObject({ port: 4322 });
    }
    expect(readDocument(await runCommand(['gateway', 'status', '--json'], { XOPC_CONFIG: path }))).toMatchObject({
      port: 4322,
    });
  });

  it('of a file that is no JSON does no harm to those who only ask', async () => {
    const home = temporaryDirectory();
    writeFileSync(join(home, 'xopc.json'), '{ broken');
    expect((await runCommand(['gateway', 'status', '--json'], { XOPC_HOME: home })).code).toBe(3);
    expect((await runCommand(['gateway', 'stop'], { XOPC_HOME: home })).code).toBe(0);
    expect(existsSync(join(home, 'locks'))).toBe(false);
  });
});
