import { readSync } from 'node:fs';

/** A line and the offset of its first byte in the file. */
export type PlacedLine = { start: number; text: string };

const BLOCK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/**
 * The lines before `end`, the last one first, read block by block. The first one that comes is what follows the last line
 * break: empty in a file that ends with one. Lines are cut at bytes, so that no character is torn at the border of a block.
 * Of a line that is longer than `maxLineBytes` only the beginning is kept, about so much of it.
 */
export function* readLinesBackwards(
  fd: number,
  end: number,
  maxLineBytes = Number.POSITIVE_INFINITY,
): Generator<PlacedLine> {
  let rest: Buffer[] = [];
  for (let blockEnd = end; blockEnd > 0; ) {
    const blockStart = Math.max(0, blockEnd - BLOCK_BYTES);
    const block = readBlock(fd, blockStart, blockEnd);
    let lineEnd = block.length;
    for (let at = lastNewline(block, lineEnd); at >= 0; at = lastNewline(block, lineEnd)) {
      yield { start: blockStart + at + 1, text: join([block.subarray(at + 1, lineEnd), ...rest]) };
      rest = [];
      lineEnd = at;
    }
    rest.unshift(block.subarray(0, lineEnd));
    while (rest.length > 1 && rest.length * BLOCK_BYTES > maxLineBytes) rest.pop();
    blockEnd = blockStart;
  }
  yield { start: 0, text: join(rest) };
}

/** The whole lines from `start` to `end` in order, as many at a time as a block holds, and the offset behind them. */
export function* readLinesForwards(
  fd: number,
  start: number,
  end: number,
): Generator<{ lines: string[]; position: number }> {
  let rest: Buffer[] = [];
  for (let at = start; at < end; ) {
    const block = readBlock(fd, at, Math.min(end, at + BLOCK_BYTES));
    // Somebody emptied the file meanwhile.
    if (block.length === 0) return;
    at += block.length;
    const lineEnd = lastNewline(block, block.length);
    if (lineEnd < 0) {
      rest.push(block);
      continue;
    }
    const text = join([...rest, block.subarray(0, lineEnd)]);
    rest = [block.subarray(lineEnd + 1)];
    yield { lines: text.split('\n'), position: at - block.length + lineEnd + 1 };
  }
}

/** The text between two offsets. */
export function readText(fd: number, start: number, end: number): string {
  return readBlock(fd, start, end).toString('utf8');
}

function readBlock(fd: number, start: number, end: number): Buffer {
  const block = Buffer.allocUnsafe(end - start);
  let length = 0;
  while (length < block.length) {
    const count = readSync(fd, block, length, block.length - length, start + length);
    if (count === 0) break;
    length += count;
  }
  return block.subarray(0, length);
}

/** Before `end`; -1 when there is none. */
function lastNewline(block: Buffer, end: number): number {
  return block.subarray(0, end).lastIndexOf(NEWLINE);
}

function join(parts: readonly Buffer[]): string {
  return Buffer.concat(parts).toString('utf8');
}
