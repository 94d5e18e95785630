import { readdirSync, readFileSync } from 'node:fs';
import { isRunning } from '../supervisor/running-supervisor.ts';
import { eventually } from './eventually.ts';

/** Every living process whose environment names this home: a gateway's tree, also the parts that lost their parent. */
export function findProcesses(home: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && hasHome(name, home))
    .map(Number)
    .filter(isRunning);
}

/** The command lines of these processes, as `ps` shows them. */
export function readCommandLines(pids: readonly number[]): string[] {
  return pids.map((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim());
}

/** Kills processes and waits until they are gone. */
export async function killProcesses(pids: readonly number[]): Promise<void> {
  for (const pid of pids) killQuietly(pid);
  await eventually(`the end of ${pids.join(', ')}`, () => !pids.some(isRunning));
}

function hasHome(pid: string, home: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`HOME=${home}`);
  } catch {
    return false;
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself a moment ago.
  }
}
