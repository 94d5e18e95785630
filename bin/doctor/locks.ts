import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../../lib/errors.ts';
import { stateLockFile } from '../../supervisor/instance-locks.ts';
import { inspectLock } from '../../supervisor/lock-inspect.ts';
import type { LockRecord } from '../../supervisor/lock-record.ts';
import { formatLocalTime } from '../local-time.ts';
import { type Finding, fine, type Scene, trouble } from './finding.ts';

/** Every lock of this home, and that of the state directory, with who holds it and whether that still counts (LOCK-6). */
export async function checkLocks(scene: Scene): Promise<Finding[]> {
  const { paths } = scene;
  const files = listLocks(paths.locksDir);
  const own = files.includes(paths.lockFile) ? [] : [fine(scene, 'lock-free')];
  const findings = await Promise.all([...files, stateLockFile(paths)].map((file) => judge(file, scene)));
  return [...own, ...findings.flat()];
}

function listLocks(folder: string): string[] {
  try {
    const names = readdirSync(folder).filter((name) => /^gateway\.[0-9a-f]+\.lock$/.test(name));
    return names.sort().map((name) => join(folder, name));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

async function judge(path: string, scene: Scene): Promise<Finding[]> {
  const lock = await inspectLock(path);
  if (lock.state === 'free') return [];
  if (lock.owner === null) {
    const code = lock.state === 'stale' ? 'lock-broken' : 'lock-being-written';
    return [trouble(scene, { severity: 'info', code, values: { path } })];
  }
  const values = { path, owner: describe(lock.owner, scene), config: lock.owner.configPath };
  if (lock.state === 'stale') return [trouble(scene, { severity: 'info', code: 'lock-stale', values })];
  if (lock.reason === 'foreign-namespace')
    return [trouble(scene, { severity: 'warn', code: 'lock-elsewhere', values })];
  if (path === stateLockFile(scene.paths) && lock.owner.configPath !== scene.paths.configPath) {
    return [
      trouble(scene, {
        severity: 'error',
        code: 'state-dir-taken',
        values: { ...values, path: scene.paths.stateDir },
      }),
    ];
  }
  return [fine(scene, 'lock-held', values)];
}

function describe({ pid, createdAt, phase }: LockRecord, { text }: Scene): string {
  return text('lockOwner', { pid, since: formatLocalTime(createdAt), phase: phase === '' ? '?' : phase });
}
