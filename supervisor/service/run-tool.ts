import { type ExecFileException, execFile } from 'node:child_process';
import type { Environment } from '../../lib/env.ts';

/** How a program of the operating system ended. `failure` is null when it did what it was asked to, else its own first line or ours. */
export type ToolResult = { code: number | null; output: string; failure: string | null };

export type ToolOptions = { env: Environment; timeoutMs?: number };

const TIMEOUT_MS = 10_000;

/** Runs a program of the operating system to its end. Never rejects; one that is missing or too slow has the code null. */
export function runTool(
  command: string,
  args: readonly string[],
  { env, timeoutMs = TIMEOUT_MS }: ToolOptions,
): Promise<ToolResult> {
  return new Promise((resolve) => {
    const options = { env: { ...env }, timeout: timeoutMs, windowsHide: true };
    execFile(command, args, options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
      const failure = error === null ? null : explain(error, `${stderr}\n${stdout}`, timeoutMs);
      resolve({ code, output: stdout, failure });
    });
  });
}

function explain(error: ExecFileException, said: string, timeoutMs: number): string {
  if (error.killed === true) return `no end within ${timeoutMs / 1_000} s`;
  const line = said.split(/\r?\n/).find((text) => text.trim() !== '');
  return line?.trim() ?? error.message;
}
