import { readdirSync, readFileSync, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { isSameProcess, readProcessStat } from './process-identity.ts';
import { ancestorsOf, readProcesses } from './process-table.ts';

/** A process that was ended because the gateway it belonged to is dead. `command` is the program's name. */
export type Survivor = { pid: number; command: string };

/** The variable in the environment of every worker, and so of whatever it starts. */
const MARK = 'XOPC_INSTANCE';
/** How long to look again: a process that is just being killed may have started another one. */
const LIMIT_MS = 1_000;
const POLL_MS = 10;

/**
 * Kills what a dead instance left running, and returns it: processes of our user whose environment names that instance,
 * whatever group they are in (ORPH-2). Never this process or one that it descends from. Linux only; empty elsewhere. Takes
 * at most a second, also when a process cannot be killed (ORPH-3).
 */
export async function reapSurvivors(instanceId: string): Promise<Survivor[]> {
  // An empty id, as a record of an older version has it, would be any.
  if (process.platform !== 'linux' || instanceId === '') return [];
  const family = await readFamily();
  const mark = Buffer.from(`\0${MARK}=${instanceId}\0`);
  const ended = new Map<string, Survivor>();
  const deadline = Date.now() + LIMIT_MS;
  for (;;) {
    const found = findMarked(mark).filter(({ pid }) => !family.has(pid));
    for (const { pid, command, startTime } of found) {
      if (await killSame(pid, startTime)) ended.set(`${pid} ${startTime}`, { pid, command });
    }
    if (found.length === 0 || Date.now() >= deadline) return [...ended.values()];
    await delay(POLL_MS);
  }
}

/** Ourselves and our ancestors: a gateway may have been started by what another one ran. */
async function readFamily(): Promise<ReadonlySet<number>> {
  return new Set([process.pid, ...ancestorsOf(process.pid, await readProcesses([process.pid]))]);
}

type Marked = Survivor & { startTime: number };

function findMarked(mark: Buffer): Marked[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => readMarked(Number(pid), mark) ?? []);
}

/** The process if it is ours and bears the mark. A zombie has no environment any more, one of another user shows none. */
function readMarked(pid: number, mark: Buffer): Marked | undefined {
  try {
    if (statSync(`/proc/${pid}`).uid !== process.getuid?.()) return undefined;
    // Read before the environment, so that what is compared at the kill belongs to the process that was looked at.
    const stat = readProcessStat(pid);
    const environment = Buffer.concat([Buffer.from('\0'), readFileSync(`/proc/${pid}/environ`)]);
    if (stat === undefined || !environment.includes(mark)) return undefined;
    return { pid, command: stat.name, startTime: stat.startTime };
  } catch {
    // Gone since the folder was read, or not to be looked into.
    return undefined;
  }
}

async function killSame(pid: number, startTime: number): Promise<boolean> {
  if (!(await isSameProcess(pid, startTime))) return false;
  try {
    process.kill(pid, 'SIGKILL');
    return true;
  } catch {
    // Gone in the meantime.
    return false;
  }
}
