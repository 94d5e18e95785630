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

function field(text: string, pattern: RegExp): number {
  return Number(pattern.exec(text)?.[1] ?? Number.NaN);
}
