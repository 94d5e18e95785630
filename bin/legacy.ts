import { dirname, join } from 'node:path';
import { errorMessage } from '../lib/errors.ts';
import { readTextIfExists, removeFile } from '../lib/fs.ts';
import type { Paths } from '../lib/paths.ts';
import { isSameProcess } from '../supervisor/process-identity.ts';
import type { Output } from './output.ts';

/** What an older gateway left behind that ran in the background: the file with its pid. */
export type LegacyPidFile = {
  path: string;
  /** Null when the file holds none. */
  pid: number | null;
  /** True when that process lives and may well be the gateway of then. */
  isRunning: boolean;
};

/** The pid files of the older background mode (manual, "Migration"), in the home and in the state directory. Changes nothing. */
export async function findLegacyPidFiles(paths: Paths): Promise<LegacyPidFile[]> {
  const folders = new Set([dirname(paths.locksDir), paths.stateDir]);
  const found = await Promise.all([...folders].map((folder) => inspect(join(folder, 'gateway.pid'))));
  return found.flatMap((file) => file ?? []);
}

/** Removes the pid files whose gateway is gone, and names a gateway that still runs. Says each in one line. */
export async function clearLegacyPidFiles(paths: Paths, output: Output): Promise<void> {
  for (const { path, pid, isRunning } of await findLegacyPidFiles(paths)) {
    if (isRunning && pid !== null) {
      output.warning(`${output.text('legacyRunning', { pid, path })} ${output.text('legacyRunningHint', { pid })}`);
    } else remove(path, output);
  }
}

async function inspect(path: string): Promise<LegacyPidFile | undefined> {
  const text = readIfFile(path);
  if (text === undefined) return undefined;
  const pid = /^\d{1,10}$/.test(text.trim()) ? Number(text) : null;
  return { path, pid, isRunning: pid !== null && pid > 0 && (await mayBeGateway(pid)) };
}

/** A folder of that name is not what we look for. */
function readIfFile(path: string): string | undefined {
  try {
    return readTextIfExists(path);
  } catch {
    return undefined;
  }
}

async function mayBeGateway(pid: number): Promise<boolean> {
  if (!(await isSameProcess(pid, null))) return false;
  const { ancestorsOf, readCommandLine, readProcesses } = await import('../supervisor/process-table.ts');
  // In a container the numbers are small and soon used again: by us, or by the shell that started us.
  if (pid === process.pid || ancestorsOf(process.pid, await readProcesses([process.pid])).includes(pid)) return false;
  const commandLine = await readCommandLine(pid);
  return commandLine === undefined || looksLikeGateway(commandLine);
}

/** A JavaScript runtime or `xopc` itself that was told "gateway". A runtime of which no more is known may be one. */
function looksLikeGateway(commandLine: string): boolean {
  const [program = ''] = commandLine.split(/\s/, 1);
  if (!/(^|[\\/])(node|nodejs|bun|deno|tsx|xopc)(\.exe)?$/i.test(program)) return false;
  return commandLine === program || (/xopc/i.test(commandLine) && /gateway/i.test(commandLine));
}

/** A file that cannot be removed must not stop a start. */
function remove(path: string, output: Output): void {
  try {
    removeFile(path);
    output.line(output.text('legacyRemoved', { path }));
  } catch (error) {
    output.warning(output.text('legacyKept', { path, reason: errorMessage(error) }));
  }
}
