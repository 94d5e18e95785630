import { readdirSync, readFileSync } from 'node:fs';

/**
 * The living processes whose environment names this home: a supervisor, its workers, and whatever they have started, in whatever
 * group or session it is. Linux only; empty elsewhere.
 */
export function listTree(home: string): number[] {
  if (process.platform !== 'linux') return [];
  const mark = Buffer.from(`\0XOPC_HOME=${home}\0`);
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => isRunning(pid) && readEnvironmentOf(pid).includes(mark));
}

/** The process of a tree with this title; undefined when there is none. */
export function findTitled(home: string, title: string): number | undefined {
  return listTree(home).find((pid) => readTitle(pid) === title);
}

/** Sends SIGKILL to all that still runs in a home. */
export function killTree(home: string): void {
  for (const pid of listTree(home)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Gone since it was listed.
    }
  }
}

/** True while a process with this pid exists and is no zombie. */
export function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** Its command line without the rest of the room that the title took. */
export function readTitle(pid: number): string {
  return readProc(pid, 'cmdline').toString('utf8').replaceAll('\0', ' ').trim();
}

function readEnvironmentOf(pid: number): Buffer {
  return Buffer.concat([Buffer.from('\0'), readProc(pid, 'environ')]);
}

function readProc(pid: number, name: string): Buffer {
  try {
    return readFileSync(`/proc/${pid}/${name}`);
  } catch {
    return Buffer.alloc(0);
  }
}
