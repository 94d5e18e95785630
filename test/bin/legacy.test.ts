import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { findLegacyPidFiles } from '../../bin/legacy.ts';
import { zh } from '../../bin/messages/zh.ts';
import { resolvePaths } from '../../lib/paths.ts';
import { startGateway, stopAll } from '../e2e/gateway.ts';
import { createHome } from '../e2e/home.ts';
import { temporaryDirectory } from '../lib/temporary-directory.ts';
import { pidOfDeadProcess } from '../supervisor/lock-samples.ts';
import { runCommand } from './run-command.ts';

afterAll(stopAll);

/** A process whose command line is node's with these words behind it. Returns its pid. */
function startNode(...words: string[]): number {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', ...words], { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child.pid ?? 0;
}

function startSleep(...words: string[]): number {
  // Any program that takes any words and stays.
  const idle = ['-e', 'setInterval(() => undefined, 1e9)', ...words];
  const child = spawn(process.execPath, idle, { stdio: 'ignore', argv0: words[0] ?? 'sleep' });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child.pid ?? 0;
}

async function inspect(content: string): Promise<{ pid: number | null; isRunning: boolean } | undefined> {
  const home = temporaryDirectory();
  writeFileSync(join(home, 'gateway.pid'), content);
  const [found] = await findLegacyPidFiles(resolvePaths({ XOPC_HOME: home }));
  return found === undefined ? undefined : { pid: found.pid, isRunning: found.isRunning };
}

describe('a pid file of the older background mode', () => {
  it('names a gateway that runs when the process looks like one', async () => {
    const gateway = startNode('/usr/lib/node_modules/xopc/dist/cli.js', 'gateway', 'start');
    expect(await inspect(`${gateway}\n`)).toEqual({ pid: gateway, isRunning: true });
  });

  it('names none when its pid is dead, or belongs to another program by now', async () => {
    for (const pid of [pidOfDeadProcess(), startNode('server.js'), startSleep(), startNode('xopc-like.js', 'serve')]) {
      expect(await inspect(String(pid))).toEqual({ pid, isRunning: false });
    }
  });

  it('never means a program that only speaks of it, such as an editor or this command and who started it', async () => {
    const editor = startSleep('vim', '/home/u/.xopc/gateway.json');
    for (const pid of [editor, process.pid, process.ppid, 1]) {
      expect(await inspect(String(pid))).toMatchObject({ isRunning: false });
    }
  });

  it.each(['', 'garbage', '-5', '0', '1.5', '{"pid":1}', '99999999999999', '12 34'])(
    'of "%s" names none',
    async (content) => {
      expect(await inspect(content)).toMatchObject({ isRunning: false });
    },
  );

  it('is looked for in the home and in the state directory, and a folder of that name is none', async () => {
    const home = temporaryDirectory();
    const state = temporaryDirectory();
    const paths = resolvePaths({ XOPC_HOME: home, XOPC_STATE_DIR: state });
    expect(await findLegacyPidFiles(paths)).toEqual([]);
    writeFileSync(join(home, 'gateway.pid'), 'x');
    writeFileSync(join(state, 'gateway.pid'), 'y');
    expect((await findLegacyPidFiles(paths)).map(({ path }) => path)).toEqual([
      join(home, 'gateway.pid'),
      join(state, 'gateway.pid'),
    ]);
    const other = temporaryDirectory();
    mkdirSync(join(other, 'gateway.pid'));
    expect(await findLegacyPidFiles(resolvePaths({ XOPC_HOME: other }))).toEqual([]);
  });
});

describe('a start of the gateway', () => {
  it('removes the file of a gateway that is gone, and says so in one line', async () => {
    const home = createHome({});
    const pidFile = join(home.stateDir, 'gateway.pid');
    writeFileSync(pidFile, String(pidOfDeadProcess()));
    const gateway = await startGateway({ home });
    expect(gateway.stdout()).toContain(`Removed ${pidFile}, left behind by an older gateway that no longer runs.\n`);
    expect(existsSync(pidFile)).toBe(false);
    await gateway.stop();
  });

  it('goes on beside an older gateway that holds no port of ours, names it, and leaves it and its file alone', async () => {
    const home = createHome({});
    const pidFile = join(home.stateDir, 'gateway.pid');
    const old = startNode('xopc', 'gateway');
    writeFileSync(pidFile, String(old));
    const gateway = await startGateway({ home });
    expect(gateway.stderr()).toContain(`An older gateway (PID ${old}) still runs in the background`);
    expect(gateway.stderr()).toContain(`kill ${old}`);
    expect(existsSync(pidFile)).toBe(true);
    expect(process.kill(old, 0)).toBe(true);
    await gateway.stop();
  });

  it('that finds its port taken names the older gateway first, in the language of the caller', async () => {
    const server = createServer();
    onTestFinished(() => void server.close());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const home = temporaryDirectory();
    const old = startNode('xopc', 'gateway');
    writeFileSync(join(home, 'xopc.json'), JSON.stringify({ gateway: { port } }));
    writeFileSync(join(home, 'gateway.pid'), String(old));
    const { code, stderr } = await runCommand(['gateway', '--lang', 'zh'], { XOPC_HOME: home });
    expect(code).toBe(69);
    expect(stderr).toContain(zh.legacyRunningHint.replace('{pid}', String(old)));
    expect(stderr).toContain(String(port));
  });
});
