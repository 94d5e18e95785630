import { readFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100;

/** CPU time of a process so far, in milliseconds (proc(5), `stat` fields 14 and 15). */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS_PER_SECOND;
}

/** Bytes that a process has sent towards the disk (proc(5), `io`: whole pages, each once per sync). */
export function writtenBytes(pid: number): number {
  return field(readFileSync(`/proc/${pid}/io`, 'utf8'), /^write_bytes: (\d+)$/m);
}

/** Memory of a process with shared pages divided among their users, in megabytes. */
export function pssMb(pid: number): number {
  return field(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'), /^Pss: +(\d+) kB$/m) / 1_024;
}

/** Memory of a process with shared pages counted in full, in megabytes. */
export function rssMb(pid: number): number {
  return field(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'), /^Rss: +(\d+) kB$/m) / 1_024;
}

/** The most memory that a process has had resident so far, in megabytes (proc(5), `status`). */
export function peakRssMb(pid: number): number {
  return field(readFileSync(`/proc/${pid}/status`, 'utf8'), /^VmHWM:\s+(\d+) kB$/m) / 1_024;
}

/** The processes that a process has started and that still live, oldest first (proc(5), `children`). */
export function childPids(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter((text) => text !== '')
    .map(Number);
}

function field(text: string, pattern: RegExp): number {
  return Number(pattern.exec(text)?.[1] ?? Number.NaN);
}
