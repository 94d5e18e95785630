import { readFileSync } from 'node:fs';
import { readProcessStat } from './process-identity.ts';

/** What the system tells of a process that hangs. */
export type HangFacts = { processState: string; waitsIn: string | null };

const STATES: Readonly<Record<string, string>> = {
  R: 'running: a loop that never ends, or the machine is overloaded',
  S: 'sleeping: it waits for something synchronously',
  D: 'waits for the disk or another device',
  T: 'stopped by a signal',
  t: 'stopped by a debugger',
  Z: 'ended',
};

/** Looks at a hanging process from outside; of little use anywhere but on Linux. */
export function describeHang(pid: number | undefined): HangFacts {
  const state = pid === undefined ? undefined : readProcessStat(pid)?.state;
  return { processState: STATES[state ?? ''] ?? 'unknown', waitsIn: pid === undefined ? null : readWaitChannel(pid) };
}

/** The kernel function it waits in (proc(5), wchan); null when it runs or the kernel does not tell. */
function readWaitChannel(pid: number): string | null {
  try {
    const name = readFileSync(`/proc/${pid}/wchan`, 'utf8');
    return name === '' || name === '0' ? null : name;
  } catch {
    return null;
  }
}
