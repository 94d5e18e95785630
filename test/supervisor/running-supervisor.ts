import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ControlRequest, ControlResults } from '../../lib/control.ts';
import { callControl } from '../../lib/control-client.ts';
import { resolvePaths } from '../../lib/paths.ts';
import { makeTemporaryDirectory, programPath } from '../fixtures/programs.ts';
import { killTree, listTree } from './process-tree.ts';

export { isRunning } from './process-tree.ts';

export type ReadyEvent = { event: 'ready'; port: number; workerPid: number; supervisorPid: number; generation: number };
export type RefusedEvent = { event: 'refused'; exitCode: number; message: string; hint?: string };
export type End = { code: number | null; signal: NodeJS.Signals | null; refused: RefusedEvent | undefined };
export type LogRecord = { msg: string; level: number } & Record<string, unknown>;

export type StartOptions = {
  /** How the workers behave; see `worker.program.ts`. */
  mode?: string;
  config?: object;
  /** Shares the home of another supervisor. */
  home?: string;
  env?: Record<string, string>;
  args?: string[];
};

export type RunningSupervisor = {
  pid: number;
  home: string;
  stderr(): string;
  /** Resolves once a worker of at least this generation serves. */
  ready(generation?: number, timeoutMs?: number): Promise<ReadyEvent>;
  end: Promise<End>;
  signal(name: NodeJS.Signals): void;
  /** Changes how workers behave that start from now on. */
  setMode(mode: string): void;
  log(): LogRecord[];
  locks(): string[];
  /** What it answers on its control socket. */
  ask<T extends ControlRequest>(request: T): Promise<ControlResults[T['do']]>;
};

const started: { child: ChildProcess; home: string; remove(): void }[] = [];

/** Starts a real supervisor process around a fixture worker, in a home of its own. */
export function startSupervisor(options: StartOptions = {}): RunningSupervisor {
  const directory = makeTemporaryDirectory();
  const home = options.home ?? directory.path;
  const config = { gateway: { port: 0, drainTimeout: '2s' }, ...options.config };
  writeFileSync(join(home, 'xopc.json'), JSON.stringify(config));
  writeFileSync(join(home, 'mode'), options.mode ?? 'serve');
  const child = spawn(process.execPath, [programPath('supervisor'), ...(options.args ?? [])], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: home, XOPC_HOME: home, ...options.env },
  });
  started.push({ child, home, remove: directory.remove });
  const events = collectEvents(child);
  let stderr = '';
  child.stderr?.on('data', (chunk) => {
    stderr += String(chunk);
  });
  return {
    pid: child.pid ?? 0,
    home,
    stderr: () => stderr,
    ready: (generation = 1, timeoutMs = 5_000) => events.ready(generation, timeoutMs),
    end: new Promise((resolve) => {
      child.once('exit', (code, signal) => setImmediate(() => resolve({ code, signal, refused: events.refused() })));
    }),
    signal: (name) => child.kill(name),
    setMode: (mode) => writeFileSync(join(home, 'mode'), mode),
    log: () => readLog(home),
    ask: (request) => callControl(resolvePaths({ XOPC_HOME: home, HOME: home }).controlSocket, request),
    locks: () => (existsSync(join(home, 'locks')) ? readdirSync(join(home, 'locks')) : []),
  };
}

/** Ends whatever the tests started, and what that has started, and removes their files. */
export async function stopAll(): Promise<void> {
  const all = started.splice(0);
  await Promise.all(
    all.map(async ({ child }) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    }),
  );
  // Some share a home, so none is removed before all are gone.
  for (const { home } of all) killTree(home);
  await until(() => all.every(({ home }) => listTree(home).length === 0), 'nothing of them runs');
  for (const { remove } of all) remove();
}

/** Waits until a condition holds; fails after `timeoutMs`. */
export async function until(isTrue: () => boolean, what: string, timeoutMs = 5_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!isTrue()) {
    if (Date.now() > deadline) throw new Error(`Waited ${timeoutMs} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function collectEvents(child: ChildProcess): {
  ready(generation: number, timeoutMs: number): Promise<ReadyEvent>;
  refused(): RefusedEvent | undefined;
} {
  const seen: (ReadyEvent | RefusedEvent)[] = [];
  if (child.stdout === null) throw new Error('no output');
  createInterface({ input: child.stdout }).on('line', (line) => seen.push(JSON.parse(line)));
  const find = (generation: number): ReadyEvent | undefined =>
    seen.find((event): event is ReadyEvent => event.event === 'ready' && event.generation >= generation);
  const refused = (): RefusedEvent | undefined => seen.find((event) => event.event === 'refused');
  return {
    refused,
    async ready(generation, timeoutMs) {
      await until(
        () => find(generation) !== undefined || refused() !== undefined,
        `worker ${generation} is ready`,
        timeoutMs,
      );
      const event = find(generation);
      if (event === undefined) throw new Error(`The supervisor refused: ${refused()?.message}`);
      return event;
    },
  };
}

function readLog(home: string): LogRecord[] {
  const file = join(home, 'logs', 'gateway.log');
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
}
