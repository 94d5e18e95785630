import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { errorCode } from './errors.ts';

const BLOCK = 65_536;
const NEWLINE = 10;

/**
 * The lines of a file from its last to its first, read in blocks from the end, so that whoever stops early reads little.
 * Looks at the last `maxBytes` at most; a line that begins before them is left out unless it is the only one.
 * A file that does not exist has no lines.
 */
export function* linesFromEnd(path: string, maxBytes: number): Generator<string> {
  const fd = openIfExists(path);
  if (fd === undefined) return;
  try {
    yield* readBackwards(fd, maxBytes);
  } finally {
    closeSync(fd);
  }
}

/**
 * Cuts a file that others append to down to its newest whole lines, `keepBytes` at most. What they append at this very
 * moment is lost or comes before the rest; they go on at the new end.
 */
export function cutToTail(fd: number, keepBytes: number): void {
  const { size } = fstatSync(fd);
  if (size <= keepBytes) return;
  const tail = readBlock(fd, size - keepBytes, size);
  const newline = tail.indexOf(NEWLINE);
  ftruncateSync(fd, 0);
  // A single endless line is kept as it is.
  writeSync(fd, tail, newline === tail.length - 1 ? 0 : newline + 1);
}

function openIfExists(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function* readBackwards(fd: number, maxBytes: number): Generator<string> {
  const { size } = fstatSync(fd);
  const start = Math.max(0, size - maxBytes);
  /** What is known of the line that goes on further up, its end last. */
  let pieces: Buffer[] = [];
  let isEmpty = true;
  for (let end = size; end > start; end -= BLOCK) {
    const block = readBlock(fd, Math.max(start, end - BLOCK), end);
    let cut = block.length;
    for (let index = block.lastIndexOf(NEWLINE); index >= 0; index = lastNewlineBefore(block, index)) {
      const line = toLine(block.subarray(index + 1, cut), pieces);
      cut = index;
      pieces = [];
      // The newline at the very end of the file begins no line.
      if (isEmpty && line === '') continue;
      isEmpty = false;
      yield line;
    }
    pieces.unshift(block.subarray(0, cut));
  }
  const first = Buffer.concat(pieces).toString('utf8');
  if (isEmpty ? first !== '' : start === 0) yield first;
}

/** A negative offset counts from the end there, so the first byte is a case of its own. */
function lastNewlineBefore(block: Buffer, index: number): number {
  return index === 0 ? -1 : block.lastIndexOf(NEWLINE, index - 1);
}

function toLine(head: Buffer, pieces: readonly Buffer[]): string {
  return (pieces.length === 0 ? head : Buffer.concat([head, ...pieces])).toString('utf8');
}

function readBlock(fd: number, from: number, to: number): Buffer {
  const block = Buffer.allocUnsafe(to - from);
  // Less when the file was cut in the meantime.
  return block.subarray(0, readSync(fd, block, 0, block.length, from));
}
