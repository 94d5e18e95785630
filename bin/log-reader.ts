import { closeSync, fstatSync, statSync } from 'node:fs';
import { readLinesBackwards, readLinesForwards, readText } from '../lib/log-blocks.ts';
import { identifyFile, openLogFiles } from '../lib/log-sources.ts';

/**
 * One file of the log. It stays open as long as it has its place among the others, so that its inode cannot become another
 * file's, and because whoever writes may go on in it for a second after it was moved up.
 */
type Source = { fd: number; id: string; position: number; end: number; isListed: boolean };

/** Reads a rotating log: its last lines, and then what is added, across moved and emptied files, each line once. */
export class LogReader {
  readonly #path: string;
  readonly #isFollowing: boolean;
  /** Oldest first. */
  #sources: Source[] = [];

  /** `isFollowing`: what has no line break at its end yet is kept back until it has. */
  constructor(path: string, { isFollowing }: { isFollowing: boolean }) {
    this.#path = path;
    this.#isFollowing = isFollowing;
    this.refresh();
  }

  /** False when there is no log at all. */
  get hasFiles(): boolean {
    return this.#sources.length > 0;
  }

  /** Goes to where the last `count` lines that are accepted begin. */
  seekLast(count: number, accepts: (line: string) => boolean): void {
    let wanted = count;
    for (const source of [...this.#sources].reverse()) wanted = this.#seekIn(source, wanted, accepts);
  }

  /** Looks which files there are now and how long they are. */
  refresh(): void {
    if (this.#wasMoved()) this.#openNewFiles();
    for (const source of this.#sources) {
      source.end = fstatSync(source.fd).size;
      if (source.end < source.position) source.position = 0;
    }
  }

  /** The lines from here to what was the end at the last refresh, some at a time. */
  *read(): Generator<string[]> {
    for (const source of this.#sources) {
      for (const { lines, position } of readLinesForwards(source.fd, source.position, source.end)) {
        source.position = position;
        yield lines;
      }
      if (this.#isFollowing && source.isListed) continue;
      if (source.position < source.end) yield [readText(source.fd, source.position, source.end)];
      source.position = source.end;
    }
    for (const { fd } of this.#sources.filter(({ isListed }) => !isListed)) closeSync(fd);
    this.#sources = this.#sources.filter(({ isListed }) => isListed);
  }

  close(): void {
    for (const { fd } of this.#sources) closeSync(fd);
    this.#sources = [];
  }

  #seekIn(source: Source, wanted: number, accepts: (line: string) => boolean): number {
    let left = wanted;
    let isRest = true;
    for (const { start, text } of readLinesBackwards(source.fd, source.end)) {
      const isWhole = !isRest || (text !== '' && !this.#isFollowing);
      if (isRest) source.position = this.#isFollowing ? start : source.end;
      isRest = false;
      if (left === 0) break;
      if (!isWhole || !accepts(text)) continue;
      source.position = start;
      left -= 1;
    }
    return left;
  }

  /** Between the two steps of a move there is no file of that name: then the next look finds it. */
  #wasMoved(): boolean {
    const newest = this.#sources.at(-1);
    if (newest === undefined) return true;
    const found = statSync(this.#path, { bigint: true, throwIfNoEntry: false });
    return found !== undefined && identifyFile(found) !== newest.id;
  }

  #openNewFiles(): void {
    const fresh: Source[] = [];
    const listed = new Set<string>();
    for (const { fd, id } of openLogFiles(this.#path)) {
      listed.add(id);
      if (this.#sources.some((known) => known.id === id)) closeSync(fd);
      else fresh.unshift({ fd, id, position: 0, end: 0, isListed: true });
    }
    for (const source of this.#sources) source.isListed = listed.has(source.id);
    this.#sources.push(...fresh);
  }
}
