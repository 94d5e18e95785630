import { EOL } from 'node:os';
import { isoTime } from './iso-time.ts';

/** For how long a line stands for those that are like it, in milliseconds. */
const WINDOW_MS = 5_000;
/** Longer lines are not kept to be compared. */
const MAX_LENGTH = 65_536;
const MAX_MESSAGE = 200;

const TIME = '"time":"';
/** What a bunyan line ends with: all that differs between two equal lines. */
const ENDING_LENGTH = `${TIME}2026-01-01T00:00:00.000Z","v":0}${EOL}`.length;
const FATAL = '"level":60';

/**
 * Passes log lines on, but one that equals the line before it except for its time is only counted (OBS-2). When another line
 * comes, or after `windowMs` (default 5 s), one line with the field `repeated` tells how many there were. Fatal lines always
 * pass. Returns the function to give each bunyan line to.
 */
export function suppressRepeats(write: (line: string) => void, windowMs = WINDOW_MS): (line: string) => void {
  /** The last line that passed, what of it is compared, and when it or its count was last written. */
  let last = '';
  let head = '';
  let writtenAt = 0;
  let count = 0;
  let isTimed = false;

  const report = (): void => {
    unreported.delete(report);
    if (count === 0) return;
    const summary = summarize(last, count);
    count = 0;
    writtenAt = Date.now();
    write(summary);
  };

  const countRepeat = (now: number): void => {
    count += 1;
    // The timer cannot fire while a loop never yields.
    if (now - writtenAt >= windowMs) report();
    if (count !== 1) return;
    reportAtExit(report);
    if (isTimed) return;
    isTimed = true;
    setTimeout(() => {
      isTimed = false;
      report();
    }, windowMs).unref();
  };

  return (line) => {
    const now = Date.now();
    const isRepeat = last !== '' && line.length === last.length && line.startsWith(head) && !line.includes(FATAL);
    // A line that comes back after a while is news, not noise.
    if (isRepeat && (count > 0 || now - writtenAt < windowMs)) {
      countRepeat(now);
      return;
    }
    if (count > 0) report();
    head = comparablePart(line);
    last = head === '' ? '' : line;
    writtenAt = now;
    write(line);
  };
}

/** All but the time; empty for a line that must not be compared. */
function comparablePart(line: string): string {
  const end = line.length - ENDING_LENGTH;
  return line.length <= MAX_LENGTH && line.startsWith(TIME, end) ? line.slice(0, end) : '';
}

/** The line that stands for `count` more like `line`. A stack is told once. */
function summarize(line: string, count: number): string {
  const { err: _err, msg, time: _time, v, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const times = count === 1 ? '1 time' : `${count} times`;
  const message = `${String(msg).slice(0, MAX_MESSAGE)} ... repeated ${times}`;
  return `${JSON.stringify({ ...fields, repeated: count, msg: message, time: isoTime(Date.now()), v })}${EOL}`;
}

const unreported = new Set<() => void>();

/** A count must not be lost because the process ends before the time is up. */
function reportAtExit(report: () => void): void {
  if (!isWatchingExit) process.once('exit', reportAll);
  isWatchingExit = true;
  unreported.add(report);
}

let isWatchingExit = false;

function reportAll(): void {
  for (const report of unreported) report();
}
