import { spawnSync } from 'node:child_process';
import { utimesSync } from 'node:fs';
import { formatLockRecord, type LockRecord } from '../../supervisor/lock-record.ts';
import { readPidScope } from '../../supervisor/process-identity.ts';

/** A lock file's content as a start on this machine writes it, with the given fields changed. */
export function lockRecordText(change: Partial<LockRecord>): string {
  return formatLockRecord({
    pid: process.pid,
    createdAt: new Date(Date.now() - 90_000).toISOString(),
    configPath: '/etc/xopc.json',
    startTime: null,
    ...readPidScope(),
    instanceId: 'sample',
    version: '0.0.1',
    stateDir: '/var/xopc',
    port: 18_790,
    workerPid: null,
    phase: 'running',
    ...change,
  });
}

/** Sets the time of a file's last change back. */
export function makeOlder(path: string, seconds: number): void {
  const then = Date.now() / 1_000 - seconds;
  utimesSync(path, then, then);
}

/** The pid of a process that has ended and been waited for. */
export function pidOfDeadProcess(): number {
  return spawnSync(process.execPath, ['--version']).pid;
}
