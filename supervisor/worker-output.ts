import { closeSync, fstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { cutToTail, linesFromEnd } from '../lib/file-tail.ts';
import { createAppendFile, ensurePrivateDirectory, removeFile } from '../lib/fs.ts';

/**
 * The raw standard error of one worker: what the runtime, native code and its tools print past its log. It is a file, as a
 * pipe would block or bloat the worker whenever we do not read.
 */
export type WorkerOutput = {
  /** For the worker's `stdio`; our own standard error (2) when no file can be created. */
  readonly fd: number;
  /** Cuts a file over 1 MB down to its newest 64 KB. Costs one look at its size otherwise; never throws. */
  trim(): void;
  /** The newest lines, oldest first. */
  readLines(max: number): string[];
  /** Ends our use of the file and removes it, unless it is to be kept and holds something. May be repeated. */
  close(options: { keep: boolean }): void;
};

const MAX_BYTES = 1_048_576;
const KEEP_BYTES = 65_536;
const STDERR = 2;

/** Creates the file of a worker, `worker-<generation>.stderr`, for the owner only. Never throws: a worker can do without. */
export function openWorkerOutput(logsDir: string, generation: number): WorkerOutput {
  const path = join(logsDir, `worker-${generation}.stderr`);
  let fd: number;
  try {
    ensurePrivateDirectory(logsDir);
    fd = createAppendFile(path);
  } catch {
    return { fd: STDERR, trim: () => undefined, readLines: () => [], close: () => undefined };
  }
  let isOpen = true;
  return {
    fd,
    trim() {
      if (isOpen) ignoringErrors(() => cutIfLarge(fd));
    },
    readLines: (max) => (isOpen ? readNewest(path, max) : []),
    close({ keep }) {
      if (!isOpen) return;
      isOpen = false;
      ignoringErrors(() => {
        const isEmpty = fstatSync(fd).size === 0;
        closeSync(fd);
        if (isEmpty || !keep) removeFile(path);
      });
    },
  };
}

/** Removes what workers of an earlier supervisor left behind. Never throws. */
export function sweepWorkerOutput(logsDir: string): void {
  ignoringErrors(() => {
    const names = readdirSync(logsDir).filter((name) => /^worker-\d+\.stderr$/.test(name));
    for (const name of names) removeFile(join(logsDir, name));
  });
}

function cutIfLarge(fd: number): void {
  if (fstatSync(fd).size > MAX_BYTES) cutToTail(fd, KEEP_BYTES);
}

function readNewest(path: string, max: number): string[] {
  const lines: string[] = [];
  ignoringErrors(() => {
    for (const line of linesFromEnd(path, MAX_BYTES)) {
      if (lines.length === max) break;
      lines.push(line);
    }
  });
  return lines.reverse();
}

/** What a worker said last is worth much less than the gateway: no fault of a disk may stop the one who asks. */
function ignoringErrors(work: () => void): void {
  try {
    work();
  } catch {
    // A full or failing disk, or a folder that somebody removed. It is looked at again the next time.
  }
}
