import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeTemporaryDirectory } from '../fixtures/programs.ts';

export type SmallDisk = {
  path: string;
  /** Leaves no byte free. */
  fill(): void;
  /** Lets nothing be written any more, as a disk with an error is. */
  freeze(): void;
  remove(): void;
};

/** True where `mountSmallDisk` works: for root on Linux. */
export function canMountDisk(): boolean {
  try {
    mountSmallDisk().remove();
    return true;
  } catch {
    return false;
  }
}

/** Mounts a disk of 256 KB. Throws where that is not allowed. */
export function mountSmallDisk(): SmallDisk {
  const directory = makeTemporaryDirectory();
  const options = ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', directory.path];
  if (spawnSync('mount', options, { stdio: 'ignore' }).status !== 0) {
    directory.remove();
    throw new Error('A disk cannot be mounted here.');
  }
  return {
    path: directory.path,
    fill() {
      try {
        writeFileSync(join(directory.path, 'ballast'), Buffer.alloc(1_048_576));
      } catch {
        // That is what it is for.
      }
    },
    freeze() {
      spawnSync('mount', ['-o', 'remount,ro', directory.path], { stdio: 'ignore' });
    },
    remove() {
      spawnSync('umount', ['-l', directory.path], { stdio: 'ignore' });
      directory.remove();
    },
  };
}
