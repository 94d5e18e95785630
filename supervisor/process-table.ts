import { readFileSync, statSync } from 'node:fs';
import { readProcessStat } from './process-identity.ts';

/** What we need to know of a process before we may end it. `uid` and `startTime` are null where the system does not tell. */
export type ProcessEntry = {
  pid: number;
  parentPid: number;
  uid: number | null;
  /** The program's name without its arguments, which may hold secrets. */
  command: string;
  startTime: number | null;
};

/** Looks processes up by pid; one that is gone is left out. The result also holds the ancestors of each. */
export async function readProcesses(pids: readonly number[]): Promise<Map<number, ProcessEntry>> {
  const lookUp = process.platform === 'linux' ? readFromProc : await readFromList();
  const found = new Map<number, ProcessEntry>();
  const waiting = [...pids];
  for (let pid = waiting.pop(); pid !== undefined; pid = waiting.pop()) {
    const entry = found.has(pid) ? undefined : lookUp(pid);
    if (entry === undefined) continue;
    found.set(pid, entry);
    waiting.push(entry.parentPid);
  }
  return found;
}

/** The parent of a process, its parent, and so on, nearest first. */
export function ancestorsOf(pid: number, processes: ReadonlyMap<number, ProcessEntry>): number[] {
  const ancestors: number[] = [];
  let parent = processes.get(pid)?.parentPid;
  while (parent !== undefined && parent > 0 && !ancestors.includes(parent)) {
    ancestors.push(parent);
    parent = processes.get(parent)?.parentPid;
  }
  return ancestors;
}

/**
 * A process's command line with its arguments, which may hold secrets: for judging, not for showing. The program's name alone
 * where the system tells no more; undefined when it tells nothing, or the process is gone.
 */
export async function readCommandLine(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux') return readCommandLineFromProc(pid);
  const { listProcesses } = await import('./process-list.ts');
  const found = (await listProcesses()).find((entry) => entry.pid === pid);
  return found?.cmd ?? found?.name;
}

function readCommandLineFromProc(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return text === '' ? undefined : text;
  } catch {
    return undefined;
  }
}

function readFromProc(pid: number): ProcessEntry | undefined {
  const stat = readProcessStat(pid);
  const folder = statSync(`/proc/${pid}`, { throwIfNoEntry: false });
  if (stat === undefined || folder === undefined) return undefined;
  return { pid, parentPid: stat.parentPid, uid: folder.uid, command: stat.name, startTime: stat.startTime };
}

async function readFromList(): Promise<(pid: number) => ProcessEntry | undefined> {
  const { listProcesses } = await import('./process-list.ts');
  const entries = new Map<number, ProcessEntry>();
  for (const { pid, ppid, uid, name, startTime } of await listProcesses()) {
    entries.set(pid, {
      ...{ pid, parentPid: ppid, command: name },
      uid: uid ?? null,
      startTime: startTime?.getTime() ?? null,
    });
  }
  return (pid) => entries.get(pid);
}
