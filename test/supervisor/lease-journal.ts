import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** One sign of life of a worker that holds the lease. */
export type LeaseLine = { epoch: number; generation: number };

/** What the workers of a home wrote while they held the lease, oldest first. */
export function readLeaseJournal(home: string): LeaseLine[] {
  const path = join(home, 'lease.log');
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => {
    const [epoch, generation] = line.split(' ').map(Number);
    return { epoch: epoch ?? Number.NaN, generation: generation ?? Number.NaN };
  });
}

/** Forgets what was written: the epochs of another supervisor begin anew. */
export function forgetLeaseJournal(home: string): void {
  rmSync(join(home, 'lease.log'), { force: true });
}

/** Where two workers held the lease together: an epoch that came back after a later one, or that two workers had. Empty when none did. */
export function findLeaseFaults(lines: readonly LeaseLine[]): string[] {
  const owners = new Map<number, number>();
  let last = 0;
  return lines.flatMap(({ epoch, generation }) => {
    const owner = owners.get(epoch) ?? generation;
    owners.set(epoch, owner);
    const faults: string[] = [];
    if (!(epoch >= last)) faults.push(`epoch ${epoch} of worker ${generation} after epoch ${last}`);
    if (owner !== generation) faults.push(`epoch ${epoch} of worker ${owner} and of worker ${generation}`);
    last = Math.max(last, epoch);
    return faults;
  });
}
