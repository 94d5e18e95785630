import { readFileSync, readlinkSync } from 'node:fs';
import { errorCode } from '../lib/errors.ts';

/** What `/proc/PID/stat` says of a process. `startTime` counts clock ticks since the machine booted. */
export type ProcessStat = { name: string; state: string; parentPid: number; startTime: number };

/** Which kernel run and which pid namespace a pid belongs to; null where the system does not tell. */
export type PidScope = { bootId: string | null; pidNamespace: string | null };

/**
 * True when `pid` lives and is the process that started at `startTime`, so that a reused pid is not taken for it (LOCK-1).
 * A zombie is dead, a process of another user alive; without a start time on either side the pid alone decides.
 */
export async function isSameProcess(pid: number, startTime: number | null): Promise<boolean> {
  if (!doesPidExist(pid)) return false;
  if (process.platform === 'linux') {
    const stat = readProcessStat(pid);
    // Unreadable although it exists: `hidepid` hides the processes of other users.
    if (stat === undefined) return doesPidExist(pid);
    return !isDeadState(stat.state) && (startTime === null || stat.startTime === startTime);
  }
  const found = await readStartTime(pid);
  return found === null || startTime === null || found === startTime;
}

/** The start time of a process: ticks since boot on Linux, milliseconds since 1970 elsewhere; null when unknown. */
export async function readStartTime(pid: number): Promise<number | null> {
  if (process.platform === 'linux') return readProcessStat(pid)?.startTime ?? null;
  const { listProcesses } = await import('./process-list.ts');
  const found = (await listProcesses()).find((entry) => entry.pid === pid);
  return found?.startTime?.getTime() ?? null;
}

/** The boot id and pid namespace of this process; both null outside Linux. */
export function readPidScope(): PidScope {
  return {
    bootId: readOrNull(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    pidNamespace: readOrNull(() => readlinkSync('/proc/self/ns/pid')),
  };
}

/** Reads `/proc/PID/stat`; undefined when the process is gone, hidden, or there is no `/proc`. */
export function readProcessStat(pid: number): ProcessStat | undefined {
  const text = readOrNull(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  return text === null ? undefined : parseProcessStat(text);
}

/** Parses a line of `/proc/PID/stat`. The name may hold spaces and parentheses, so fields count from the last `)`. */
export function parseProcessStat(text: string): ProcessStat | undefined {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 0 || close < open) return undefined;
  const fields = text
    .slice(close + 1)
    .trim()
    .split(' ');
  // Counted from field 3 (state), which is the first after the name: field 4 is the parent, field 22 the start time.
  const [state, parent] = fields;
  const parentPid = Number(parent);
  const startTime = Number(fields[19]);
  if (state === undefined || !Number.isInteger(parentPid) || !Number.isInteger(startTime)) return undefined;
  return { name: text.slice(open + 1, close), state, parentPid, startTime };
}

function doesPidExist(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}

function isDeadState(state: string): boolean {
  return state === 'Z' || state === 'X' || state === 'x';
}

function readOrNull(read: () => string): string | null {
  try {
    return read();
  } catch {
    // Not Linux, or the process went away between two looks: both mean "unknown".
    return null;
  }
}
