import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Finding, fine, type Scene, trouble } from './finding.ts';

const MEGABYTE = 1024 * 1024;
const LOW_MB = 500;
const OUT_MB = 50;

/** How much room there is for messages and logs. */
export async function checkDisk(scene: Scene): Promise<Finding[]> {
  const path = nearestExisting(scene.paths.stateDir);
  const { bavail, bsize } = await statfs(path);
  return [judgeSpace({ free: Math.floor((bavail * bsize) / MEGABYTE), path }, scene)];
}

/** What `free` megabytes for this user mean. */
export function judgeSpace(space: { free: number; path: string }, scene: Scene): Finding {
  if (space.free < OUT_MB) return trouble(scene, { severity: 'error', code: 'disk-space-out', values: space });
  if (space.free < LOW_MB) return trouble(scene, { severity: 'warn', code: 'disk-space-low', values: space });
  return fine(scene, 'disk-space', space);
}

/** Before the first start there is no state directory yet, but there is the disk that it will be on. */
function nearestExisting(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestExisting(dirname(path));
}
