import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A running emulator process and the way to its control API. */
export interface SpawnedEmulator {
  readonly url: string;
  readonly pid: number;
  /** Calls a control route; throws with the emulator's message when it refuses. */
  readonly control: (method: string, path: string, body?: unknown) => Promise<unknown>;
  readonly stop: () => Promise<void>;
}

/** How to start an emulator: the port (default: any) and the seed of everything random in it (default 1). */
export interface EmulatorOptions {
  readonly port?: number;
  readonly seed?: number;
}

/** Starts `.tmp/test/emulators/<name>/main.js` as its own process and waits until it listens. */
export async function spawnEmulator(name: string, options: EmulatorOptions): Promise<SpawnedEmulator> {
  const entry = join(findRepository(), '.tmp', 'test', 'emulators', name, 'main.js');
  if (!existsSync(entry)) throw new Error(`${entry} is missing: build the project first (node build.mjs)`);
  const args = [entry, '--port', String(options.port ?? 0), '--seed', String(options.seed ?? 1)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const url = await readUrl(child, name);
  return {
    url,
    pid: child.pid ?? 0,
    control: (method, path, body) => callControl(url, method, path, body),
    stop: () => stopChild(child),
  };
}

/** The folder of the project, from its sources as well as from a bundle of them. */
export function findRepository(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('no package.json above the emulators');
    folder = parent;
  }
  return folder;
}

function readUrl(child: ChildProcess, name: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { stdout } = child;
    if (stdout === null) {
      reject(new Error('the emulator has no stdout'));
      return;
    }
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the ${name} emulator exited with ${code} before it listened`)));
    createInterface({ input: stdout }).once('line', (line) => {
      const announced: { url: string } = JSON.parse(line);
      resolve(announced.url);
    });
  });
}

async function callControl(url: string, method: string, path: string, body: unknown): Promise<unknown> {
  const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
  const response = await fetch(`${url}${path}`, init);
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return JSON.parse(text);
}

function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
  });
}
