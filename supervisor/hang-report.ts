import { readFileSync } from 'node:fs';
import type { LiveWorker } from './live-workers.ts';
import { readProcessStat } from './process-identity.ts';

/** What can be known from outside of a worker that hangs. */
export type HangFacts = {
  processState: string;
  /** The kernel function it waits in (proc(5), wchan); null when it runs or the kernel does not tell. */
  waitsIn: string | null;
  lastHeartbeat: LiveWorker['heartbeat'];
  /** The end of its standard error, where its sentinel writes the stack of the loop. */
  lastWords: string[];
};

const LAST_WORDS = 40;

const STATES: Readonly<Record<string, string>> = {
  R: 'running: a loop that never ends, or the machine is overloaded',
  S: 'sleeping: it waits for something synchronously',
  D: 'waits for the disk or another device',
  T: 'stopped by a signal',
  t: 'stopped by a debugger',
  Z: 'ended',
};

/** Looks at a hanging worker from outside; the state of its process is known on Linux only. */
export function describeHang(worker: LiveWorker | undefined): HangFacts {
  const pid = worker?.pid;
  const state = pid === undefined ? undefined : readProcessStat(pid)?.state;
  return {
    processState: STATES[state ?? ''] ?? 'unknown',
    waitsIn: pid === undefined ? null : readWaitChannel(pid),
    lastHeartbeat: worker?.heartbeat ?? null,
    lastWords: worker?.output.readLines(LAST_WORDS) ?? [],
  };
}

function readWaitChannel(pid: number): string | null {
  try {
    const name = readFileSync(`/proc/${pid}/wchan`, 'utf8');
    return name === '' || name === '0' ? null : name;
  } catch {
    return null;
  }
}
