import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../lib/temporary-directory.ts';
import { type CommandResult, readDocument, runCommand } from './run-command.ts';

const TOKEN = '0123456789abcdef0123456789abcdef';
const FILE = `{\n  // Ours.\n  "gateway": { "port": 1, "auth": { "token": "${TOKEN}" } }\n}\n`;

function start(text = FILE): { read(): string; config(...args: string[]): Promise<CommandResult>; home: string } {
  const home = temporaryDirectory();
  const file = join(home, 'xopc.json');
  writeFileSync(file, text);
  return {
    home,
    read: () => readFileSync(file, 'utf8'),
    config: (...args) => runCommand(['gateway', 'config', ...args], { XOPC_HOME: home }),
  };
}

describe('xopc gateway config', () => {
  it('tells where the file is', async () => {
    const { config, home } = start();
    expect((await config('path')).stdout.trim()).toBe(join(home, 'xopc.json'));
  });

  it('sets one setting and keeps the comments', async () => {
    const { config, read } = start();
    const { code, stdout } = await config('set', 'gateway.port', '18800');
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'Written: gateway.port\n' });
    expect(read()).toBe(FILE.replace('"port": 1', '"port": 18800'));
    expect((await config('get', 'gateway.port')).stdout).toBe('18800\n');
    await config('set', 'agents.defaults', '{"model": "a/b", "systemPrompt": "Be kind."}');
    await config('set', 'agents.defaults.systemPrompt', '123');
    expect(JSON.parse((await config('get', 'agents')).stdout)).toEqual({
      defaults: { model: 'a/b', systemPrompt: '123' },
    });
    expect((await config('unset', 'agents', '--confirm-loss')).code).toBe(0);
    expect(read()).toBe(FILE.replace('"port": 1', '"port": 18800'));
  });

  it('never prints a credential unasked, and takes none from the command line', async () => {
    const { config, read, home } = start();
    for (const args of [['get'], ['get', 'gateway.auth.token'], ['get', '--json']]) {
      const { stdout } = await config(...args);
      expect(stdout).toContain('***');
      expect(stdout).not.toContain(TOKEN.slice(0, 8));
    }
    expect((await config('get', '--show')).code).toBe(1);
    expect((await config('get', 'gateway.auth.token', '--show', '--yes')).stdout).toBe(`${TOKEN}\n`);
    expect((await config('set', 'gateway.auth.token', 'abcdefabcdefabcdef')).code).toBe(2);
    expect(read()).toBe(FILE);
    spawnSync(process.execPath, ['dist/bin/xopc.js', 'gateway', 'config', 'set', 'gateway.auth.token', '-'], {
      input: 'abcdefabcdefabcdef\n',
      env: { XOPC_HOME: home },
    });
    expect(read()).toBe(FILE.replace(TOKEN, 'abcdefabcdefabcdef'));
    expect((await config('set', 'gateway.auth.token', '\x24{MINE:-abcdefabcdefabcdef}')).code).toBe(0);
    expect(read()).toContain('${MINE:-');
    expect((await config('unset', 'gateway.auth.token')).stderr).toContain('--confirm-loss');
  });

  it('writes nothing that is not valid, and says what is wrong', async () => {
    const { config, read } = start();
    const { code, stderr } = await config('set', 'gateway.port', '99999');
    expect(code).toBe(78);
    expect(stderr).toContain('gateway.port');
    expect((await config('set', 'gateway.port.x', '1')).code).toBe(2);
    expect((await config('set', 'gateway..x', '1')).code).toBe(2);
    expect((await config('get', 'gateway.bind')).code).toBe(1);
    expect(read()).toBe(FILE);
  });

  it('validates: 0 for a file to start with, and 78 with every problem else', async () => {
    expect((await start().config('validate')).code).toBe(0);
    const bad = await start('{ "gateway": { "port": "x" }, "cronn": {} }').config('validate', '--json');
    expect(bad.code).toBe(78);
    expect(readDocument(bad)).toMatchObject({ ok: false, problems: [{ path: 'gateway.port' }] });
    const odd = await start('{ "gatewai": {} }').config('validate');
    expect(odd.stdout).toContain('did you mean "gateway"');
    const broken = start('{ "gateway": ');
    expect((await broken.config('validate')).code).toBe(78);
    expect((await broken.config('set', 'gateway.port', '1')).stderr).toContain('by hand');
  });

  it('speaks Chinese', async () => {
    const { stdout } = await runCommand(['--lang', 'zh', 'gateway', 'config', 'set', 'gateway.port', '2']);
    expect(stdout).toBe('已写入:gateway.port\n');
  });
});
