import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pidReader, type Subject, until } from './subject.ts';
import { findFreePort, root } from './target.ts';

/** Fetched when it is measured; it is no dependency of the project. */
export const PM2_VERSION = '7.0.4';
const FOLDER = join(root, '.tmp/pm2');
const PROGRAM = join(FOLDER, 'node_modules/pm2/bin/pm2');

/** Brings pm2 from npm into `.tmp/pm2`. False, with the reason on stderr, when that does not work here. */
export async function installPm2(): Promise<boolean> {
  if (existsSync(PROGRAM)) return true;
  try {
    const quiet = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts'];
    await promisify(execFile)('npm', ['i', '--prefix', FOLDER, ...quiet, `pm2@${PM2_VERSION}`], { timeout: 120_000 });
    return true;
  } catch (error) {
    process.stderr.write(`pm2 cannot be installed and is left out: ${String(error)}\n`);
    return false;
  }
}

/** Starts a bare Koa under a pm2 of its own: one process that owns the port (`fork`), or two in a cluster. */
export async function startPm2(mode: 'fork' | 'cluster'): Promise<Subject> {
  const home = mkdtempSync(join(tmpdir(), 'xopc-bench-pm2-'));
  const clear = (): void => {
    killEverything(home);
    rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  };
  process.once('exit', clear);
  const pm2 = (...args: string[]): Promise<unknown> => runPm2(home, args);
  const stop = async (): Promise<void> => {
    // Its own command may fail; what it leaves is killed in any case.
    await pm2('kill').catch((error: unknown) => process.stderr.write(`${String(error)}\n`));
    process.off('exit', clear);
    clear();
  };
  const port = await findFreePort();
  const url = `http://127.0.0.1:${port}`;
  const servingPid = pidReader(url);
  try {
    writeFileSync(join(home, 'app.config.json'), JSON.stringify({ apps: [describeApp(mode, port)] }));
    await pm2('start', join(home, 'app.config.json'));
    await until('pm2 to serve', async () => (await servingPid()) > 0);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: `${url}/health`,
    servingPid,
    async restart() {
      const before = await servingPid();
      await pm2('reload', 'app');
      await until('another process that serves', async () => (await servingPid()) !== before);
      await until('the end of the old process', () => !existsSync(`/proc/${before}`));
    },
    recovered: async () => {},
    stop,
  };
}

function describeApp(mode: 'fork' | 'cluster', port: number): Record<string, unknown> {
  return {
    name: 'app',
    script: join(root, 'test/bench/graceful-koa.mjs'),
    args: [String(port)],
    exec_mode: mode,
    instances: mode === 'fork' ? 1 : 2,
    wait_ready: true,
    listen_timeout: 10_000,
    kill_timeout: 3_000,
    // It gives up after 16 short lives; twenty kills are meant to be survived.
    max_restarts: 1_000,
  };
}

async function runPm2(home: string, args: readonly string[]): Promise<void> {
  const env = { PATH: process.env['PATH'], HOME: home, PM2_HOME: home };
  await promisify(execFile)(process.execPath, [PROGRAM, ...args], { env, timeout: 60_000 });
}

/** Kills the daemon and its apps: every process that was started with this home. */
function killEverything(home: string): void {
  // The daemon is the oldest; it must not start an app again that was killed before it.
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  for (const pid of pids.sort((left, right) => left - right)) {
    if (readEnvironment(pid).includes(`PM2_HOME=${home}`)) process.kill(pid, 'SIGKILL');
  }
}

function readEnvironment(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    // It has ended, or belongs to somebody else.
    return [];
  }
}
