import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { temporaryDirectory } from '../lib/temporary-directory.ts';

export type CommandResult = { code: number; stdout: string; stderr: string; home: string };

/** Runs the built `xopc` in a home of its own. */
export function runCommand(args: readonly string[], env: Record<string, string> = {}): Promise<CommandResult> {
  const home = env['XOPC_HOME'] ?? temporaryDirectory();
  const program = join('dist', 'bin', 'xopc.js');
  const environment = { PATH: process.env['PATH'], HOME: home, XOPC_HOME: home, ...env };
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { env: environment, timeout: 15_000 }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, stdout, stderr, home });
    });
  });
}

/** The one JSON document that a command printed. */
export function readDocument({ stdout }: CommandResult): Record<string, unknown> {
  return JSON.parse(stdout);
}
