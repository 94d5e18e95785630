import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { ConfigInput } from '../../lib/config/schema.ts';
import { findRepository } from '../emulators/core/spawned.ts';
import { type EventStream, openEvents } from './event-stream.ts';
import { eventually } from './eventually.ts';
import { createHome, type Home } from './home.ts';
import { type HttpOptions, type HttpReply, sendRequest } from './http.ts';
import { findProcesses, killProcesses } from './processes.ts';

export type StartOptions = {
  /** Written before the start; the port is a free one unless it says otherwise. */
  config?: ConfigInput;
  /** Starts in a home that was used before. */
  home?: Home;
  env?: Readonly<Record<string, string>>;
  /** After `xopc gateway`. */
  args?: readonly string[];
};

type End = { code: number | null; signal: NodeJS.Signals | null };

/** `token` null presents none. */
type CallOptions = HttpOptions & { token?: string | null };

export type Gateway = {
  home: Home;
  /** Without trailing slash. */
  url: string;
  port: number;
  /** What callers present; empty when the gateway wants nothing. */
  token: string;
  supervisorPid: number;
  /** The one that serves now, as the lock file tells; 0 when there is none. */
  workerPid(): number;
  stdout(): string;
  stderr(): string;
  /** Calls the API with the token. */
  request(path: string, options?: CallOptions): Promise<HttpReply>;
  events(path?: string, options?: CallOptions): Promise<EventStream>;
  /** Resolves with the pid of a worker that serves and is not this one. */
  nextWorker(previousPid: number, timeoutMs?: number): Promise<number>;
  signal(name: NodeJS.Signals): void;
  /** Closes the pipes that the gateway writes to. */
  closeOutput(): void;
  /** `kill -9`; resolves when what was named is gone. A killed worker is replaced, a killed supervisor takes its worker along. */
  kill(what: 'worker' | 'supervisor' | 'tree'): Promise<void>;
  /** Asks it to end and waits. */
  stop(): Promise<End>;
  ended: Promise<End>;
};

export type Finished = End & { stdout: string; stderr: string; ms: number };

const program = join(findRepository(), 'dist', 'bin', 'xopc.js');

/** No model server is there: nothing is detected unless a test wants it. */
const CLOSED_PORT = '127.0.0.1:9';

const homes = new Set<Home>();

/** Starts the real program as a user would and waits until it answers. Fails with its output when it ends instead. */
export async function startGateway(options: StartOptions = {}): Promise<Gateway> {
  const home = options.home ?? createHome(options.config);
  homes.add(home);
  const running = launch(home, ['gateway', ...(options.args ?? [])], options.env);
  const { child, ended } = running;
  const supervisorPid = child.pid ?? 0;
  await eventually(
    'the first answer of the gateway',
    async () => {
      const lock = home.readLock();
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`The gateway ended (${child.exitCode}): ${running.stderr()}${running.stdout()}`);
      return lock?.pid === supervisorPid && lock.phase === 'running' && (await isHealthy(lock.port ?? 0));
    },
    15_000,
  );
  const port = home.readLock()?.port ?? 0;
  const url = `http://127.0.0.1:${port}`;
  const token = options.config?.gateway?.auth?.token ?? options.env?.['XOPC_GATEWAY_TOKEN'] ?? home.readToken();
  const workerPid = (): number => home.readLock()?.workerPid ?? 0;
  const signal = (name: NodeJS.Signals): void => void child.kill(name);
  return {
    home,
    ...{ url, port, token, supervisorPid, workerPid, ended, signal },
    stdout: running.stdout,
    stderr: running.stderr,
    request: (path, call = {}) => sendRequest(`${url}${path}`, withToken(call, token)),
    events: (path = '/api/events', call = {}) => openEvents(`${url}${path}`, withToken(call, token)),
    nextWorker: (previousPid, timeoutMs = 15_000) =>
      eventually('another worker', () => findOther(workerPid(), previousPid, port), timeoutMs),
    closeOutput() {
      child.stdout?.destroy();
      child.stderr?.destroy();
    },
    kill: (what) => kill(what, { home, supervisorPid, workerPid: workerPid() }),
    stop() {
      signal('SIGTERM');
      return ended;
    },
  };
}

/** Runs a command to its end, in a home that a gateway may be using. */
export async function runXopc(
  home: Home,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  homes.add(home);
  const startedAt = performance.now();
  const { ended, stdout, stderr } = launch(home, args, env);
  const end = await ended;
  return { ...end, stdout: stdout(), stderr: stderr(), ms: performance.now() - startedAt };
}

/** Kills whatever the tests left behind and removes their files. */
export async function stopAll(): Promise<void> {
  for (const home of homes) {
    await killProcesses(findProcesses(home.path));
    home.remove();
  }
  homes.clear();
}

type Running = { child: ChildProcess; ended: Promise<End>; stdout(): string; stderr(): string };

function launch(home: Home, args: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
  // Nothing of the tester's own environment: no keys, no proxies, no language.
  const clean = { PATH: process.env['PATH'], HOME: home.path, XOPC_HOME: home.stateDir, OLLAMA_HOST: CLOSED_PORT };
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...clean, ...env },
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => {
    output.stdout += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    output.stderr += String(chunk);
  });
  return {
    child,
    ended: new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal }))),
    stdout: () => output.stdout,
    stderr: () => output.stderr,
  };
}

function withToken({ token, ...call }: CallOptions, own: string): HttpOptions {
  const presented = token === undefined ? own : token;
  const bearer = presented === null || presented === '' ? {} : { Authorization: `Bearer ${presented}` };
  return { ...call, headers: { ...bearer, ...call.headers } };
}

async function isHealthy(port: number): Promise<boolean> {
  const reply = await sendRequest(`http://127.0.0.1:${port}/health`).catch(() => undefined);
  return reply?.status === 200;
}

async function findOther(pid: number, previousPid: number, port: number): Promise<number | undefined> {
  return pid !== previousPid && pid !== 0 && (await isHealthy(port)) ? pid : undefined;
}

type Tree = { home: Home; supervisorPid: number; workerPid: number };

async function kill(what: 'worker' | 'supervisor' | 'tree', tree: Tree): Promise<void> {
  switch (what) {
    case 'worker':
      return killProcesses([tree.workerPid]);
    case 'supervisor':
      return killProcesses([tree.supervisorPid]);
    case 'tree':
      return killProcesses(findProcesses(tree.home.path));
  }
}
