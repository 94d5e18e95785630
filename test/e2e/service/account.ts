import { strict as assert } from 'node:assert';
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../eventually.ts';
import { PLACE } from './machine.ts';

export type Ran = { code: number | null; stdout: string; stderr: string };

export type Choices = {
  /** A copy of the program at this path instead of the one of the repository. */
  program?: string;
  input?: string;
  env?: Record<string, string>;
};

/** Runs `xopc gateway …` as the account that this program runs as. */
export function xopc(
  args: readonly string[],
  { program = join(PLACE, 'dist'), input = '', env = {} }: Choices = {},
): Ran {
  const words = [join(program, 'bin', 'xopc.js'), 'gateway', ...args];
  return finish(spawnSync(process.execPath, words, { input, encoding: 'utf8', env: { ...process.env, ...env } }));
}

/** Runs it and fails unless it ends with this code; returns the document of `--json`, else an empty one. */
export function expectXopc(code: number, args: readonly string[], choices: Choices = {}): Record<string, unknown> {
  const ran = xopc(args, choices);
  assert.equal(ran.code, code, `xopc gateway ${args.join(' ')}: ${ran.stdout}${ran.stderr}`);
  return args.includes('--json') ? JSON.parse(ran.stdout) : {};
}

export function run(command: string, ...args: string[]): Ran {
  return finish(spawnSync(command, args, { encoding: 'utf8' }));
}

function finish({ status, stdout, stderr }: { status: number | null; stdout: string; stderr: string }): Ran {
  return { code: status, stdout, stderr };
}

export const unitFile = (name = 'xopc-gateway'): string => join(homedir(), '.config/systemd/user', `${name}.service`);
export const stateDir = join(homedir(), '.xopc');

/** What systemd says of the unit. */
export function property(key: string, name = 'xopc-gateway'): string {
  return run('systemctl', '--user', 'show', '--value', `--property=${key}`, `${name}.service`).stdout.trim();
}

/** Settings of the unit that a scenario cannot wait for. */
export function dropIn(lines: readonly string[]): void {
  const folder = `${unitFile()}.d`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'test.conf'), `${lines.join('\n')}\n`);
  run('systemctl', '--user', 'daemon-reload');
}

export async function status(): Promise<Record<string, unknown>> {
  return JSON.parse(xopc(['status', '--json']).stdout);
}

/** Resolves when a supervisor with another pid serves. */
export function nextSupervisor(pid: number): Promise<number> {
  return eventually(
    'another supervisor that serves',
    async () => {
      const { state, supervisorPid, healthy } = await status();
      return state === 'running' && healthy === true && supervisorPid !== pid ? Number(supervisorPid) : undefined;
    },
    20_000,
  );
}

export function isGone(pid: number): boolean {
  return !existsSync(`/proc/${pid}`) || /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}

/** A copy of the built program that calls itself another version, as an upgrade would leave it. */
export function copyProgram(folder: string, version = '0.1.0'): string {
  const target = join(folder, 'dist');
  mkdirSync(folder, { recursive: true });
  cpSync(join(PLACE, 'dist'), target, { recursive: true });
  if (!existsSync(join(folder, 'node_modules'))) symlinkSync(join(PLACE, 'node_modules'), join(folder, 'node_modules'));
  if (version !== '0.1.0') {
    const files = run('grep', '-rl', '--include=*.js', '"0\\.1\\.0"', target).stdout.trim().split('\n');
    for (const file of files)
      writeFileSync(file, readFileSync(file, 'utf8').replaceAll('"0.1.0"', JSON.stringify(version)));
  }
  return target;
}

/** Asks again and again on many connections; resolves with the failures when stopped. */
export function startClients(port: number): { stop(): Promise<{ total: number; failures: string[] }> } {
  let isOver = false;
  const result = { total: 0, failures: [] as string[] };
  const ask = async (): Promise<void> => {
    while (!isOver) {
      result.total += 1;
      await fetch(`http://127.0.0.1:${port}/health`, { headers: { connection: 'close' } })
        .then((reply) => reply.text())
        .catch((error: unknown) => result.failures.push(String((error as { cause?: { code?: string } }).cause?.code)));
    }
  };
  const clients = Array.from({ length: 8 }, ask);
  return {
    async stop() {
      isOver = true;
      await Promise.all(clients);
      return result;
    },
  };
}

/** Runs it beside the scenario. */
export function runBeside(args: readonly string[], program = join(PLACE, 'dist')): Promise<Ran> {
  const child = spawn(process.execPath, [join(program, 'bin', 'xopc.js'), 'gateway', ...args]);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk);
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })));
}
