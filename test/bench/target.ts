import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from './http.ts';
import { childPids } from './proc.ts';

/** A server process under measurement. */
export type Target = {
  url: string;
  /** Milliseconds from spawn to the first healthy answer. */
  startMs: number;
  pid: number;
  stop(): Promise<void>;
};

export type Gateway = Target & { token: string; workerPid(): number; home: string };

/** The repository; programs are started from it so that they find their packages. */
export const root = process.cwd();

/** Starts a plain server of ours for comparison; it gets its port as an argument. */
export async function startPlain(program: string): Promise<Target> {
  const port = await findFreePort();
  return start(['node', [join(root, 'test/bench', program), String(port)]], port, process.env);
}

/** Starts the built gateway in a home of its own, in which `prepare` may leave what an earlier run would have left. */
export async function startGateway(
  config: Record<string, unknown> = {},
  prepare: (home: string) => Promise<void> = async () => undefined,
): Promise<Gateway> {
  const port = await findFreePort();
  const home = mkdtempSync(join(tmpdir(), 'xopc-bench-'));
  const gateway = { port, ...(config['gateway'] as Record<string, unknown> | undefined) };
  writeFileSync(join(home, 'xopc.json'), JSON.stringify({ ...config, gateway }), { mode: 0o600 });
  await prepare(home);
  const env = { PATH: process.env['PATH'], HOME: home, XOPC_HOME: home, OLLAMA_HOST: '127.0.0.1:1' };
  const target = await start(['node', [join(root, 'dist/bin/xopc.js'), 'gateway']], port, env);
  return {
    ...target,
    home,
    token: readFileSync(join(home, 'credentials/gateway-token'), 'utf8').trim(),
    workerPid: () => childPids(target.pid)[0] ?? 0,
    async stop() {
      await target.stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

async function start([command, args]: [string, string[]], port: number, env: NodeJS.ProcessEnv): Promise<Target> {
  const startedAt = performance.now();
  const child = spawn(command, args, { env, stdio: 'ignore' });
  // Nothing that was started may outlive the bench, also when that fails or is interrupted.
  const endWithUs = (): void => void child.kill('SIGTERM');
  process.once('exit', endWithUs);
  const url = `http://127.0.0.1:${port}`;
  await waitUntilHealthy(child, `${url}/health`);
  const startMs = performance.now() - startedAt;
  return {
    url,
    startMs,
    pid: child.pid ?? 0,
    async stop() {
      process.off('exit', endWithUs);
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await gone;
    },
  };
}

async function waitUntilHealthy(child: ChildProcess, url: string): Promise<void> {
  const client = createClient({ isFresh: true });
  for (let tries = 0; tries < 5_000; tries += 1) {
    const reply = await client.call({ url }).catch(() => undefined);
    if (reply?.status === 200) return;
    if (child.exitCode !== null) throw new Error(`The server ended with ${child.exitCode} before it was healthy`);
    await sleep(2);
  }
  throw new Error(`${url} did not become healthy`);
}

/** A TCP port that was free a moment ago. */
export function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
