import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../lib/temporary-directory.ts';
import { fakeTool } from '../supervisor/service/fake-tool.ts';
import { type CommandResult, readDocument, runCommand } from './run-command.ts';
import { openStandIn } from './stand-in.ts';

const NO_BUS = 'echo "Failed to connect to bus: No medium found" >&2; exit 1';
const STRONG = '0123456789abcdef0123456789abcdef';

describe.skipIf(process.platform !== 'linux')('service install', () => {
  it.each([
    ['en', /enable-linger [\s\S]*install --system[\s\S]*foreground/],
    ['zh', /enable-linger [\s\S]*install --system[\s\S]*前台/],
  ])('without a manager to ask names the other ways (%s)', async (language, expected) => {
    const { code, stderr } = await run(NO_BUS, ['--lang', language, 'gateway', 'service', 'install']);
    expect(code).toBe(1);
    expect(stderr).toContain('Failed to connect to bus: No medium found');
    expect(stderr).toMatch(existsSync('/run/systemd/system') ? expected : /docker run --init/);
  });

  it('changes nothing where it cannot be', async () => {
    const { home } = await run(NO_BUS, ['gateway', 'service', 'install', '--token', STRONG]);
    expect(existsSync(join(home, 'service'))).toBe(false);
    expect(existsSync(join(home, '.config'))).toBe(false);
    expect(existsSync(join(home, 'credentials'))).toBe(false);
  });

  it.each([
    [['--token', 'short'], {}, 2, 'too weak'],
    [['--token', STRONG], { gateway: { auth: { token: `${STRONG}x` } } }, 78, 'Another token counts'],
    [['--token', STRONG], { gateway: { auth: { mode: 'none' } } }, 78, 'does not use a token'],
    [['--socket'], { gateway: { port: 0 } }, 78, '--socket needs a port'],
    [['--timeout', 'soon'], {}, 2, 'no duration'],
    [['--port', '70000'], {}, 2, 'no port'],
  ])('with %j and %j ends with %i', async (args, config, expected, words) => {
    const home = homeWith(config);
    const { code, stderr } = await run('exit 0', ['gateway', 'service', 'install', ...args], home);
    expect([code, stderr]).toEqual([expected, expect.stringContaining(words)]);
    expect(existsSync(join(home, '.config', 'systemd', 'user', 'xopc-gateway.service'))).toBe(false);
  });

  it('refuses while a gateway runs outside of the service', async () => {
    const gateway = await openStandIn();
    const { code, stderr } = await run('exit 0', ['gateway', 'service', 'install'], gateway.home);
    expect([code, stderr]).toEqual([1, expect.stringContaining('already runs with this configuration')]);
    expect(stderr).toContain('xopc gateway stop');
  });

  it('for the whole machine prepares files and shows what the administrator types, without asking for rights', async () => {
    const result = await run('exit 1', ['gateway', 'service', 'install', '--system', '--json']);
    const { commands, files } = readDocument(result) as { commands: string[]; files: string[] };
    expect(commands).toEqual([
      expect.stringMatching(/^sudo install -m 644 .*xopc-gateway.* \/etc\/systemd\/system\/xopc-gateway.*\.service$/),
      'sudo systemctl daemon-reload',
      expect.stringMatching(/^sudo systemctl enable --now xopc-gateway/),
    ]);
    for (const file of files) expect(file.startsWith(result.home)).toBe(true);
    expect(readFileSync(files[1] ?? '', 'utf8')).toContain('WantedBy=multi-user.target');
  });
});

describe.skipIf(process.platform !== 'linux')('without a service', () => {
  it('status ends with 3, start with 1, uninstall with 0, each saying so', async () => {
    const results = await Promise.all(
      ['status', 'start', 'uninstall'].map((name) => run('exit 0', ['gateway', 'service', name])),
    );
    expect(results.map(({ code }) => code)).toEqual([3, 1, 0]);
    for (const { stdout, stderr } of results) expect(`${stdout}${stderr}`).toMatch(/xopc-gateway.* is not installed/);
    expect(results[1]?.stderr).toContain('xopc gateway service install');
  });

  it('is one document for a program', async () => {
    const result = await run('exit 0', ['gateway', 'service', 'status', '--json']);
    expect(readDocument(result)).toMatchObject({ ok: true, installed: false, enabled: false, findings: [] });
  });
});

function homeWith(config: object): string {
  const home = temporaryDirectory();
  writeFileSync(join(home, 'xopc.json'), JSON.stringify(config));
  return home;
}

/** Runs a command where `systemctl` does this. */
function run(systemctl: string, args: readonly string[], home = temporaryDirectory()): Promise<CommandResult> {
  return runCommand(args, { ...fakeTool('systemctl', systemctl).env, HOME: home, XOPC_HOME: home });
}
